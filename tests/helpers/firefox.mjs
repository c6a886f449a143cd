// Drives Firefox for tests/helpers/firefox.py: one JSON request a line on stdin, one answer on stdout.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, executablePath] = process.argv.slice(2);
const puppeteer = createRequire(folder)("puppeteer-core");
const browser = await puppeteer.launch({
  browser: "firefox", executablePath, headless: false, extraPrefsFirefox: { "webgl.force-enabled": true },
});
const page = await browser.newPage();
const problems = [];
page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
page.on("pageerror", (error) => problems.push(String(error)));

const verbs = {
  size: (width, height) => page.setViewport({ width, height }),
  goto: async (url) => { await page.goto(url); },
  wait: async (selector, timeout) => { await page.waitForSelector(selector, { timeout }); },
  evaluate: (text) => page.evaluate(text),
  click: (selector) => page.click(selector),
  clickAt: (x, y) => page.mouse.click(x, y),
  moveTo: (x, y) => page.mouse.move(x, y),
  wheel: (dy) => page.mouse.wheel({ deltaY: dy }),
  upload: async (selector, path) => (await page.$(selector)).uploadFile(path),
  screenshot: async (path) => { await page.screenshot({ path }); },
  problems: () => problems,
};

console.log(JSON.stringify({ result: await browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const { verb, args } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ result: (await verbs[verb](...args)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
await browser.close();
