// Modules of the studio's page find those of the viewer where the server serves them.

import { register } from "node:module";

const hook = `
export function resolve(specifier, context, next) {
  const served = context.parentURL?.includes("/studio/page/") && specifier.startsWith("../viewer/");
  return next(served ? "../" + specifier : specifier, context);
}`;

register(`data:text/javascript,${encodeURIComponent(hook)}`);
