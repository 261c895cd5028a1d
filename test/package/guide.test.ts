/** docs/GUIDE.md is one program: it compiles, type-checks under TypeScript 7, and does what it says. */
import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project } from "../compiler/project.js";
import { codeBlocks } from "../markdown.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const jest = join(root, "node_modules/jest/bin/jest.js");
let project: Project;

beforeAll(() => {
  project = new Project();
  for (const name of ["vite", "esbuild", "vitest", "@jest"]) {
    symlinkSync(join(root, "node_modules", name), project.path(`node_modules/${name}`));
  }
  symlinkSync(join(root, "compiler"), project.path("node_modules/steno-compiler"));
  for (const { file, text, line } of codeBlocks(join(root, "docs/GUIDE.md"))) {
    if (file === undefined) throw new Error(`GUIDE.md:${line}: a block without a name`);
    // JSON has no comments, though configurations do.
    project.write(file, file.endsWith(".json") ? text.replace(/^\/\/.*\n/, "") : text);
  }
});
afterAll(() => project.remove());

function run(...args: readonly string[]): {
  readonly code: number | null;
  readonly output: string;
} {
  const env = { ...process.env, NO_COLOR: "1" };
  const [command = "", ...rest] = args;
  const { status, stdout, stderr } = spawnSync(join(root, "node_modules/.bin", command), rest, {
    cwd: project.folder,
    encoding: "utf8",
    env,
  });
  return { code: status, output: stdout + stderr };
}

test("it compiles, without an error or a hint", () => {
  const { code, stdout, stderr } = project.compile("src");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("compiled 2 sagas");
});

test("it type-checks", () => {
  expect(run("tsc", "--project", ".")).toEqual({ code: 0, output: "" });
});

test("it does what it says", () => {
  const { code, output } = run("tsx", "src/main.ts");
  expect(output.trim().split("\n")).toEqual([
    "settled 2, line carol-3, approved by dora",
    "undone: payments[poor]/charge: NoCredit: 99 short",
    "carol: your line: carol-3",
  ]);
  expect(code).toBe(0);
});

test("its test passes under node:test, and shows its table", () => {
  const tsx = join(root, "node_modules/tsx/dist/esm/index.mjs");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", tsx, "--test", "--test-reporter=spec", "src/transfer.test.ts"],
    { cwd: project.folder, encoding: "utf8" },
  );
  expect(stdout + stderr).toMatch(/Transfers\.transfer: \d{3} scenarios, 0 failed/);
  expect(stdout).toMatch(/payments\[\*\]\/charge/);
  expect(status).toBe(0);
});

/** Its test in the words of another framework, which has the same `test()`. */
function writeTest(name: string, framework: string): void {
  const text = readFileSync(project.path("src/transfer.test.ts"), "utf8");
  project.write(name, text.replace('"node:test"', `"${framework}"`));
}

test("its test passes under Vitest", () => {
  writeTest("src/transfer.vitest.test.ts", "vitest");
  const { code, output } = run(
    "vitest",
    "run",
    "--testTimeout=120000",
    "src/transfer.vitest.test.ts",
  );
  expect(output).toMatch(/Transfers\.transfer: \d{3} scenarios, 0 failed/);
  expect(code).toBe(0);
});

test("its test passes under Jest", () => {
  writeTest("src/transfer.jest.test.ts", "@jest/globals");
  // Jest has no TypeScript of its own.
  const built = run("tsc", "--project", ".", "--noEmit", "false", "--outDir", "out");
  expect(built).toEqual({ code: 0, output: "" });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--experimental-vm-modules",
      ...[jest, "--testTimeout=120000", "--testMatch", "**/out/src/*.jest.test.js"],
    ],
    { cwd: project.folder, encoding: "utf8" },
  );
  expect(stdout + stderr).toMatch(/Transfers\.transfer: \d{3} scenarios, 0 failed/);
  expect(stdout + stderr).toMatch(/1 passed, 1 total/);
  expect(status).toBe(0);
});

test("its build builds", () => {
  expect(run("tsx", "build.ts")).toEqual({ code: 0, output: "" });
});
