/**
 * The catalogue of messages: one name in five places, and pages whose examples are true. `UPDATE=1`
 * writes `docs/ERRORS.md` and the expected frames of `test/fixtures/diagnostics`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { analyseProject, type Analysed } from "../../compiler/compile.js";
import { catalogue } from "../../compiler/diagnostics/catalogue/index.js";
import { internal } from "../../compiler/diagnostics/catalogue/project.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { errorsPage, explain } from "../../compiler/diagnostics/explain.js";
import { toText } from "../../compiler/diagnostics/text.js";
import { greeter, needyGreeter, Project } from "./project.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const fixtures = join(root, "test/fixtures/diagnostics");
const page = join(root, "docs/ERRORS.md");
const update = process.env["UPDATE"] === "1";
const codes = [...catalogue.keys()];
/** A fault of ours has no example: if we knew one, we would mend it. */
const WITHOUT_EXAMPLE = "internal";

const isSource = (text: string): boolean => text.includes("\n");
const sourceCodes = codes.filter((code) => isSource(catalogue.get(code)?.page.bad ?? ""));
const commandCodes = codes.filter(
  (code) => !sourceCodes.includes(code) && code !== WITHOUT_EXAMPLE,
);

/** Every page's examples, each a folder of one project; `no-saga` is about a project as a whole. */
let project: Project;
let analysed: Analysed;
beforeAll(() => {
  project = new Project();
  for (const code of sourceCodes.filter((code) => code !== "no-saga")) {
    const { bad = "", good = "" } = catalogue.get(code)?.page ?? {};
    project.write(`${code}/bad.ts`, bad);
    project.write(`${code}/good.ts`, good);
  }
  analysed = analyseProject({ paths: [], cwd: project.folder });
});
afterAll(() => project.remove());

function diagnosticsOf(file: string): Diagnostic[] {
  // Each example declares a saga of the same name: that is not what they are about.
  return analysed.diagnostics.filter(
    ({ span, code }) => span?.file === project.path(file) && !isClash(code, file),
  );
}
const isClash = (code: string, file: string): boolean =>
  code === "saga-name-twice" && !file.startsWith("saga-name-twice/bad");

function holdFrame(code: string, text: string): void {
  const expected = join(fixtures, code, "expected.txt");
  if (update) {
    mkdirSync(join(fixtures, code), { recursive: true });
    writeFileSync(expected, text);
  }
  expect(text).toBe(readFileSync(expected, "utf8"));
}

describe("one name in five places", () => {
  test("there is a catalogue", () => expect(codes.length).toBeGreaterThan(20));

  test.each(codes)("%s", (code) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    const explained = explain(code);
    expect("text" in explained && explained.text).toMatch(
      new RegExp(`^(error|warning|hint)\\[${code}\\]\\n`),
    );
    expect(readFileSync(page, "utf8")).toContain(`\n## ${code}\n`);
    expect(existsSync(join(fixtures, code)), `test/fixtures/diagnostics/${code}`).toBe(true);
  });

  test("no folder and no heading is of a code that is gone", () => {
    expect(readdirSync(fixtures).sort()).toEqual([...codes].sort());
    const headings = [...readFileSync(page, "utf8").matchAll(/^## (.+)$/gm)].map(
      ([, code]) => code,
    );
    expect(headings).toEqual(codes);
  });

  test("docs/ERRORS.md is what the catalogue gives", async () => {
    const text = await format(errorsPage(), { parser: "markdown", printWidth: 100 });
    if (update) writeFileSync(page, text);
    expect(readFileSync(page, "utf8")).toBe(text);
  });

  test("a page teaches: two sentences at least", () => {
    for (const code of codes) {
      const sentences = (catalogue.get(code)?.page.reason ?? "").split(/[.!?](?:\s|$)/).length - 1;
      expect(sentences, code).toBeGreaterThanOrEqual(2);
    }
  });
});

describe("the bad example fails with its code, and only it", () => {
  test.each(sourceCodes.filter((code) => code !== "no-saga"))("%s", (code) => {
    const found = diagnosticsOf(`${code}/bad.ts`);
    expect(new Set(found.map((each) => each.code))).toEqual(new Set([code]));
    const frames = found.map((each) =>
      toText(each, { places: analysed.places, cwd: project.folder, colour: false }),
    );
    holdFrame(code, `${frames.join("\n\n")}\n`);
  });
});

test.each(sourceCodes.filter((code) => code !== "no-saga"))(
  "the good example of %s passes",
  (code) => {
    expect(diagnosticsOf(`${code}/good.ts`).map((each) => `${each.code}: ${each.message}`)).toEqual(
      [],
    );
  },
);

/** What the command lines on the pages are run on. */
function commandProject(): Project {
  const legacy = { compilerOptions: { experimentalDecorators: true, strict: true } };
  const loose = { compilerOptions: { strict: false } };
  return new Project({
    "src/book-trip.ts": greeter(),
    "needs-agency.ts": needyGreeter().replaceAll("Greeter", "Needy"),
    "has-worker.ts": needyGreeter().replaceAll("Greeter", "Served"),
    "has-worker.worker.ts":
      'import { Served } from "./has-worker.js";\nimport { greeter } from "./has-worker.saga.js";\n\nexport default [greeter.on(new Served("!"))];\n',
    "lost.ts": greeter("Lost").replace(
      "\n\n",
      '\n// @ts-expect-error: it is not there\nimport "not-installed";\n\n',
    ),
    "native.ts": greeter("Native").replace("\n\n", '\nimport "native-thing";\n\n'),
    "node_modules/native-thing/package.json": '{ "name": "native-thing", "main": "index.js" }',
    "node_modules/native-thing/index.js": 'require("./thing.node");\n',
    "node_modules/native-thing/thing.node": "\u0000",
    "node_modules/native-thing/index.d.ts": "export {};\n",
    "legacy/tsconfig.json": JSON.stringify(legacy),
    "legacy/one.ts": "export {};\n",
    "loose/tsconfig.json": JSON.stringify(loose),
    "loose/one.ts": "export {};\n",
    "broken.json": "{ nonsense",
  });
}

describe.each(commandCodes)("the command lines of %s", (code) => {
  test("the bad one fails with the code, the good one passes", () => {
    const { bad = "", good = "" } = catalogue.get(code)?.page ?? {};
    const made = commandProject();
    try {
      const failed = made.shell(bad);
      expect(failed.stderr).toContain(`error[${code}]`);
      expect(failed.code).not.toBe(0);
      holdFrame(code, failed.stderr.replaceAll(made.folder, "/project"));
      const passed = made.shell(good);
      expect(passed.stderr).toBe("");
      expect(passed.code).toBe(0);
    } finally {
      made.remove();
    }
  });
});

test("no-saga: a project without one, and with one", () => {
  const { bad = "", good = "" } = catalogue.get("no-saga")?.page ?? {};
  const found = [bad, good].map((text) => {
    const made = new Project({ "src/greeting.ts": text });
    const { diagnostics, places } = analyseProject({ paths: [], cwd: made.folder });
    made.remove();
    return diagnostics.map((each) => toText(each, { places, cwd: made.folder, colour: false }));
  });
  holdFrame("no-saga", `${found[0]?.join("\n\n")}\n`);
  expect(found[0]).toHaveLength(1);
  expect(found[0]?.[0]).toContain("error[no-saga]");
  expect(found[1]).toEqual([]);
});

test("a fault of our own looks different", () => {
  const fault = internal({ at: undefined, what: "the saga BookTrip.bookTrip", trace: "Error: oh" });
  const { places } = analysed;
  holdFrame(WITHOUT_EXAMPLE, `${toText(fault, { places, cwd: "/", colour: false })}\n`);
  expect(toText(fault, { places, cwd: "/", colour: false })).toMatch(/^internal\[internal\]: /);
});
