/** docs/GUIDE.md is one program: it compiles, type-checks under TypeScript 7, and does what it says. */
import { spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project } from "../compiler/project.js";
import { codeBlocks } from "../markdown.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
let project: Project;

beforeAll(() => {
  project = new Project();
  for (const name of ["vite", "esbuild"]) {
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

test("its build builds", () => {
  expect(run("tsx", "build.ts")).toEqual({ code: 0, output: "" });
});
