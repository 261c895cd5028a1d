/**
 * What is emitted for the fixture folders: `test/fixtures/saga/<name>/input.ts` gives `manifest.json`
 * and `input.saga.ts` beside it, and all of the latter type-check under both TypeScripts with every
 * strict option. `UPDATE=1` writes what is missing or different: read it then.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Project, ts } from "ts-morph";
import { beforeAll, describe, expect, test } from "vitest";
import { analyseProject, type Analysed } from "../../compiler/compile.js";
import { format } from "../../compiler/emit/format.js";
import { manifestOf } from "../../compiler/emit/manifest.js";
import { printModule } from "../../compiler/emit/module.js";

const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));
const names = readdirSync(`${fixtures}saga`);
const strict = `${fixtures}tsconfig.strict.json`;
const update = process.env["UPDATE"] === "1";

let analysed: Analysed;
beforeAll(() => {
  analysed = analyseProject({ paths: ["saga"], cwd: fixtures });
});

describe("what is emitted", () => {
  test.each(names)("%s", async (name) => {
    const folder = `${fixtures}saga/${name}`;
    const source = analysed.sources.find(({ file }) => file === `${folder}/input.ts`);
    if (source === undefined) throw new Error(`${name} gave no model`);
    const manifests = source.sagas.map((saga) => manifestOf(saga));
    hold(`${folder}/manifest.json`, `${JSON.stringify(manifests, null, 2)}\n`);
    const text = await format(printModule(source));
    hold(`${folder}/input.saga.ts`, text);
    // Formatting what is formatted changes nothing.
    expect(await format(text)).toBe(text);
  });
});

function hold(file: string, text: string): void {
  if (update) writeFileSync(file, text);
  expect(existsSync(file), file).toBe(true);
  expect(text).toBe(readFileSync(file, "utf8"));
}

describe("generated modules type-check with every strict option", () => {
  const generated = names.map((name) => `saga/${name}/input.saga.ts`);

  test("under TypeScript 7", () => {
    const tsc = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));
    let output: string;
    try {
      output = execFileSync(tsc, ["-p", strict, "--listFiles"], {
        cwd: fixtures,
        encoding: "utf8",
      });
    } catch (error) {
      output = (error as { readonly stdout: string }).stdout;
    }
    for (const file of generated) expect(output).toContain(`${fixtures}${file}`);
    // The fixtures themselves have parameters that nobody reads: only what we wrote is held to this.
    expect(output.split("\n").filter((line) => /\.saga\.ts\(.*error/.test(line))).toEqual([]);
  });

  test("under TypeScript 6, which is inside ts-morph", () => {
    const program = new Project({ tsConfigFilePath: strict }).getProgram().compilerObject;
    const errors = generated.flatMap((file) => {
      const source = program.getSourceFile(`${fixtures}${file}`);
      expect(source, file).toBeDefined();
      return [
        ...program.getSemanticDiagnostics(source),
        ...program.getDeclarationDiagnostics(source),
        ...program.getSyntacticDiagnostics(source),
      ].map(({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
    });
    expect(errors).toEqual([]);
  });
});
