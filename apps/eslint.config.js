// What tsc does not see: names that are not there, code that is not used, unclear comparisons.

import js from "@eslint/js";
import globals from "globals";

const style = {
  eqeqeq: "error",
  "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
  "no-var": "error",
  "prefer-const": "error",
  "no-shadow": "error",
  "max-len": ["error", { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true }],
};

export default [
  { ignores: ["**/node_modules/**"] },
  js.configs.recommended,
  { files: ["**/*.js"], languageOptions: { globals: globals.browser }, rules: style },
  { files: ["**/*.mjs"], languageOptions: { globals: globals.node }, rules: style },
];
