/** What people try to store is refused at its declaration, with what to write instead. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { analyseProject, type Analysed } from "../../compiler/compile.js";
import { example } from "../../compiler/diagnostics/catalogue/example.js";
import { Project } from "./project.js";

const TRIED: readonly (readonly [type: string, is: string, help: string])[] = [
  [
    "Response",
    "it is a Response",
    "read it in the action, and return what it holds, with its type",
  ],
  ["{ body: Buffer }", "try.body is a Buffer", "write `Uint8Array`: every Buffer is one"],
  ["any", "it is `any`", "write its type; a schema of your own can check the output"],
  ["Record<string, unknown>", "try[…] is `unknown`", "write its type; a schema of your own"],
  ["{ ok: true } | { error: Error }", "try.error is an Error", "throw it, and declare its class"],
  ["Row[]", "try[] is an object of the class Row", "store what it is made of, as an interface"],
  ["{ signal: AbortSignal }", "try.signal is an AbortSignal", "take `actionContext().signal`"],
  ["RegExpExecArray | null", "it is a RegExpExecArray", "take what is needed out of it"],
  ["{ later: Promise<void> }[]", "try[].later is a Promise<void>", "await it in the action"],
  [
    "{ meta: {} }",
    "try.meta is `{}`, of which nothing is known",
    "write what it has, as an interface",
  ],
  [
    "Map<string, () => void>",
    "try.values() is a function",
    "leave it out, and call it in the action",
  ],
];

let project: Project;
let analysed: Analysed;
beforeAll(() => {
  project = new Project();
  for (const [index, [type]] of TRIED.entries()) {
    const members = `@action({ undo: "none" })\nasync try(): Promise<${type}> {\n  throw new Error();\n}`;
    const text = example({ top: "export class Row {\n  save(): void {}\n}", members });
    project.write(`t${index}/rooms.ts`, text);
  }
  const events = "readonly paid = event<() => void>();";
  const body = "await this.book(params.name);\nawait this.paid;";
  project.write(
    "event/rooms.ts",
    example({ members: events, body }).replace("action,", "action, event,"),
  );
  analysed = analyseProject({ paths: [], cwd: project.folder });
});
afterAll(() => project.remove());

const saidOf = (folder: string): Analysed["diagnostics"] =>
  analysed.diagnostics.filter(
    ({ span, code }) =>
      span?.file === project.path(`${folder}/rooms.ts`) && code !== "saga-name-twice",
  );

test.each(TRIED.map((each, index) => [each[0], index] as const))("%s", (_, index) => {
  const [type, is, help] = TRIED[index] as (typeof TRIED)[number];
  const [found, ...more] = saidOf(`t${index}`);
  expect(more).toEqual([]);
  expect(found?.message).toBe(`the output of \`try\` cannot be stored: ${is}`);
  expect(found?.help).toContain(help);
  const { start, end } = found?.span ?? { start: 0, end: 0 };
  expect(project.read(`t${index}/rooms.ts`).slice(start, end)).toBe(`Promise<${type}>`);
});

test("an event is refused where it is declared", () => {
  const [found, ...more] = saidOf("event");
  expect(more).toEqual([]);
  const text = project.read("event/rooms.ts");
  expect(text.slice(found?.span?.start, found?.span?.end)).toBe(
    "readonly paid = event<() => void>();",
  );
  expect(found?.others.map(({ span }) => text.slice(span.start, span.end))).toEqual(["this.paid"]);
});
