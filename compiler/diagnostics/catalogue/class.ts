/** Messages about decorated classes: what can be an action, an undo, a saga. Not about method bodies. */
import type { Span } from "../../model.js";
import { entry, type Edit, type Label } from "../diagnostic.js";
import { example } from "./example.js";

interface OfMember {
  readonly at: Span;
  readonly name: string;
}

interface Mended {
  readonly fix?: readonly Edit[] | undefined;
}

const good = example({});

export const decoratorIndirect = entry<{ at: Span; marker: string }>(
  "decorator-indirect",
  "error",
  {
    reason:
      "The compiler knows a decorator by the symbol that its name stands for, through imports, re-exports and renaming. A decorator that comes out of a variable or an expression could be another one on each run, so the class has no static meaning.",
    bad: example({ top: "const act = action;", members: "@act\nasync clean(): Promise<void> {}" }),
    good: example({ members: '@action({ undo: "none" })\nasync clean(): Promise<void> {}' }),
  },
  ({ at, marker }) => ({
    message: `this decorator is \`${marker}\` of steno-runtime, but not by its imported name`,
    span: at,
    help: `import ${marker} from steno-runtime and write @${marker}; \`import { ${marker} as other }\` works, too`,
  }),
);

export const markerTwice = entry<OfMember & { first: string; second: string }>(
  "two-decorators",
  "error",
  {
    reason:
      "A method is an action, or the undo of one action, or a saga. The runtime calls each of these in its own way.",
    bad: example({
      members: '@action({ undo: "none" })\n@undo("book")\nasync both(room: Room): Promise<void> {}',
    }),
    good,
  },
  ({ at, name, first, second }) => ({
    message: `\`${name}\` is decorated with @${first} and with @${second}`,
    span: at,
    help: "keep one, and write a second method for the other",
  }),
);

export const memberShape = entry<
  OfMember & { marker: string; fault: string; help: string } & Mended
>(
  "member-shape",
  "error",
  {
    reason:
      "Actions, undos and sagas are called by the runtime, by name, on an object of the class, after a crash perhaps in another process. So they are public methods of the object: not static, not private, not overloaded, not generic, not generators, with a name that is written out.",
    bad: example({
      members: '@action({ undo: "none" })\nprivate async clean(): Promise<void> {}',
    }),
    good: example({ members: '@action({ undo: "none" })\nasync clean(): Promise<void> {}' }),
  },
  ({ at, name, marker, fault, help, fix }) => ({
    message: `the @${marker} method \`${name}\` is ${fault}`,
    span: at,
    help,
    fix,
  }),
);

export const notAsync = entry<OfMember & { marker: string; type: string } & Mended>(
  "not-async",
  "error",
  {
    reason:
      "Actions, undos and sagas are asynchronous: what they return is a Promise. Only so does a class that was not compiled behave like a compiled one.",
    bad: example({ members: '@action({ undo: "none" })\nclean(): void {}' }),
    good: example({ members: '@action({ undo: "none" })\nasync clean(): Promise<void> {}' }),
  },
  ({ at, name, marker, type, fix }) => ({
    message: `the @${marker} method \`${name}\` returns \`${type}\`, which is no Promise`,
    span: at,
    help: `write \`async ${name}(…): Promise<…>\``,
    fix,
  }),
);

export const classShape = entry<{ at: Span; name: string; fault: string; help: string } & Mended>(
  "class-shape",
  "error",
  {
    reason:
      "The generated module imports the class by name, to give its definition a type. So the class is a declaration at the top level of a module, has a name, has no type parameters, and is exported.",
    bad: example({}).replace("export class", "class"),
    good,
  },
  ({ at, name, fault, help, fix }) => ({
    message: `the class ${name} has actions or sagas and ${fault}`,
    span: at,
    help,
    fix,
  }),
);

export const optionNotStatic = entry<{ at: Span; what: string; text: string }>(
  "option-not-static",
  "error",
  {
    reason:
      "Options are part of the manifest, which is data that is known before anything runs. So they are written as literals, or as names of constants whose value is a literal.",
    bad: example({
      members:
        '@action({ undo: "none", retry: { attempts: Math.ceil(2.5) } })\nasync clean(): Promise<void> {}',
    }),
    good: example({
      members: '@action({ undo: "none", retry: { attempts: 3 } })\nasync clean(): Promise<void> {}',
    }),
  },
  ({ at, what, text }) => ({
    message: `${what} is \`${text}\`, which is not known at compile time`,
    span: at,
    help: "write a literal, or the name of a const that is a literal",
  }),
);

interface OptionInvalid extends Mended {
  readonly at: Span;
  readonly what: string;
  /** What its value must be; absent: there is no such option. */
  readonly must: string | undefined;
  /** What to write, if there is more to say than that. */
  readonly help?: string;
}

export const optionInvalid = entry<OptionInvalid>(
  "option-invalid",
  "error",
  {
    reason:
      "An option has a value that no run could obey: a number of attempts below one, a length of time that is not one, a name that is not known. It is better refused here than found out by the first run that fails.",
    bad: example({
      members: '@action({ undo: "none", retry: { attempts: 0 } })\nasync clean(): Promise<void> {}',
    }),
    good: example({
      members: '@action({ undo: "none", retry: { attempts: 1 } })\nasync clean(): Promise<void> {}',
    }),
  },
  ({ at, what, must, help, fix }) => ({
    message: must === undefined ? `there is no option ${what}` : `${what} must be ${must}`,
    span: at,
    help: help ?? `give ${what} ${must}`,
    fix,
  }),
);

export const undoMissing = entry<OfMember>(
  "undo-missing",
  "error",
  {
    reason:
      "When a later node fails, everything that ran is undone. An action that has no undo would be left behind without a word. Where there is nothing to undo, the action says so.",
    bad: example({ members: "@action\nasync clean(): Promise<void> {}" }),
    good: example({ members: '@action({ undo: "none" })\nasync clean(): Promise<void> {}' }),
  },
  ({ at, name }) => ({
    message: `the action \`${name}\` has no undo`,
    span: at,
    help: `write a method with @undo("${name}"), or say @action({ undo: "none" }) if nothing is to be undone`,
  }),
);

export const undoTwice = entry<OfMember & { action: string; other: Label }>(
  "undo-twice",
  "error",
  {
    reason:
      "An action has one undo, which takes back everything it did. With two, neither the order nor what is left if one of them fails would be defined.",
    bad: example({
      members:
        '@undo("book")\nasync cancelAgain(room: Room): Promise<void> {\n  await this.desk.cancel(room.id);\n}',
    }),
    good,
  },
  ({ at, name, action, other }) => ({
    message: `\`${name}\` is a second undo of \`${action}\``,
    span: at,
    others: [other],
    help: "make one undo that does both",
  }),
);

export const undoOfNoAction = entry<
  OfMember & { action: string; near: string | undefined } & Mended
>(
  "undo-of-no-action",
  "error",
  {
    reason:
      "`@undo` names the action that it undoes: a method of the same class, or of a class it extends, that is decorated with `@action`. An undo of anything else would never be called, and what it should undo would be left behind.",
    bad: example({
      undo: '@undo("bok")\nasync cancel(room: Room): Promise<void> {\n  await this.desk.cancel(room.id);\n}',
    }),
    good,
  },
  ({ at, name, action, near, fix }) => ({
    message: `\`${name}\` undoes \`${action}\`, which is no action of this class`,
    span: at,
    help: near === undefined ? "name a method that is decorated with @action" : `write "${near}"`,
    fix,
  }),
);

export const undoOfNone = entry<OfMember & { action: string; says: string; other: Label }>(
  "undo-of-none",
  "error",
  {
    reason:
      'An action with `undo: "none"` says that there is nothing to undo, and one with `pivot: true` that it will never be; a method that undoes it says the opposite. One of the two is a leftover, and only you know which.',
    bad: example({
      members:
        '@action({ undo: "none" })\nasync clean(): Promise<void> {}\n\n@undo("clean")\nasync soil(): Promise<void> {}',
    }),
    good: example({
      members:
        '@action\nasync clean(): Promise<void> {}\n\n@undo("clean")\nasync soil(): Promise<void> {}',
    }),
  },
  ({ at, name, action, says, other }) => ({
    message: `\`${name}\` undoes \`${action}\`, which says ${says}`,
    span: at,
    others: [other],
    help: `remove ${says} from \`${action}\`, or remove \`${name}\``,
  }),
);

export const undoInputMismatch = entry<{
  at: Span;
  message: string;
  label: string;
  other: Label;
  notes: readonly string[];
  help: string;
}>(
  "undo-input-mismatch",
  "error",
  {
    reason:
      'An undo is called with what its action returned and then with what its action was given. It may leave out parameters at the end, but must accept those values. With `{ when: "started" }` the action may not have returned, so that the first one may be undefined.',
    bad: example({
      undo: '@undo("book")\nasync cancel(id: string): Promise<void> {\n  await this.desk.cancel(id);\n}',
    }),
    good,
  },
  ({ at, message, label, other, notes, help }) => ({
    message,
    span: at,
    label,
    others: [other],
    notes,
    help,
  }),
);

export const undoOutput = entry<OfMember & { type: string }>(
  "undo-output",
  "error",
  {
    reason: "Nobody reads what an undo returns: no saga, no operator. A value there is a mistake.",
    bad: example({
      undo: '@undo("book")\nasync cancel(room: Room): Promise<string> {\n  return room.id;\n}',
    }),
    good,
  },
  ({ at, name, type }) => ({
    message: `the undo \`${name}\` returns \`${type}\``,
    span: at,
    help: "let it return Promise<void>",
  }),
);

export const undoNamedNone = entry<OfMember>(
  "undo-named-none",
  "error",
  {
    reason:
      'In the manifest `undo: "none"` means that there is nothing to undo, so no undo has that name. A method of that name would be taken for its opposite.',
    bad: example({
      undo: '@undo("book")\nasync none(room: Room): Promise<void> {\n  await this.desk.cancel(room.id);\n}',
    }),
    good,
  },
  ({ at }) => ({
    message: "an undo cannot be named `none`",
    span: at,
    help: "give the method another name",
  }),
);

export const sagaParameters = entry<OfMember & { count: number }>(
  "saga-parameters",
  "error",
  {
    reason:
      "A saga has one value that it is started with: its params. It is stored with the run, checked at start(), and shown to operators by the names of its properties.",
    bad: example({ params: "name: string, other: string", body: "await this.book(name + other);" }),
    good: example({}),
  },
  ({ at, name, count }) => ({
    message: `the saga \`${name}\` takes ${count === 1 ? "a rest parameter" : `${count} parameters`}`,
    span: at,
    help: "take one object, with a property for each",
  }),
);

export const exportName = entry<OfMember & { why: string }>(
  "export-name",
  "error",
  {
    reason:
      "The generated module exports each definition under its method's name, or under the last part of the name that `@saga({ name })` gives. Two of one name, or a reserved word, cannot be exported.",
    bad: example({}).replaceAll("bookRoom", "delete"),
    good: example({}),
  },
  ({ at, name, why }) => ({
    message: `the definition cannot be exported as \`${name}\`: ${why}`,
    span: at,
    help: 'give the saga a name with @saga({ name: "…" }), of which the last part is an identifier',
  }),
);

export const sagaNameTwice = entry<OfMember & { other: Label }>(
  "saga-name-twice",
  "error",
  {
    reason:
      "Stored runs find their saga by its name. Two sagas of one name in a project would pick up each other's runs.",
    bad: example({
      members:
        '@saga({ name: "Rooms.bookRoom" })\nasync other(params: { name: string }): Promise<void> {\n  await this.book(params.name);\n}',
    }),
    good: example({
      members:
        '@saga({ name: "Rooms.other" })\nasync other(params: { name: string }): Promise<void> {\n  await this.book(params.name);\n}',
    }),
  },
  ({ at, name, other }) => ({
    message: `there are two sagas named \`${name}\``,
    span: at,
    others: [other],
    help: "give one of them another name with @saga({ name })",
  }),
);
