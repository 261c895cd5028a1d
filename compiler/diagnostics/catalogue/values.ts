/** What is said of values that cannot be stored. */
import type { Span } from "../../model.js";
import { entry, type Label } from "../diagnostic.js";
import { example } from "./example.js";

export const valueNotStorable = entry<{
  at: Span;
  what: string;
  path: string;
  is: string;
  others: readonly Label[];
}>(
  "value-not-storable",
  "error",
  {
    reason:
      "Params, inputs, outputs and computed values are stored, and come back as decoded copies, also in another process after a crash. What can be stored is data whose type is known: JSON, `undefined`, `Date`, `bigint`, `Map`, `Set`, `Uint8Array`, `URL`, all numbers, and unions, tuples, records, enums, recursive and generic types of those. An object of a class has methods and a prototype that no store can bring back, a function or a stream is no data, and of `any` nobody knows what it is.",
    bad: example({
      members:
        'private readonly log = new Map<string, () => void>();\n@action({ undo: "none" })\nasync listen(): Promise<{ stop: () => void }> {\n  return { stop: this.log.get("stop") ?? (() => undefined) };\n}',
    }),
    good: example({
      members:
        'private readonly log = new Map<string, () => void>();\n@action({ undo: "none" })\nasync listen(): Promise<{ at: Date }> {\n  this.log.get("stop")?.();\n  return { at: new Date() };\n}',
    }),
  },
  ({ at, what, path, is, others }) => ({
    message: `${what} cannot be stored: ${path} is ${is}`,
    span: at,
    others,
    help: helpFor(is),
  }),
);

function helpFor(is: string): string {
  if (is.startsWith("`any`") || is.startsWith("`unknown`")) return "write its type";
  if (is.includes("of which nothing is known")) {
    return "write what it has, as an interface, or as `Record<string, …>` if its keys are not known";
  }
  if (is === "a function") return "leave it out, and call it in the action";
  if (is.startsWith("an object of the class")) {
    return "store what it is made of, as an interface, and make the object in the action";
  }
  if (is === "a symbol" || is.includes("named by a symbol")) return "use a text";
  if (is.includes("not known here")) return "write the types out where the class is declared";
  return "store plain data: objects, arrays, Maps, Sets, Dates, texts, numbers, bigints, bytes, URLs";
}
