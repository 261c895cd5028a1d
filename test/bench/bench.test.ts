/** The benchmarks' command: what it prints for programs. Not how fast anything is: that is for quiet machines. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function bench(...args: string[]): { readonly status: number | null; readonly out: string } {
  const npm = ["run", "bench", "--silent", "--", ...args];
  const { status, stdout, stderr } = spawnSync("npm", npm, { cwd: root, encoding: "utf8" });
  return { status, out: status === 0 ? stdout : stderr };
}

test("--json prints one object a line, for the benchmarks that were named", () => {
  const { status, out } = bench("--json", "memory-throughput");
  expect(status).toBe(0);
  const lines = out.trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toEqual({
    name: "memory-throughput",
    value: expect.any(Number) as number,
    unit: "ms",
    limit: 110,
    ratio: expect.any(Number) as number,
    target: "<= 1",
    ok: expect.any(Boolean) as boolean,
  });
});

test("a name that fits no benchmark is an error that lists them", () => {
  const { status, out } = bench("nonsense");
  expect(status).toBe(2);
  expect(out).toContain("durable-chain");
});
