// When the app stops answering, or comes back without the picture on show.

import { checked } from "../viewer/http.js";

const EVERY_MS = 2000;
const GONE = 404;

export class Lifeline {
  // notices: where it is said; remake(): make the field of the picture on show again; back(): the app
  // answers again; quiet(): take back what else was said of it
  constructor(base, notices, { id, remake, back, quiet }) {
    this.base = base;
    this.notices = notices;
    this.id = id;
    this.remake = remake;
    this.back = back;
    this.quiet = quiet;
  }

  // Something a request of the viewer ran into. Returns whether it is dealt with here.
  failed(error) {
    if (error.status === GONE) this.forgotten();
    else if (error.offline) this.wait();
    else return false;
    return true;
  }

  forgotten() {
    this.quiet();
    this.notices.say("The app no longer has this picture: it was restarted, or newer pictures took its place.", {
      action: { text: "Re-encode the picture", run: this.remake },
    });
  }

  async wait() {
    if (this.waiting) return;
    this.waiting = true;
    this.notices.say("The app is not responding. Waiting for it to come back…", { wrong: true });
    while (!(await this.answers())) await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    this.waiting = false;
  }

  // Whether the app answers; what follows from its answer is done.
  async answers() {
    try {
      await checked(fetch(new URL(`fields/${this.id()}`, this.base)));
      this.notices.say(null);
      this.quiet();
      this.back();
    } catch (error) {
      if (error.offline) return false;
      this.forgotten();
    }
    return true;
  }
}
