/**
 * The frontend on fixture folders: each `test/fixtures/saga/<name>/input.ts` gives the model that is
 * printed in `model.txt` beside it. `UPDATE=1` writes what is missing or different: read it then.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { load, lower, type Lowered } from "../../compiler/frontend/index.js";
import { printSource } from "./print-model.js";

const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));
const names = readdirSync(`${fixtures}saga`);

describe("a source is read into the model", () => {
  let lowered: Lowered;
  beforeAll(() => {
    const { program, diagnostics } = load({ paths: ["saga"], cwd: fixtures });
    expect(diagnostics).toEqual([]);
    if (program !== undefined) lowered = lower(program);
  });

  it("finds fixtures", () => {
    expect(names.length).toBeGreaterThan(30);
  });

  it.each(names)("%s", (name) => {
    const folder = `${fixtures}saga/${name}`;
    const found = lowered.diagnostics
      .filter(({ span }) => span?.file.startsWith(`${folder}/`))
      .map(({ severity, code, message }) => `${severity} ${code}: ${message}\n`);
    const source = lowered.sources.find(({ file }) => file === `${folder}/input.ts`);
    const printed = (source === undefined ? "" : printSource(source)) + found.join("");
    const expected = `${folder}/model.txt`;
    if (process.env["UPDATE"] === "1") writeFileSync(expected, printed);
    expect(existsSync(expected)).toBe(true);
    expect(printed).toBe(readFileSync(expected, "utf8"));
    expect(source).toBeDefined();
  });
});
