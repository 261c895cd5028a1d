/** Messages about variables of a saga method that are given another value: where, and when that is too late. */
import type { Span } from "../../model.js";
import { entry } from "../diagnostic.js";
import { example } from "./example.js";

interface At {
  readonly at: Span;
}

export const reassigned = entry<At & { name: string }>(
  "reassigned-variable",
  "error",
  {
    reason:
      "In a static graph a variable stands for one value. A second value gets a name of its own.",
    bad: example({
      body: "let name = params.name;\nname = name.trim();\nawait this.book(name);",
    }),
    good: example({ body: "const name = params.name.trim();\nawait this.book(name);" }),
  },
  ({ at, name }) => ({
    message: `\`${name}\` is assigned to after its declaration`,
    span: at,
    help: "declare a new const for the new value",
  }),
);

export const carried = entry<At & { name: string; by: string }>(
  "assigned-inside",
  "error",
  {
    reason:
      "A variable stands for one value on each path through the method. One that is set in a loop or in a function would have as many as that runs: what a loop finds is given back with `return`, and what an async block finds is its result.",
    bad: example({
      params: "params: { names: string[] }",
      body: "let last: Room | undefined;\nfor (const name of params.names) {\n  last = await this.book(name);\n}",
    }),
    good: example({
      params: "params: { names: string[] }",
      body: "await Promise.all(params.names.map((name) => this.book(name)));",
    }),
  },
  ({ at, name, by }) => ({
    message: `\`${name}\` is assigned to in ${by}, and declared outside of it`,
    span: at,
    help: "collect the results with `await Promise.all(list.map(…))`, or return the value",
  }),
);

export const setInTry = entry<At & { name: string }>(
  "set-in-try",
  "error",
  {
    reason:
      "When something in a `try` fails, what ran in it is undone. A variable that was set before the failure would still hold the result of an action that is undone by then. So a variable that is set in the `try` is set in the `catch` too, or is the last thing that the `try` does.",
    bad: example({
      returns: "string",
      body: 'let room: Room | undefined;\ntry {\n  room = await this.book(params.name);\n  await this.book("second");\n} catch {\n  await this.book("third");\n}\nreturn room?.id ?? "";',
    }),
    good: example({
      returns: "string",
      body: 'let room: Room | undefined;\ntry {\n  await this.book("second");\n  room = await this.book(params.name);\n} catch {\n  room = undefined;\n}\nreturn room?.id ?? "";',
    }),
  },
  ({ at, name }) => ({
    message: `\`${name}\` is set in this \`try\`, which may fail after that, and not in its \`catch\``,
    span: at,
    help: `set \`${name}\` in the \`catch\` as well, or at the end of the \`try\``,
  }),
);
