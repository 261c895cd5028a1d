/** Command lines and bundles that are malformed or malicious: one clear message, and nothing is written or run. */
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { emptyFolder, steno } from "./steno.js";

const LINES: readonly (readonly string[])[] = [
  ["show", "../../etc/passwd", "--store", "missing.db"],
  ["list", "--store", "not-a-store.db"],
  ["list", "--store", "."],
  ["log", "__proto__", "--store", "not-a-store.db"],
  [
    "settle",
    "r",
    "constructor",
    "--store",
    "missing.db",
    "--output",
    '{"__proto__":{"polluted":1}}',
  ],
  ["send", "r", "$(touch pwned)", "--store", "missing.db"],
  ["list", "--store", "missing.db", "--limit", "1e99"],
  ["run", "broken.mjs", "--store", "new.db"],
  ["run", "no-saga.mjs", "--store", "new.db"],
  ["run", "https://example.invalid/x.mjs", "--store", "new.db"],
  // Of the one, opening would wait for ever; of the other, reading.
  ["run", "pipe.mjs", "--store", "new.db"],
  ["run", "/dev/zero", "--store", "new.db"],
  ["run", "trap.mjs", "--store", "new.db"],
  ["'; DROP TABLE runs; --"],
];

test("each is refused with a message of its own, and leaves nothing behind", async () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, "not-a-store.db"), "x".repeat(5000));
  writeFileSync(join(folder, "broken.mjs"), "this is { not a module");
  writeFileSync(join(folder, "no-saga.mjs"), "export const x = { manifest: { __proto__: null } };");
  execFileSync("mkfifo", [join(folder, "pipe.mjs")]);
  const trap = "new Proxy({}, { get() { throw new Error('looked at'); } })";
  writeFileSync(join(folder, "trap.mjs"), `export default [${trap}];`);
  const before = readdirSync(folder).sort();
  for (let first = 0; first < LINES.length; first += 4) {
    const some = LINES.slice(first, first + 4);
    const ends = await Promise.all(some.map((line) => steno(folder, line)));
    for (const [place, { status, stderr }] of ends.entries()) {
      const line = some[place];
      expect([line, status]).toEqual([line, 2]);
      expect([line, stderr.trim().length > 20]).toEqual([line, true]);
      expect(stderr).not.toContain("internal");
      // A message, and no trace of ours.
      expect(stderr).not.toMatch(/\n\s+at .*(runtime\/|dist\/)/);
    }
  }
  expect(readdirSync(folder).sort()).toEqual(before);
});
