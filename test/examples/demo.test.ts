/** The demo does what it promises, as the command that the README names; and what is committed is current. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function run(
  command: string,
  args: readonly string[],
  cwd: string,
): { status: number | null; out: string } {
  // As in CI, where nothing is a terminal; the runner of these tests may ask for colours by itself.
  const env = { ...process.env, CI: "true", FORCE_COLOR: undefined };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  return { status, out: stdout + stderr };
}

test("the demo runs to its end, and shows each act", () => {
  const { status, out } = run("npm", ["run", "demo"], root);
  expect(out).toMatch(/kill -9/);
  expect(out.match(/at the booking server/g)).toHaveLength(4);
  expect(out.match(/cancelled +(payment|hotel|flight)-\d/g)).toHaveLength(3);
  // Colours are for terminals.
  expect(out).not.toContain("\u001b[");
  expect(status).toBe(0);
}, 300_000);

describe.each(["trip", "provision"])("examples/%s", (name) => {
  test("its generated modules are current", () => {
    const compiler = join(root, "compiler/bin/steno-compile.js");
    const { status, out } = run(
      process.execPath,
      [compiler, "--check"],
      join(root, "examples", name),
    );
    expect(out).not.toMatch(/error/);
    expect(status).toBe(0);
  });
});
