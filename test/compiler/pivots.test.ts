/** The proof that nothing behind a pivot can undo it: programs that pass, and programs that are refused. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { analyseProject } from "../../compiler/compile.js";
import { Project } from "./project.js";

const source = (
  body: string,
): string => `import { action, each, event, saga, sleep, start, undo } from "steno-runtime";
export class Shop {
  readonly approval = event<string>();
  constructor(readonly other?: Shop) {}
  @action async take(what: string): Promise<string> { return what; }
  @undo("take") async put(what: string): Promise<void> { throw new Error(what); }
  @action({ pivot: true }) async pay(what: string): Promise<string> { return what; }
  @action({ pivot: true, retry: { attempts: "forever" } }) async payOn(what: string): Promise<string> { return what; }
  @action({ undo: "none", retry: { attempts: 9 } }) async tell(what: string): Promise<string> { return what; }
  @action({ undo: "none", retry: { attempts: "forever" } }) async ship(what: string): Promise<string> { return what; }
  @action({ undo: "none", onFailure: "pause" }) async thank(what: string): Promise<string> { return what; }
  @saga async paying(params: { a: string }): Promise<string> { return await this.pay(params.a); }
  @saga async telling(params: { a: string }): Promise<void> {
    await this.tell(params.a);
  }
  @saga async it(params: { a: string; list: string[] }): Promise<void> {
${body}
  }
}
`;

const after = "fails-after-pivot";
const beside = "fails-beside-pivot";
const p = "await this.pay(params.a);";
const t = "await this.tell(params.a);";

/** The body of the saga, and where what is refused stands in it. */
const programs: readonly [
  name: string,
  body: string,
  refused: readonly [code: string, at: string][],
][] = [
  ["nothing behind it", `${t}\n${p}`, []],
  [
    "forever and pause behind it",
    `${p}\nawait this.ship(params.a);\nawait this.thank(params.a);`,
    [],
  ],
  ["an action behind it", `${p}\n${t}`, [[after, "this.tell(params.a)"]]],
  [
    "one with an undo behind it",
    `${p}\nawait this.take(params.a);`,
    [[after, "this.take(params.a)"]],
  ],
  [
    "each that may fail",
    `${p}\n${t}\nawait this.take(params.a);`,
    [
      [after, "this.tell(params.a)"],
      [after, "this.take(params.a)"],
    ],
  ],
  [
    "far behind it",
    `${p}\nawait this.ship(params.a);\nawait sleep("1d");\n${t}`,
    [[after, "this.tell(params.a)"]],
  ],
  ["a second pivot", `${p}\nawait this.pay("b");`, [[after, 'this.pay("b")']]],
  ["a second pivot that goes on for ever", `${p}\nawait this.payOn("b");`, []],
  [
    "beside it",
    `await Promise.all([this.pay(params.a), this.tell("b")]);`,
    [[beside, 'this.tell("b")']],
  ],
  [
    "two beside each other",
    `await Promise.all([this.pay(params.a), this.payOn("b")]);`,
    [[beside, "this.pay(params.a)"]],
  ],
  [
    "begun before it and not waited for",
    `const told = this.tell("b");\n${p}\nawait told;`,
    [[beside, 'this.tell("b")']],
  ],
  ["begun before it and waited for", `const told = this.tell("b");\nawait told;\n${p}`, []],
  [
    "a throw behind it",
    `${p}\nif (params.a === "") throw new Error("no");`,
    [[after, 'throw new Error("no");']],
  ],
  ["a throw before it", `if (params.a === "") throw new Error("no");\n${p}`, []],
  ["the other arm", `if (params.a === "") {\n${p}\n} else {\n${t}\n}`, []],
  [
    "the other case",
    `switch (params.a) {\ncase "x":\n${p}\nbreak;\ncase "y":\n${t}\nbreak;\n}`,
    [],
  ],
  ["behind the branch", `if (params.a === "") {\n${p}\n}\n${t}`, [[after, "this.tell(params.a)"]]],
  ["behind an arm that returns", `if (params.a === "") {\n${p}\nreturn;\n}\n${t}`, []],
  ["in a try of its own", `${p}\ntry {\n${t}\n} catch {}`, []],
  [
    "in the catch behind it",
    `${p}\ntry {\nawait this.take("b");\n} catch {\n${t}\n}`,
    [[after, "this.tell(params.a)"]],
  ],
  ["in one try with it", `try {\n${p}\n${t}\n} catch {}`, [[after, "this.tell(params.a)"]]],
  ["behind the try that has it", `try {\n${p}\n} catch {}\n${t}`, [[after, "this.tell(params.a)"]]],
  ["in the catch of its try", `try {\n${p}\n} catch {\n${t}\n}`, []],
  [
    "a return out of its catch, and a throw there",
    `try {\n${p}\n} catch (error) {\n${t}\nthrow error;\n}\nawait this.ship("b");`,
    [],
  ],
  ["a loop", `for (const x of params.list) {\nawait this.pay(x);\n}`, [[after, "this.pay(x)"]]],
  [
    "a loop that tells before it",
    `for (const x of params.list) {\nawait this.tell(x);\nawait this.payOn(x);\n}`,
    [[after, "this.tell(x)"]],
  ],
  ["a loop that goes on for ever", `for (const x of params.list) {\nawait this.payOn(x);\n}`, []],
  [
    "a loop that tries",
    `for (const x of params.list) {\ntry {\nawait this.tell(x);\nawait this.pay(x);\n} catch {}\n}`,
    [],
  ],
  ["a map", `await Promise.all(params.list.map((x) => this.pay(x)));`, [[beside, "this.pay(x)"]]],
  ["a map that goes on for ever", `await Promise.all(params.list.map((x) => this.payOn(x)));`, []],
  [
    "behind a map",
    `await Promise.all(params.list.map((x) => this.payOn(x)));\n${t}`,
    [[after, "this.tell(params.a)"]],
  ],
  ["a saga that has it", `await this.paying({ a: "a" });\n${t}`, [[after, "this.tell(params.a)"]]],
  [
    "a saga behind it",
    `${p}\nawait this.telling({ a: "a" });`,
    [[after, 'this.telling({ a: "a" })']],
  ],
  ["a saga before it", `await this.telling({ a: "a" });\n${p}`, []],
  [
    "sagas beside each other",
    `await Promise.all([this.paying({ a: "a" }), this.telling({ a: "a" })]);`,
    [[beside, 'this.telling({ a: "a" })']],
  ],
  [
    "a wait with a limit behind it",
    `${p}\nawait this.approval.within("1d");`,
    [[after, 'this.approval.within("1d")']],
  ],
  ["a wait without one", `${p}\nawait this.approval;`, []],
  [
    "waited for in the arm that has it",
    `const told = this.tell("b");\nif (params.a === "") {\nawait told;\n${p}\n} else {\nawait told;\n}`,
    [],
  ],
  [
    "waited for in one arm, and it in the other",
    `const told = this.tell("b");\nif (params.a === "") {\nawait told;\n} else {\n${p}\n}\nawait told;`,
    [[beside, 'this.tell("b")']],
  ],
  [
    "waited for behind a condition, and it behind the same",
    `const told = this.tell("b");\nconst c = params.a === "";\nif (c) {\nawait told;\n}\nif (c) {\n${p}\n}\nawait told;`,
    // Two decisions, of which nobody knows that they are the same.
    [[beside, 'this.tell("b")']],
  ],
  [
    "a map that is held",
    `const told = Promise.all(params.list.map((x) => this.tell(x)));\n${p}\nawait told;`,
    [[beside, "this.tell(x)"]],
  ],
  [
    "a map that was held, and has ended",
    `const told = Promise.all(params.list.map((x) => this.tell(x)));\nawait told;\n${p}`,
    [],
  ],
  [
    "a list with a limit behind it",
    `${p}\nawait each(params.list, { concurrency: 2 }, (x) => this.tell(x));`,
    [[after, "this.tell(x)"]],
  ],
  [
    "it in a list of one at a time",
    `await each(params.list, { concurrency: 1 }, (x) => this.pay(x));`,
    [[beside, "this.pay(x)"]],
  ],
  [
    "a list with a limit that goes on for ever",
    `await each(params.list, { concurrency: 2 }, (x) => this.payOn(x));\nawait this.ship("b");`,
    [],
  ],
  ["a run of its own behind it", `${p}\nawait start(this.telling, { a: "a" });`, []],
  [
    "the result of a run of its own behind it",
    `${p}\nawait start(this.paying, { a: "a" }).result();`,
    [],
  ],
  [
    "a saga behind it that may be missing",
    `${p}\nawait this.other?.telling({ a: "a" });`,
    [[after, 'this.other?.telling({ a: "a" })']],
  ],
  [
    "a saga that may be missing, and has it",
    `await this.other?.paying({ a: "a" });\n${t}`,
    [[after, "this.tell(params.a)"]],
  ],
  ["computed values behind it", `${p}\nawait this.ship(JSON.parse(params.a) as string);`, []],
];

let project: Project;
let found: ReturnType<typeof analyseProject>;
beforeAll(() => {
  project = new Project(
    Object.fromEntries(
      programs.map(([, body], index) => [
        `p${index}.ts`,
        // In a project each saga has a name of its own.
        source(body).replace(/@saga async (\w+)/g, `@saga({ name: "P${index}.$1" }) async $1`),
      ]),
    ),
  );
  found = analyseProject({ paths: [], cwd: project.folder });
});
afterAll(() => project.remove());

test.each(programs.map((program, index) => [program[0], index] as const))("%s", (_, index) => {
  const [, body, refused] = programs[index] as (typeof programs)[number];
  const file = project.path(`p${index}.ts`);
  const text = project.read(`p${index}.ts`);
  const errors = found.diagnostics
    .filter(({ severity, span }) => severity === "error" && span?.file === file)
    .map(({ code, span }) => [code, text.slice(span?.start, span?.end)]);
  expect(errors, body).toEqual(refused);
});
