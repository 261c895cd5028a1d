/** Messages about the expressions in a saga method: names, values, what cannot be moved or stored. */
import type { Span } from "../../model.js";
import { entry, type Edit } from "../diagnostic.js";
import { example } from "./example.js";

interface At {
  readonly at: Span;
}

const good = example({});

export const notReady = entry<At & { name: string }>(
  "not-ready",
  "error",
  {
    reason:
      "An async block goes on beside the method that started it. What the method sets after the block was started may or may not be there when the block reads it.",
    bad: example({
      body: `const block = (async () => {
  await this.book(params.name);
  await this.book(later);
})();
const later = params.name;
await block;`,
    }),
    good: example({
      body: `const later = params.name;
const block = (async () => {
  const first = await this.book(params.name);
  const second = await this.book(first.id + later);
  return second.id;
})();
await block;`,
    }),
  },
  ({ at, name }) => ({
    message: `\`${name}\` may not be set yet when it is read here`,
    span: at,
    help: `declare \`${name}\` before what reads it`,
  }),
);

export const promiseAsValue = entry<At & { what: string; help?: string }>(
  "promise-as-value",
  "error",
  {
    reason:
      "A promise of an action can be held in a variable, put in an array for Promise.all, and awaited. It is not a value: it cannot be stored, or given to another action.",
    bad: example({
      returns: "string",
      body: "const room = this.book(params.name);\nconst text = `${String(room)}`;\nawait room;\nreturn text;",
    }),
    good: example({
      returns: "string",
      body: "const room = await this.book(params.name);\nreturn room.id;",
    }),
  },
  ({ at, what, help }) => ({
    message: `${what} is a promise, and is used as a value`,
    span: at,
    help: help ?? `await it first, as in \`const value = await ${what.replaceAll("`", "")};\``,
  }),
);

export const notExported = entry<
  At & { name: string; other: Span; fix?: readonly Edit[] | undefined }
>(
  "not-exported",
  "error",
  {
    reason:
      "Expressions of the saga method are moved into the generated module, which reaches what the source imports and exports, and members of `this`. What the source keeps to itself is out of its reach.",
    bad: example({
      top: "function tidy(name: string): string {\n  return name.trim();\n}",
      body: "await this.book(tidy(params.name));",
    }),
    good: example({
      top: "export function tidy(name: string): string {\n  return name.trim();\n}",
      body: "await this.book(tidy(params.name));",
    }),
  },
  ({ at, name, other, fix }) => ({
    message: `\`${name}\` is not exported, so that the generated module cannot reach it`,
    span: at,
    others: [{ span: other, text: "declared here" }],
    help: `export \`${name}\`, or move what uses it into an action`,
    fix,
  }),
);

export const typeParameter = entry<At & { name: string; other: Span }>(
  "type-parameter",
  "error",
  {
    reason:
      "Expressions of the saga method are moved out of the class, where its type parameters do not exist. A type parameter that is written there would mean nothing in the generated module.",
    bad: `import { action, saga } from "steno-runtime";

export abstract class Base<T extends string> {
  @action({ undo: "none" })
  async greet(name: string): Promise<void> {
    throw new Error(name);
  }

  @saga
  async greetAll(params: { name: string }): Promise<void> {
    await this.greet(params.name as T);
  }
}

export class Greeting extends Base<"you"> {
  @action({ undo: "none" })
  async wave(): Promise<void> {}
}
`,
    good: `import { action, saga } from "steno-runtime";

export abstract class Base<T extends string> {
  abstract readonly last: T;

  @action({ undo: "none" })
  async greet(name: string): Promise<void> {
    throw new Error(name);
  }

  @saga
  async greetAll(params: { name: string }): Promise<void> {
    await this.greet(params.name);
  }
}

export class Greeting extends Base<"you"> {
  readonly last = "you";

  @action({ undo: "none" })
  async wave(): Promise<void> {}
}
`,
  },
  ({ at, name }) => ({
    message: `\`${name}\` is a type parameter, which the generated module does not know`,
    span: at,
    help: "write the type out, or move the expression into an action",
  }),
);

/** `added`: what is changed is a list that something is added to. */
export const mutation = entry<
  At & { what: string; name: string; own?: true; added?: boolean | undefined }
>(
  "mutation",
  "error",
  {
    reason:
      "Params and outputs are recorded, and each reader gets a decoded copy of its own. A change to one copy is not seen by the others, so that the method would not mean what it says. And what the method changes on `this` is recorded nowhere: it is lost with the process.",
    bad: example({
      params: "params: { names: string[]; name: string }",
      body: "params.names.sort();\nawait this.book(params.name);",
    }),
    good: example({
      params: "params: { names: string[]; name: string }",
      body: "const sorted = [...params.names].sort();\nawait this.book(sorted.join() + params.name);",
    }),
  },
  ({ at, what, name, own, added }) => ({
    message: own
      ? `${what} changes \`${name}\`, of which nothing is recorded`
      : `${what} changes \`${name}\`, which holds recorded data`,
    span: at,
    help: own
      ? "keep it in a variable of the method; or do it in an action, with an undo that changes it back"
      : added === true
        ? `make the list in one go: \`const ${name} = await each(items, { concurrency: 1 }, async (item) => …)\`, one after another, or with \`Promise.all(items.map(…))\`; of a list that is there, \`[...${name}, more]\``
        : "make a changed copy: `[...list].sort()`, `{ ...object, key: value }`; or change it in an action and return it",
  }),
);

export const identity = entry<At & { what: string }>(
  "identity-comparison",
  "error",
  {
    reason:
      "Recorded values are decoded anew for each reader, so that two objects are never identical, even if they came from one call. Primitives are compared by value.",
    bad: example({
      returns: "boolean",
      body: "const room = await this.book(params.name);\nconst other = await this.book(room.id);\nreturn room === other;",
    }),
    good: example({
      returns: "boolean",
      body: "const room = await this.book(params.name);\nconst other = await this.book(room.id);\nreturn room.id === other.id;",
    }),
  },
  ({ at, what }) => ({
    message: `${what} compares objects by identity`,
    span: at,
    help: "compare a property that tells them apart, such as an id",
  }),
);

export const thisValue = entry<At & { what: string }>(
  "this-value",
  "error",
  {
    reason:
      "An expression of the saga method is moved into the generated module, where the object is reached member by member: `this.config.region`, `this.helper(x)`. `this` as a whole, `super`, and `#private` members stay behind.",
    bad: example({
      top: "export function describe(rooms: Rooms): string {\n  return rooms.desk.name;\n}",
      body: "await this.book(describe(this));",
    }),
    good: example({
      top: "export function describe(desk: { name: string }): string {\n  return desk.name;\n}",
      body: "await this.book(describe(this.desk));",
    }),
  },
  ({ at, what }) => ({
    message: `${what} cannot be used in a saga method`,
    span: at,
    help: "use a member by its name, as in `this.member`, or move the expression into an action or a method that is not #private",
  }),
);

export const awaitUnknown = entry<At & { what: string; hint: string | undefined }>(
  "await-unknown",
  "error",
  {
    reason:
      "What a saga waits for is recorded, retried and undone, and only actions and sagas can be. Any other promise is work that nobody could undo, started outside of the record.",
    bad: example({
      body: "const room = await this.desk.book(params.name);\nawait this.book(room.id);",
    }),
    good: example({
      body: "const room = await this.book(params.name);\nawait this.book(room.id);",
    }),
  },
  ({ at, what, hint }) => ({
    message: `${what} is no action and no saga of steno`,
    span: at,
    help: hint ?? "move it into a method that is decorated with @action, and await that",
  }),
);

export const expressionRefused = entry<At & { what: string; help: string }>(
  "expression-not-supported",
  "error",
  {
    reason:
      "A saga method is compiled, not run: each of its expressions becomes data or a small function. A few kinds of expression have no meaning there.",
    bad: example({ body: "const names = arguments;\nawait this.book(String(names.length));" }),
    good,
  },
  ({ at, what, help }) => ({
    message: `${what} cannot be used in a saga method`,
    span: at,
    help,
  }),
);

/** `given`: the method of a list that it is given to, which does not wait for it. */
export const localFunction = entry<At & { name: string; given: string | undefined }>(
  "local-async-function",
  "error",
  {
    reason:
      "A function inside of the method that calls actions could be called any number of times, so that the graph would not be known. An async block that is called on the spot is fine: it runs once.",
    bad: example({
      body: "const book = async (name: string) => this.book(name);\nawait book(params.name);",
    }),
    good: example({
      body: "const booked = (async () => this.book(params.name))();\nawait booked;",
    }),
  },
  ({ at, name, given }) => ({
    message: `${name} is asynchronous, or calls actions`,
    span: at,
    help:
      given === undefined
        ? "call the actions in the method itself, in an async block `(async () => { … })()`, or make a @saga method of it"
        : `\`${given}\` waits for nothing: write \`for (const item of list) { … }\`, one after another, or \`await Promise.all(list.map(async (item) => …))\`, side by side, and go on with what that gives`,
  }),
);

export const splitCall = entry<At & { text: string }>(
  "await-in-call",
  "error",
  {
    reason:
      "JavaScript reads the function before it evaluates the arguments. Here an argument waits for an action, and what is read before is an object that cannot be recorded until then.",
    bad: example({
      members: "readonly names = { tidy: (name: string): string => name.trim() };",
      body: "const id = this.names.tidy((await this.book(params.name)).id);\nawait this.book(id);",
    }),
    good: example({
      members: "readonly names = { tidy: (name: string): string => name.trim() };",
      body: "const room = await this.book(params.name);\nconst id = this.names.tidy(room.id);\nawait this.book(id);",
    }),
  },
  ({ at, text }) => ({
    message: `\`${text}\` is read before an argument of its call is awaited`,
    span: at,
    help: "await into a variable first, and call with that",
  }),
);

export const assertion = entry<At & { name: string }>(
  "assertion-call",
  "error",
  {
    reason:
      "An assertion function changes the types of what follows it. What follows becomes functions of its own in the generated module, where that narrowing is lost.",
    bad: example({
      top: "export function assertDear(room: Room): asserts room is Room & { price: 100 } {\n  if (room.price !== 100) throw new Error(room.id);\n}",
      body: "const room = await this.book(params.name);\nassertDear(room);",
    }),
    good: example({
      top: "export function dear(room: Room): Room {\n  if (room.price !== 100) throw new Error(room.id);\n  return room;\n}",
      body: "const room = await this.book(params.name);\nconst checked = dear(room);\nawait this.book(checked.id);",
    }),
  },
  ({ at, name }) => ({
    message: `\`${name}\` is an assertion function`,
    span: at,
    help: "write a function that returns the value with the narrower type",
  }),
);

export const narrowingLost = entry<At & { name: string; test: string; other: Span }>(
  "narrowing-lost",
  "error",
  {
    reason:
      "Code that stands in a branch is moved into a function of its own, which tells TypeScript again what is known in the branch. That can be done with a test that only looks at values: a comparison, `typeof`, `in`. A test that calls a function, waits, or reads `this`, is evaluated once, and cannot be repeated: of such a test is told what can be written at the place, that a value is there, or is one of some literals, but not which member of a union it is.",
    bad: example({
      top: "export type Bill = { paid: true; receipt: string } | { paid: false };\nexport function isPaid(bill: Bill): bill is Extract<Bill, { paid: true }> {\n  return bill.paid;\n}",
      params: "params: { bill: Bill }",
      body: "if (isPaid(params.bill)) {\n  await this.book(params.bill.receipt);\n}",
    }),
    good: example({
      top: "export type Bill = { paid: true; receipt: string } | { paid: false };",
      params: "params: { bill: Bill }",
      body: "if (params.bill.paid) {\n  await this.book(params.bill.receipt);\n}",
    }),
  },
  ({ at, name, test, other }) => ({
    message: `the type of \`${name}\` rests on \`${test}\`, which cannot be evaluated again`,
    span: at,
    others: [{ span: other, text: "what narrows the type" }],
    help: `test a property that tells: \`${name}.kind === "…"\`; or write a function that gives the narrower value, \`const found = narrow(${name})\`, a \`T | undefined\`, and test what it gives: \`if (found !== undefined)\``,
  }),
);
