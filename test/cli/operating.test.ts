/** Holds docs/OPERATING.md to the command: each line is one that it takes, each reason is explained. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hold, HoldReason } from "steno-runtime";
import { expect, test } from "vitest";
import { codeBlocks } from "../markdown.js";
import { emptyFolder, steno } from "./steno.js";

const page = join(import.meta.dirname, "../../docs/OPERATING.md");

/** A reason that is added is missing here, and then in the page. */
const REASONS: Readonly<Record<Hold["reason"] | HoldReason, true>> = {
  ...{ paused: true, breakpoint: true, "crash-loop": true, stuck: true, "undo-failed": true },
  ...{ "in-doubt": true, "action-failed": true, "waiting-retry": true, "waiting-timer": true },
  ...{ "waiting-event": true, "waiting-run": true, "waiting-limit": true },
  ...{ "definition-missing": true, "corrupt-log": true, "not-recoverable": true },
  "no-coordinator": true,
};

test("every reason is explained, and no other", () => {
  const rows = readFileSync(page, "utf8").matchAll(/^\| `([a-z-]+)` +\|/gm);
  expect([...rows].map(([, reason]) => reason).sort()).toEqual(Object.keys(REASONS).sort());
});

test("every command line is one that `steno` takes", async () => {
  const lines = codeBlocks(page).flatMap(({ text }) => text.trim().split("\n"));
  expect(lines.length).toBeGreaterThan(10);
  const folder = emptyFolder();
  const tried = lines.map(async (line) => {
    const [program, ...args] = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? "",
    );
    expect(program).toBe("steno");
    // It comes as far as the store, which is not there.
    const { status, stderr } = await steno(folder, args);
    expect(status, line).toBe(2);
    expect(stderr, line).toMatch(/^error\[store-missing\]/);
  });
  await Promise.all(tried);
});
