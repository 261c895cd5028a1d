/**
 * The table of doubt in `docs/GUARANTEES.md`, cell by cell against the machine: each kind of undo, each
 * way to have no answer, with attempts left and without, alone and beside a failure; and what becomes
 * of each then, when the node comes to a definite end.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { doubtOf, failureOf } from "../../runtime/machine/holding.js";
import { makePlan } from "../../runtime/machine/plan.js";
import { retryDoubtAt } from "../../runtime/machine/verdict.js";
import { parseManifest } from "../../runtime/manifest.js";
import { placeOf } from "../../runtime/state.js";
import { describeState, Host } from "./host.js";
import { parseGraph } from "./parse-graph.js";

const FLAGS: Readonly<Record<string, string>> = {
  "an undo": "",
  '`when: "started"`': "started",
  '`"none"`': "none",
  'an undo, `onFailure: "pause"`': "pause",
  '`"started"`, `onFailure: "pause"`': "started pause",
  '`"none"`, `onFailure: "pause"`': "none pause",
  "`pivot: true`": "pivot",
};

const page = readFileSync(join(import.meta.dirname, "../../docs/GUARANTEES.md"), "utf8");
const table = page.slice(page.lastIndexOf("\n", page.indexOf("| undo ")) + 1).split("\n");
const [head = [], , ...rows] = table
  .slice(
    0,
    table.findIndex((line) => !line.includes("|")),
  )
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const cells = rows.flatMap(([kind = "", ...row]) =>
  row.map((expected, column) => [kind, head[column + 1] ?? "", expected] as const),
);

const at = 0;
const chance = { now: 0, random: () => 0 };
const value = '"timeout"';

/** `x` runs beside `b`, after `a`; its first attempt of `attempts` ends without an answer. */
function inDoubt(kind: string, how: string, attempts: number): Host {
  const { manifest, choose } = parseGraph(["a", `x ${FLAGS[kind]} retry=${attempts} < a`, "b < a"]);
  const plan = makePlan(parseManifest(manifest));
  let host = new Host(plan, choose);
  host.tell({ type: "succeeded", at, node: "a", attempt: 1 });
  if (how.startsWith("beside")) {
    const { frame, index } = placeOf(host.state, "b");
    host.tell(failureOf(host.state, frame, index, { at, node: "b", attempt: 1, value: "{}" }));
  }
  if (how.endsWith("process ended")) {
    host = new Host(plan, choose, host.log);
    host.tell({ type: "recovered", at });
    return host;
  }
  const { frame, index } = placeOf(host.state, "x");
  const dueAt = retryDoubtAt(frame, index, chance);
  const ended = { at, node: "x", attempt: 1, value };
  host.tell(
    dueAt === undefined
      ? doubtOf(host.state, frame, index, ended)
      : { type: "in-doubt", ...ended, dueAt },
  );
  return host;
}

function wordFor(host: Host): string {
  const words: Readonly<Record<string, string>> = {
    "in-doubt": "again",
    working: "again",
    "stuck-in-doubt": "stuck",
    failed: "failed",
    "undo-working": "undone",
    "failure-held": "held",
  };
  const state = describeState(host.state).get("x") ?? "";
  return words[state] ?? state;
}

test("the table of GUARANTEES is what the machine does", () => {
  expect(new Set(rows.map(([kind]) => kind))).toEqual(new Set(Object.keys(FLAGS)));
  expect(cells.length).toBe(Object.keys(FLAGS).length * 6);
  for (const [kind, how, expected] of cells) {
    // Whether attempts are left makes no difference when the process ended.
    const counts = how.includes("none left") ? [1] : how.includes("left") ? [3] : [1, 3];
    for (const attempts of counts) {
      const found = wordFor(inDoubt(kind, how, attempts));
      expect(`${kind}, ${how}, ${attempts}: ${found}`).toBe(
        `${kind}, ${how}, ${attempts}: ${expected}`,
      );
    }
  }
});

test("whatever it comes to then, all is done or all is undone, and a pivot stays", () => {
  let seen = 0;
  for (const [kind, how] of cells) {
    for (const succeeds of [true, false]) {
      const host = inDoubt(kind, how, 2);
      settle(host, succeeds);
      seen += 1;
      const states = Object.fromEntries(describeState(host.state));
      const done = host.state.finished === "succeeded";
      const fine = done ? /^done$/ : /^(undone|failed|abandoned)$/;
      for (const state of Object.values(states)) expect(state).toMatch(fine);
      if (kind === "`pivot: true`" && succeeds) expect(done).toBe(true);
    }
  }
  expect(seen).toBe(cells.length * 2);
});

/** Lets everything come to an end: `x` as told, the rest well, and an operator tries again what waits. */
function settle(host: Host, succeeds: boolean): void {
  for (let left = 200; host.state.finished === undefined; left--) {
    if (left === 0) throw new Error(`no end: ${JSON.stringify([...describeState(host.state)])}`);
    const effect = host.acts.shift();
    if (effect === undefined) {
      for (const [node, state] of describeState(host.state)) {
        if (!["stuck-in-doubt", "failure-held"].includes(state)) continue;
        host.tell({ type: "retry-requested", at, node, value: '""' });
        break;
      }
      continue;
    }
    const { kind, frame, index } = effect;
    const node = frame.plan.nodes[index]?.name ?? "";
    if (kind === "timer") host.fire(effect);
    if (kind === "call" && frame.phase[index] === 2) {
      const base = { at, node, attempt: frame.attempt[index] as number };
      if (node !== "x" || succeeds) host.tell({ ...base, type: "succeeded", value: "1" });
      // With its attempts used up, an operator lets it fail.
      else host.tell({ ...base, type: "failed", value: "{}" });
    }
    if (kind === "call-undo" && frame.phase[index] === 10) {
      host.tell({ type: "undone", at, node, attempt: frame.unwinding?.attempt[index] as number });
    }
  }
}
