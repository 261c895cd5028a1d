/** One mistake gives one message, which says what to write. Whole sources; the pages are tested elsewhere. */
import { expect, test } from "vitest";
import { analyseProject } from "../../compiler/compile.js";
import { example } from "../../compiler/diagnostics/catalogue/example.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { Project } from "./project.js";

function errorsOf(text: string): (Diagnostic & { readonly at: string })[] {
  const project = new Project({ "rooms.ts": text });
  const { diagnostics } = analyseProject({ paths: [], cwd: project.folder });
  project.remove();
  return diagnostics
    .filter(({ severity }) => severity === "error")
    .map((each) => ({ ...each, at: text.slice(each.span?.start, each.span?.end) }));
}

const said = (text: string): string[] => errorsOf(text).map(({ code }) => code);

test("an action that is private is not missed by its undo, nor where it is called", () => {
  expect(said(example({}).replace("async book(", "private async book("))).toEqual(["member-shape"]);
  expect(said(example({}).replace("async cancel(", "private async cancel("))).toEqual([
    "member-shape",
  ]);
});

test("a type that cannot be stored is said once", () => {
  const dated = example({
    returns: "Room",
    body: "const room = await this.book(params.name);\nreturn room;",
  });
  expect(said(dated.replace("price: number", "price: () => Date"))).toEqual(["value-not-storable"]);
  const inline = dated.replaceAll(/Room\b(?=[>)])/g, "{ id: string; at: () => Date }");
  expect(said(inline.replaceAll("return this.desk.book(name)", "throw new Error(name)"))).toEqual([
    "value-not-storable",
  ]);
});

test("of what an action is given is told where the action says so, and not where it is computed", () => {
  const text = example({
    top: "export interface Held {\n  at: () => Date;\n}\nexport function held(): Held {\n  return { at: () => new Date() };\n}",
    body: "await this.keep(held());",
  }).replace(
    "  @saga",
    '  @action({ undo: "none" })\n  async keep(what: Held): Promise<void> {\n    void what;\n  }\n\n  @saga',
  );
  expect(errorsOf(text).map(({ code, at }) => [code, at])).toEqual([
    ["value-not-storable", "Held"],
  ]);
});

test("what an error keeps where nothing can bring it back is refused, an `accessor` like a `#field`", () => {
  const declaring = (field: string): string =>
    example({
      top: `export class Full extends Error {\n  ${field} = 1;\n}`,
      body: "await this.book(params.name);",
    }).replace("@action\n", "@action({ errors: [Full] })\n");
  expect(said(declaring("left"))).toEqual([]);
  expect(said(declaring("static accessor left"))).toEqual([]);
  for (const field of ["#left", "accessor left"]) {
    const errors = errorsOf(declaring(field));
    expect(errors.map(({ code }) => code)).toEqual(["error-class"]);
    expect(errors[0]?.message).toContain(`has the field \`${field}\``);
  }
});

test("what is written where it is changed is no recorded value", () => {
  const book = (made: string): string => `const made = ${made};\nawait this.book(made.name);`;
  const codes = (made: string): string[] => said(example({ body: book(made) }));
  expect(codes("Object.freeze({ name: params.name })")).toEqual([]);
  expect(codes('Object.assign({ name: params.name }, { id: "a" })')).toEqual([]);
  expect(codes("Object.freeze(params)")).toEqual(["mutation"]);
});

test("of two files that have a type of one name, each is told of its own", () => {
  const text = example({}).replace("price: number", "price: () => Date");
  const project = new Project({ "one.ts": text, "two.ts": text.replaceAll("Rooms", "Houses") });
  const { diagnostics } = analyseProject({ paths: [], cwd: project.folder });
  const files = diagnostics.map(({ code, span }) => [
    code,
    span?.file.slice(project.path("x").length - 1),
  ]);
  project.remove();
  expect(files).toEqual([
    ["value-not-storable", "one.ts"],
    ["value-not-storable", "two.ts"],
  ]);
});

test("what has a part of something broken is not emitted, and nothing is said of it", () => {
  const inside = (bad: string): string =>
    example({ top: bad, params: "params: Params" }).replace("params.name", '"x"');
  const holder = (body: string): string => `import { saga, start } from "steno-runtime";
import { Rooms } from "./rooms.js";
void start;

export class Trip {
  constructor(readonly rooms: Rooms) {}

  @saga
  async trip(): Promise<void> {
    ${body}
  }
}
`;
  const project = new Project({
    "rooms.ts": inside("export interface Params { at: { run: () => void } }"),
    "trip.ts": holder("await this.rooms.bookRoom({ at: { run: () => undefined } });"),
    "later.ts": holder(
      "await start(this.rooms.bookRoom, { at: { run: () => undefined } });",
    ).replaceAll("Trip", "Later"),
    "derived.ts": `import { Rooms } from "./rooms.js";

export class Derived extends Rooms {}
`,
    "alone.ts": example({}).replaceAll("Rooms", "Alone"),
  });
  const { diagnostics, sources } = analyseProject({ paths: [], cwd: project.folder });
  const found = diagnostics.filter(({ severity }) => severity === "error");
  const names = sources.map(({ file }) => file.slice(project.path("x").length - 1));
  project.remove();
  expect(found.map(({ code, span }) => [code, span?.file.endsWith("/rooms.ts")])).toEqual([
    ["value-not-storable", true],
  ]);
  expect(names).toEqual(["alone.ts"]);
});

test("an option that is not there is named, with the one that was meant", () => {
  const member = (options: string): string =>
    example({ members: `@action({ undo: "none", ${options} })\nasync tidy(): Promise<void> {}` });
  expect(errorsOf(member('timeOut: "30s"'))).toMatchObject([
    {
      code: "option-invalid",
      message: "there is no option `timeOut`",
      at: "timeOut",
      help: "write `timeout`",
    },
  ]);
  expect(errorsOf(member("retry: { attempts: 2, colour: 1 }"))).toMatchObject([
    { at: "colour", help: expect.stringContaining("`maxDelay`") },
  ]);
  expect(errorsOf(member('timeout: "3 parsecs"'))).toMatchObject([
    {
      at: '"3 parsecs"',
      help: 'write it as "500ms", "30s" or "5 minutes", or as a number of milliseconds',
    },
  ]);
});

test("what a variable stands for that was refused is not said again where it is used", () => {
  const body = (text: string): string => example({ body: text });
  expect(said(body("const self = this;\nawait self.book(params.name);"))).toEqual(["this-value"]);
  const using = 'using held = { id: "a", [Symbol.dispose]() {} };\nawait this.book(held.id);';
  expect(said(body(using))).toEqual(["statement-not-supported"]);
});

test("what a test tells is lost also where the test has a name, if it is evaluated once", () => {
  const top =
    "export type Bill = { paid: true; receipt: string } | { paid: false };\n" +
    "export function isPaid(bill: Bill): bill is Extract<Bill, { paid: true }> {\n  return bill.paid;\n}";
  const params = "params: { readonly bill: Bill }";
  const body =
    "const { bill } = params;\nconst paid = isPaid(bill);\nif (paid) await this.book(bill.receipt);";
  expect(said(example({ top, params, body }))).toEqual(["narrowing-lost"]);
  const plain = body.replace("isPaid(bill)", "bill.paid");
  expect(said(example({ top, params, body: plain }))).toEqual([]);
});

test("a property that there is not, which a comment hides from TypeScript, is not taken for a value", () => {
  const body = "// @ts-ignore\nawait this.book(params.nothing);";
  expect(said(example({ body }))).toEqual(["value-not-storable"]);
});
