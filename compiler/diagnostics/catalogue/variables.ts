/** Messages about variables of a saga method that are given another value: where, and when that is too late. */
import type { Span } from "../../model.js";
import { entry } from "../diagnostic.js";
import { example } from "./example.js";

interface At {
  readonly at: Span;
}

/** `counts`: it is made of its own value before, as `n += 1`. */
export const reassigned = entry<At & { name: string; counts?: boolean }>(
  "reassigned-variable",
  "error",
  {
    reason:
      "In a static graph a variable stands for one value on each path. It may be declared with a value that it has where nothing else is set, and be set once on a path that parts from there; a second value on one path gets a name of its own.",
    bad: example({
      body: "let name = params.name;\nname = name.trim();\nawait this.book(name);",
    }),
    good: example({ body: "const name = params.name.trim();\nawait this.book(name);" }),
  },
  ({ at, name, counts }) => ({
    message: `\`${name}\` is assigned to after its declaration`,
    span: at,
    help:
      counts === true
        ? "declare a new const for the new value; what a loop adds up is made of the list of what its items come to: `const all = await each(list, { concurrency: 1 }, async (item) => …)`, then `all.length`, `all.filter(…)`, `all.reduce(…)`"
        : "declare a new const for the new value",
  }),
);

export const carried = entry<At & { name: string; by: "loop" | "function" }>(
  "assigned-inside",
  "error",
  {
    reason:
      "A variable stands for one value on each path through the method. What a loop finds is set where the loop is left, in front of `break`: where it goes on, the next item would find the variable changed. What an async block finds is its result.",
    bad: example({
      params: "params: { names: string[] }",
      body: "let last: Room | undefined;\nfor (const name of params.names) {\n  last = await this.book(name);\n}",
    }),
    good: example({
      params: "params: { names: string[] }",
      body: 'let last: Room | undefined;\nfor (const name of params.names) {\n  const room = await this.book(name);\n  if (room.id !== "") {\n    last = room;\n    break;\n  }\n}\nawait this.book(last?.id ?? "none");',
    }),
  },
  ({ at, name, by }) => ({
    message:
      by === "loop"
        ? `\`${name}\` is set in a loop that may go on after that, and is declared outside of it`
        : `\`${name}\` is assigned to in a function, and declared outside of it`,
    span: at,
    help:
      by === "loop"
        ? `name the value of each item with a const in the loop, and set \`${name}\` in front of \`break\` only: \`if (…) { ${name} = …; break; }\`; a list of all results is \`await each(list, { concurrency: 1 }, async (item) => …)\``
        : "return the value from the function, and take it from what is awaited",
  }),
);

/** `read`: where the `catch` reads it. */
export const setInTry = entry<At & { name: string; read: Span | undefined }>(
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
  ({ at, name, read }) => ({
    message: `\`${name}\` is set in this \`try\`, which may fail after that, and not in its \`catch\``,
    span: at,
    ...(read && {
      others: [{ span: read, text: "read here, where what it was set to is undone" }],
    }),
    help: `set \`${name}\` in the \`catch\` as well, or at the end of the \`try\``,
  }),
);
