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

/** What to write instead of what people try to store most, by how it begins. */
const INSTEAD: readonly (readonly [is: RegExp, help: string])[] = [
  [
    /^(`any`|`unknown`)/,
    "write its type; a schema of your own can check the output of an action: `@action({ output: … })`",
  ],
  [
    /of which nothing is known/,
    "write what it has, as an interface, or as `Record<string, …>` if its keys are not known",
  ],
  [/^a function/, "leave it out, and call it in the action"],
  [
    /^an object of the class/,
    "store what it is made of, as an interface, and make the object in the action",
  ],
  [/^a symbol|named by a symbol/, "use a text"],
  [/not known here/, "write the types out where the class is declared"],
  [/^a Buffer/, "write `Uint8Array`: every Buffer is one, and comes back as one"],
  [
    /^a (Response|Request|Body)\b/,
    "read it in the action, and return what it holds, with its type",
  ],
  [
    /^an? \w*Error\b/,
    "throw it, and declare its class with `@action({ errors: […] })`; or return what is to be known of it",
  ],
  [/^an Abort(Signal|Controller)/, "take `actionContext().signal` in the action"],
  [/^a Promise/, "await it in the action"],
  [/^a RegExp/, "take what is needed out of it in the same expression"],
];

function helpFor(is: string): string {
  return (
    INSTEAD.find(([begins]) => begins.test(is))?.[1] ??
    "store plain data: objects, arrays, Maps, Sets, Dates, texts, numbers, bigints, bytes, URLs"
  );
}
