/** A part of the cases compared with steno, and that an outcome that was altered is found. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { type Compared, compareLine } from "./compare.js";
import { type Compiled, compileAll } from "./compile.js";
import { compareAll, count, summary } from "./conformance.js";
import { type Line, readLines } from "./dag.js";
import { hash, printJson, readJson } from "./json.js";
import { REASONS, reasonOf } from "./reasons.js";

const lines = readLines(fileURLToPath(new URL("cases.jsonl.gz", import.meta.url)));
const byId = new Map(lines.map((line) => [line.id, line]));
const sizeOf = ({ base, outcome }: Line): number =>
  (byId.get(base ?? "")?.outcome.log?.length ?? 0) + (outcome.log?.length ?? 0);
const bySize = (a: Line, b: Line): number => sizeOf(a) - sizeOf(b);

/** Of each group the smallest lines; of recoveries those of the smallest sagas. */
function sample(): Line[] {
  const groups = new Set(lines.map(({ group }) => group));
  return [...groups].flatMap((group) => {
    const ofGroup = lines.filter((line) => line.group === group).sort(bySize);
    if (!group.startsWith("recover")) return ofGroup.slice(0, 3);
    const bases = [...new Set(ofGroup.map(({ base }) => base))].slice(0, 8);
    return ofGroup.filter(({ base }) => bases.includes(base)).slice(0, 100);
  });
}

test(
  "a part of the cases: equal, or different for a stated reason",
  { timeout: 300_000 },
  async () => {
    const some = sample();
    const verdicts = await compareAll(some, lines);
    const counted = count(verdicts);
    expect(
      counted.unexplained.map(({ line, compared }) => [line.id, compared.differences]),
    ).toEqual([]);
    expect(summary(verdicts.length, counted, some.length)).toMatch(
      /^compared \d+, equal \d+, differ \d+ for \d+ reasons, skipped 0$/,
    );
    // A check that looked at nothing would find nothing.
    expect(some.length).toBeGreaterThan(100);
    const ran = verdicts.filter(({ compared }) => (compared.seen?.bodies.length ?? 0) > 0);
    expect(ran.length).toBeGreaterThan(60);
  },
);

test("docs/STENO.md gives each reason, and no other", () => {
  const page = readFileSync(new URL("../../docs/STENO.md", import.meta.url), "utf8");
  const section = page.slice(page.indexOf("## Differences that are chosen"));
  const named = [...section.matchAll(/^\| `([a-z-]+)` /gm)].map(([, name]) => name);
  expect(named.sort()).toEqual(REASONS.map(({ name }) => name).sort());
});

type Editable = Record<string, unknown>;
type Change = (value: unknown) => unknown;

/** Changes what is at a path: `-1` is the last of a list, `~` the first that is no start or end. */
function edit(root: Editable, path: string, change: Change): void {
  const steps = path.split(".");
  const last = steps.pop() ?? "";
  let at = root;
  for (const step of steps) at = at[keyOf(at, step)] as Editable;
  const key = keyOf(at, last);
  at[key] = change(at[key]);
}

function keyOf(at: Editable, step: string): string {
  if (Array.isArray(at)) return String(Number(step) < 0 ? at.length + Number(step) : step);
  return step === "~" ? (Object.keys(at).find((key) => !key.includes("$")) ?? "") : step;
}

function plus(more: number): Change {
  return (value) => (value as number) + more;
}

function without(place: number): Change {
  return (list) => (list as unknown[]).toSpliced(place, 1);
}

function swap(one: number, other: number): Change {
  return (value) => {
    const list = [...(value as unknown[])];
    [list[one], list[other]] = [list[other], list[one]];
    return list;
  };
}

/** The last event of a type, of a node that has an undo. */
function withoutLast(type: string): Change {
  return (log) => {
    const list = log as { readonly node: string; readonly event: unknown }[];
    const place = list.findLastIndex(({ node, event }) => event === type && !node.includes("$"));
    return list.toSpliced(place, 1);
  };
}

/** The smallest line of a kind: another file may take the place of this one, so no line has a name here. */
function smallest(is: (line: Line) => boolean): Line {
  const found = lines.filter(is).sort(bySize)[0];
  if (found === undefined) throw new Error("the file has no such case");
  return found;
}

function ends(line: Line): Line["outcome"] {
  return line.fixed_outcome ?? line.outcome;
}

describe("an outcome that was altered is found", () => {
  const ok = smallest(({ group, outcome }) => group === "ok" && (outcome.log?.length ?? 0) > 12);
  const failing = smallest(
    ({ group, outcome, input }) =>
      group === "fail1" && input.probes !== undefined && (outcome.bodies?.length ?? 0) > 6,
  );
  const stuck = smallest(
    ({ group, outcome }) => group === "undofail" && Boolean(outcome.result?.err?.undo_failure),
  );
  const recovery = smallest(
    (line) =>
      line.group === "recover" &&
      (line.prefix_len ?? 0) > 4 &&
      (line.outcome.bodies?.length ?? 0) > 2,
  );
  const stuckAgain = smallest(
    (line) =>
      line.group === "recover" && Object.values(ends(line).states ?? {}).includes("queued-undo"),
  );
  const race = smallest(
    ({ group, stability, outcome }) =>
      group.startsWith("inject1") &&
      stability?.instant_race === true &&
      (outcome.log ?? []).some(
        ({ t, event }) => t > 0 && typeof event === "object" && "failed" in event,
      ),
  );
  const build = smallest(({ outcome }) => outcome.build_error?.includes("multiple times") === true);
  const damaged = smallest(
    ({ group, mutation }) => group === "recover-mutated" && mutation === "shuffle",
  );
  const altered = { ok, failing, stuck, recovery, stuckAgain, race, build, damaged };
  let compiled: Map<string, Compiled>;

  const baseOf = ({ base, id }: Line): Line => byId.get(base ?? id) as Line;
  const compare = (line: Line): Promise<Compared> => {
    const base = line.base === undefined ? line : baseOf(line);
    return compareLine(line, base, compiled.get(base.id) as Compiled);
  };

  beforeAll(async () => {
    compiled = await compileAll([...new Set(Object.values(altered).map(baseOf))]);
  }, 120_000);

  test.each(Object.entries(altered))("as it was recorded: %s", async (_, line) => {
    const compared = await compare(line);
    if (compared.differences.length > 0) expect(reasonOf(compared)).toBeDefined();
  });

  const otherError = { ActionFailed: { source_error: "other" } };
  const alterations: readonly (readonly [string, Line, string, Change])[] = [
    ["the result", ok, "result.ok.output", () => "other"],
    ["an output of a node", ok, "result.ok.node_outputs.~", () => 7],
    ["when it ends", ok, "end_t", plus(1)],
    ["a final state", ok, "states.~", () => "undone"],
    ["the state of the start", ok, "states.$start", () => "blocked"],
    ["the state of the end", ok, "states.$end", () => "blocked"],
    ["an event's time", ok, "log.-3.t", plus(-1)],
    ["an event is missing", ok, "log", without(6)],
    ["an event twice", ok, "log", (log) => [...(log as object[]), (log as object[])[5]]],
    ["an event before its cause", ok, "log", swap(2, 3)],
    ["an event of another node", ok, "log.4.id", plus(1)],
    ["an output in the log", ok, "log.3.event", () => ({ succeeded: 1 })],
    ["the inputs of a body", ok, "bodies.0.inputs", () => ({ n0: 1 })],
    ["the params of a body", ok, "bodies.0.params", () => "other"],
    ["the attempt of a body", ok, "bodies.0.attempt", plus(1)],
    ["a body is missing", ok, "bodies", without(-1)],
    ["an update", ok, "cached_states.0.t", plus(1)],
    ["the text of the states", ok, "status_text", (text) => `${String(text)}+-- done: more\n`],
    ["the failed node", failing, "result.err.node", () => "other"],
    ["the error", failing, "result.err.error", () => otherError],
    ["the error's text", failing, "result.err.text", () => "other"],
    [
      "a success of what failed",
      failing,
      "result",
      () => ({ ok: { output: 1, node_outputs: {} } }),
    ],
    ["a state at a probe", failing, "probes.0.states.~", () => "skipped"],
    ["the end at a probe", failing, "probes.0.states.$end", () => "done"],
    ["what a probe sees", failing, "probes.0.view", () => "done"],
    ["an undo is missing", failing, "log", withoutLast("undo_finished")],
    ["it is not stuck", stuck, "result.err.undo_failure", () => null],
    ["where it is stuck", stuck, "result.err.undo_failure.node", () => "other"],
    ["why it is stuck", stuck, "result.err.undo_failure.text", () => "other"],
    ["a state after a recovery", recovery, "states.~", () => "working"],
    ["a state before it goes on", recovery, "recovered_states.~", () => "undo-failed"],
    ["a recovery is refused", recovery, "resume_error", () => "recovering log: no"],
    ["an event of a recovery", recovery, "log", without(-3)],
    ["a body of a recovery", recovery, "bodies", without(0)],
    ["the failure beside a stuck undo", stuckAgain, "result.err.node", () => "other"],
    ["a state beside a stuck undo", stuckAgain, "states.$end", () => "blocked"],
    ["an error among many events", race, "result.err.error", () => otherError],
    ["a state among many events", race, "states.~", () => "blocked"],
    ["a body before many events", race, "bodies.0.node", () => "other"],
    ["a name used twice", build, "build_error", (text) => String(text).replace(/"[^"]*"$/, '"x"')],
    ["no error of the builder", build, "build_error", () => undefined],
    ["a legal log is refused", damaged, "resume_error", () => "recovering log: no"],
  ];

  test.each(alterations)("%s", async (_, line, path, change) => {
    const copy = structuredClone(line);
    edit(ends(copy) as object as Editable, path, change);
    const compared = await compare(copy);
    expect(compared.differences).not.toEqual([]);
    expect(reasonOf(compared)?.name).toBe(undefined);
  });
});

test("numbers and hashes are as steno has them", () => {
  expect(hash('a|{"x":1}|{}')).toBe("de956353");
  const numbers = "[1,1.0,-0.0,1e21,1.5,0.00001,1e-7,123456.789,1e16,18446744073709551615,-2]";
  expect(printJson(readJson(numbers))).toBe(numbers);
});
