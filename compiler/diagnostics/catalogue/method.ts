/** Messages about the shape of a saga method: statements, promises, subsagas, names of nodes. */
import type { Span } from "../../model.js";
import { entry, type Label } from "../diagnostic.js";
import { example } from "./example.js";

interface At {
  readonly at: Span;
}

const good = example({});

export const statementRefused = entry<At & { what: string; help: string }>(
  "statement-not-supported",
  "error",
  {
    reason:
      "A saga method is compiled to a static graph. Each of its statements declares a variable, waits for actions, computes a value, or returns.",
    bad: example({ body: "debugger;\nawait this.book(params.name);" }),
    good,
  },
  ({ at, what, help }) => ({
    message: `${what} cannot be used in a saga method`,
    span: at,
    help,
  }),
);

export const unreachable = entry<At>(
  "unreachable",
  "error",
  {
    reason:
      "What follows a `return` never runs. In a saga that is a mistake that leaves actions out.",
    bad: example({ body: "return;\nawait this.book(params.name);" }),
    good: example({ body: "await this.book(params.name);\nreturn;" }),
  },
  ({ at }) => ({
    message: "this is never reached",
    span: at,
    help: "remove it, or the return before it",
  }),
);

export const floating = entry<At & { what: string; sometimes: boolean }>(
  "floating-promise",
  "error",
  {
    reason:
      "An action that nobody waits for could still run when the saga has ended, or fail without anyone noticing. Every promise is awaited, at once or later, in the method that started it.",
    bad: example({ body: "this.book(params.name);" }),
    good,
  },
  ({ at, what, sometimes }) => ({
    message: `${what} is started and ${sometimes ? "not awaited on every path" : "never awaited"}`,
    span: at,
    help: sometimes
      ? "await it before each `return`, and in each branch or in none"
      : "write `await` before it, or keep it in a variable and await that later",
  }),
);

export const promiseMethod = entry<At & { what: string; help: string }>(
  "promise-method",
  "error",
  {
    reason:
      "The order of nodes is read from `await` and `Promise.all`. Callbacks on promises, races and the like would make it depend on timing.",
    bad: example({ body: "await this.book(params.name).then((room) => room.id);" }),
    good: example({
      returns: "string",
      body: "const room = await this.book(params.name);\nreturn room.id;",
    }),
  },
  ({ at, what, help }) => ({
    message: `${what} is not supported in a saga method`,
    span: at,
    help,
  }),
);

export const undoCalled = entry<At & { name: string }>(
  "undo-called",
  "error",
  {
    reason:
      "Undos are called by the runtime, when a saga unwinds. A method that is also wanted going forward is an action of its own.",
    bad: example({
      body: "const room = await this.book(params.name);\nawait this.cancel(room);",
    }),
    good: example({
      members:
        '@action({ undo: "none" })\nasync release(room: Room): Promise<void> {\n  await this.desk.cancel(room.id);\n}',
      body: "const room = await this.book(params.name);\nawait this.release(room);",
    }),
  },
  ({ at, name }) => ({
    message: `\`${name}\` is an undo, and is called in a saga`,
    span: at,
    help: "write an action that does the same, and call that",
  }),
);

export const subsagaPlace = entry<At & { name: string; why: string; help: string }>(
  "subsaga-place",
  "error",
  {
    reason:
      "A saga embeds another by calling its method on `this` or on an object held in a property: after a crash the runtime finds the object again by those names. What is called is a saga; actions belong to the sagas of their own class.",
    bad: example({
      top: 'export class Hall {\n  @action({ undo: "none" })\n  async open(): Promise<void> {}\n}',
      members: "readonly hall = new Hall();",
      body: "await this.hall.open();\nawait this.book(params.name);",
    }),
    good: example({
      top: 'export class Hall {\n  @action({ undo: "none" })\n  async open(): Promise<void> {}\n\n  @saga\n  async openAll(): Promise<void> {\n    await this.open();\n  }\n}',
      members: "readonly hall = new Hall();",
      body: "await this.hall.openAll();\nawait this.book(params.name);",
    }),
  },
  ({ at, name, why, help }) => ({
    message: `\`${name}\` cannot be called here: ${why}`,
    span: at,
    help,
  }),
);

export const recursion = entry<At & { path: readonly string[] }>(
  "recursive-saga",
  "error",
  {
    reason:
      "A saga is a finite graph that is known before it runs, and an embedded saga is part of it. One that contains itself would have no end.",
    bad: example({
      body: "const room = await this.book(params.name);\nawait this.bookRoom({ name: room.id });",
    }),
    good: example({
      body: "const room = await this.book(params.name);\nawait this.book(room.id);",
    }),
  },
  ({ at, path }) => ({
    message: `this saga contains itself: ${path.join(" → ")}`,
    span: at,
    help: "write the repetition in an action, or start the other as a run of its own",
  }),
);

export const positionName = entry<At & { name: string; plain: string; decides: boolean }>(
  "name-by-position",
  "hint",
  {
    reason:
      "A node is named after the variable that its result is bound to, else after its action. A second one of the same name gets a number, which changes when another one is written before it; then runs that are under way do not fit the new definition.",
    bad: example({
      body: "await this.book(params.name);\nawait this.book(params.name);",
    }),
    good: example({
      returns: "string",
      body: "const first = await this.book(params.name);\nconst second = await this.book(first.id);\nreturn second.id;",
    }),
  },
  ({ at, name, plain, decides }) => ({
    message: `this node is named \`${name}\`, since another one is named \`${plain}\``,
    span: at,
    help: decides
      ? "bind the condition to a variable with a name of its own before"
      : "bind its result to a variable with a name of its own",
  }),
);

export const independentAwaits = entry<At & { first: string; second: string; other: Label }>(
  "independent-awaits",
  "hint",
  {
    reason:
      "An action starts when what was awaited before it has ended, also where it takes nothing from it: order is meaning, and the compiler never invents parallelism. Where the order is not meant, both can be started at once, and the run is as long as the longer of the two.",
    bad: example({
      returns: "string",
      body: 'const room = await this.book(params.name);\nconst hall = await this.book("hall");\nreturn room.id + hall.id;',
    }),
    good: example({
      returns: "string",
      body: 'const [room, hall] = await Promise.all([this.book(params.name), this.book("hall")]);\nreturn room.id + hall.id;',
    }),
  },
  ({ at, first, second, other }) => ({
    message: `\`${second}\` waits for \`${first}\`, and takes nothing from it`,
    span: at,
    others: [other],
    help: `if the order is not meant, start both at once: \`const [${first}, ${second}] = await Promise.all([…])\``,
  }),
);

export const crossing = entry<At & { what: string }>(
  "promise-crosses-boundary",
  "error",
  {
    reason:
      "What runs in a `try`, in a loop or for an item of a list is a graph of its own, with its own failure and its own end. A promise is awaited in the one in which it was started; else it would not be clear whose failure it is.",
    bad: example({
      body: "const booked = this.book(params.name);\ntry {\n  await booked;\n} catch {}\nawait booked;",
    }),
    good: example({ body: "try {\n  await this.book(params.name);\n} catch {}" }),
  },
  ({ at, what }) => ({
    message: `${what} is started outside of the \`try\`, loop or list in which it is awaited`,
    span: at,
    help: "start it where it is awaited",
  }),
);
