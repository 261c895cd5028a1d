/** What may stand behind `output` of an action, and what the compiler says of the rest. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { analyseProject, type Analysed } from "../../compiler/compile.js";
import { Project } from "./project.js";

/** What is given, what the method returns; then the code that is said, at the text in the source. */
type Case = readonly [output: string, returns: string, code?: string, at?: string];

const CASES: Readonly<Record<string, Case>> = {
  exported: ["Room", "Room"],
  "a property": ["schemas.inner.Tag", "string"],
  "of a module": ["all.Tag", "string"],
  "the default export": ["Default", "string"],
  wider: ["Room", "Room | undefined"],
  "nothing is said": ["Room", "unknown"],
  any: ["Room", "any"],
  transforms: ["Length", "number"],
  "of valibot": ["Count", "number"],
  "an object's own": ["hand", "Date"],
  "in parentheses": ["(Room)", "Room"],

  "before the transform": ["Length", "string", "output-schema-mismatch", "Length"],
  narrower: ["Room", "{ id: string; floor: number }", "output-schema-mismatch", "Room"],
  kept: ["kept", "string", "not-exported", "kept"],
  "in place": ["z.string()", "string", "output-schema", "z.string()"],
  "a call": ["make(Room)", "Room", "output-schema", "make(Room)"],
  "no schema": ["Plain", "string", "output-schema", "Plain"],
  "no types": ["untyped", "string", "output-schema", "untyped"],
  "a class": ["Box", "Boxed", "value-not-storable", "Box"],
  "a function inside": ["Deep", "{ a: { run: () => void } }", "value-not-storable", "Deep"],
};

const program = ([output, returns]: Case): string => `import { action, saga } from "steno-runtime";
import { z } from "zod";
import { Count, Tag } from "../schemas.js";
import * as all from "../schemas.js";
import Default from "../schemas.js";

export const Room = z.object({ id: z.string(), nights: z.number().optional() });
export type Room = z.infer<typeof Room>;
export const Length = z.string().transform((text) => text.length);
export const schemas = { inner: { Tag } };
const kept = z.string();
export const Plain = { validate: () => true };
export class Boxed { run(): void {} }
export const Box = z.instanceof(Boxed);
export const Deep = z.object({ a: z.object({ run: z.custom<() => void>() }) });
export const make = <T>(schema: T): T => schema;
export const untyped = { "~standard": { version: 1, vendor: "me", validate: (value: unknown) => ({ value }) } } as const;
export const hand = { "~standard": { version: 1, vendor: "me", validate: () => ({ value: new Date() }) } } as unknown as {
  readonly "~standard": { readonly version: 1; readonly vendor: string; readonly types?: { readonly input: unknown; readonly output: Date };
  readonly validate: (value: unknown) => { value: Date } } };
void [Count, all, Default, kept];

export class Program {
  @action({ undo: "none", output: ${output} })
  async read(): Promise<${returns}> {
    return JSON.parse("1");
  }
  @saga
  async main(): Promise<void> {
    await this.read();
  }
}
`;

let project: Project;
let analysed: Analysed;
beforeAll(() => {
  project = new Project({
    "schemas.ts":
      'import * as v from "valibot";\nexport const Count = v.number();\nexport const Tag = v.string();\nexport default Tag;\n',
  });
  for (const [name, each] of Object.entries(CASES)) {
    project.write(`${name.replaceAll(/\W/g, "-")}/program.ts`, program(each));
  }
  analysed = analyseProject({ paths: [], cwd: project.folder });
});
afterAll(() => project.remove());

test.each(Object.entries(CASES))("%s", (name, [, , code, at]) => {
  const file = `${name.replaceAll(/\W/g, "-")}/program.ts`;
  const found = analysed.diagnostics.filter(
    (each) =>
      each.span?.file === project.path(file) &&
      each.code !== "saga-name-twice" &&
      // A schema without types is no Standard Schema for tsc either; ours comes first.
      !(each.code === "typescript" && code !== undefined),
  );
  const text = project.read(file);
  expect(found.map((each) => [each.code, text.slice(each.span?.start, each.span?.end)])).toEqual(
    code === undefined ? [] : [[code, at]],
  );
});

test("the path to what cannot be stored is said, and an export is offered as a fix", () => {
  const of = (name: string): (typeof analysed.diagnostics)[number] | undefined =>
    analysed.diagnostics.find(
      ({ span, code }) =>
        span?.file === project.path(`${name}/program.ts`) && code !== "saga-name-twice",
    );
  expect(of("a-function-inside")?.message).toBe(
    "the output of `read` cannot be stored: Deep.a.run is a function",
  );
  expect(of("kept")?.fix?.[0]?.text).toBe("export ");
});

test("only an action has an output", () => {
  const undo = new Project({
    "one.ts": program(CASES["exported"] as Case)
      .replaceAll("../schemas.js", "./schemas.js")
      .replace('@action({ undo: "none",', '@action({ undo: "none", retry: { attempts: 1,')
      .replace("output: Room })", "output: Room } })"),
    "schemas.ts": "export const Count = 1;\nexport const Tag = 1;\nexport default Tag;\n",
  });
  const found = analyseProject({ paths: [], cwd: undo.folder }).diagnostics;
  undo.remove();
  expect(found.map(({ code, message }) => `${code}: ${message}`)).toContainEqual(
    expect.stringMatching(/^option-invalid: .*`output`/),
  );
});
