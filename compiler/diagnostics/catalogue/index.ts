/** The whole catalogue, by code. The entries are in the files beside this one. */
import type { Entry } from "../diagnostic.js";
import * as classes from "./class.js";
import * as declared from "./declared.js";
import * as glue from "./glue.js";
import * as method from "./method.js";
import * as output from "./output.js";
import * as pivot from "./pivot.js";
import * as project from "./project.js";
import * as values from "./values.js";
import * as variables from "./variables.js";

// `never`: the facts differ from entry to entry, and nobody who looks one up by its code has any.
export type AnyEntry = Pick<Entry<never>, "code" | "severity" | "page">;

const entries: readonly AnyEntry[] = [
  project,
  classes,
  declared,
  method,
  glue,
  variables,
  pivot,
  values,
  output,
].flatMap((module) => Object.values<AnyEntry>(module));

/** Every entry by its code, in alphabetical order. */
export const catalogue: ReadonlyMap<string, AnyEntry> = new Map(
  entries.map((each) => [each.code, each] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** Faults of the call or of the set-up: the process ends with 2, where the program's own end it with 1. */
export const setUpCodes: ReadonlySet<string> = new Set([
  ...Object.values<AnyEntry>(project)
    .map(({ code }) => code)
    .filter((code) => code !== "typescript" && code !== "internal"),
  output.notGenerated.code,
  output.cannotWrite.code,
]);
