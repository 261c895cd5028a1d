/**
 * The oracles on programs written by hand: that they agree with what is right, and that they tell
 * what is wrong, when an order, an input, an attempt or an undo is tampered with.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineSaga } from "steno-runtime";
import type { Node } from "steno-runtime/manifest";
import { Batch, load, type Loaded } from "./compile.js";
import { compareWithReference } from "./failing.js";
import { faultsOf } from "./faults.js";
import { compareByGating, type Params } from "./gating.js";
import type { Kit } from "./kit.js";
import { findingPrograms } from "./finding-programs.js";
import { programs as straight } from "./programs.js";
import { shapedPrograms } from "./shaped-programs.js";
import { lettingRejectionsPass } from "./unhandled.js";

const programs = { ...straight, ...shapedPrograms, ...findingPrograms };
const names = Object.keys(programs);
const once = { attempts: 1, delayMs: 0, factor: 1, maxDelayMs: 0, jitter: false };
const params: Params = { tag: "m", n: 4, s: "some", on: true, nums: [3, 1, 2], at: new Date(7) };
const variants: readonly Params[] = [
  params,
  { tag: "m", n: 1, s: "b", on: false, nums: [0, 7], at: new Date(0) },
  { tag: "m", n: 9, s: "", on: false, nums: [], at: new Date(-1) },
];

/** With static members, and an action of its own, which the reference does not read. */
const UNREAD = ["constants"];

let batch: Batch;
beforeAll(() => {
  batch = new Batch(Object.values(programs));
});
afterAll(() => batch.close());

function program(name: string): Promise<Loaded> {
  const result = batch.results[names.indexOf(name)];
  if (result === undefined) throw new Error(`there is no program ${name}`);
  return load(result);
}

describe("the plain method is the specification", () => {
  test.each(names)("%s", async (name) => {
    const loaded = await program(name);
    let holds = 0;
    for (const given of variants) {
      const verdict = await lettingRejectionsPass(() => compareByGating(loaded, given));
      expect(verdict.differences, JSON.stringify(given)).toEqual([]);
      expect(verdict.calls).toBeGreaterThanOrEqual(verdict.holds);
      holds += verdict.holds;
    }
    expect(holds).toBeGreaterThan(4);
  });

  test("programs and what is generated for them have no type errors", () => {
    expect(batch.typeErrors()).toEqual([]);
  });
});

describe("the gates bite", () => {
  test.each([
    ["an edge is missing", "chain", "note", []],
    ["an edge leads past a node", "chain", "c", ["a"]],
    ["an edge is too many", "held", "q", ["p"]],
    ["a node of a block waits for the other block", "blocks", "c", ["x"]],
    ["a computation comes too late", "computes", "late", ["p"]],
  ])("when %s", async (_, name, node, after) => {
    const loaded = await program(name);
    const wrong = withNode(loaded, node, { after });
    const verdict = await lettingRejectionsPass(() => compareByGating(wrong, params));
    expect(verdict.differences).not.toEqual([]);
    expect(verdict.differences.join("\n")).toContain("held, began");
  });

  test("when an input is another one", async () => {
    const right = await program("chain");
    const { spec } = right.main;
    const nodes = { ...spec.nodes, a: { inputs: () => ["a", 5] } };
    const wrong = { ...right, main: defineSaga<Kit, unknown, unknown>({ ...spec, nodes }) };
    const { differences } = await compareByGating(wrong, params);
    expect(differences[0]).toBe('nothing held, began: num["a",5], which the plain method has not');
  });

  test("when the result is another one", async () => {
    const right = await program("chain");
    const spec = { ...right.main.spec, output: () => [1, "t1"] };
    const wrong = { ...right, main: defineSaga<Kit, unknown, unknown>(spec) };
    const { differences } = await compareByGating(wrong, params);
    expect(differences).toEqual([
      expect.stringMatching(/^nothing held: output \[1,"t1"\], and the plain method has output \[/),
    ]);
  });
});

describe("the reference interpreter is the specification of failing runs", () => {
  const endings = new Map<string, number>();
  let crashes = 0;

  test.each(names.filter((name) => !UNREAD.includes(name)))("%s", async (name) => {
    const loaded = await program(name);
    for (const [seed, given] of schedules()) {
      const found = await compareWithReference(loaded, given, faultsOf(seed));
      expect(found.differences, `schedule ${seed}`).toEqual([]);
      for (const each of found.endings) endings.set(each, (endings.get(each) ?? 0) + 1);
      crashes += found.crashes;
    }
  });

  test("every ending was met, and crashes", () => {
    for (const status of ["succeeded", "undone", "stuck"]) {
      expect([status, (endings.get(status) ?? 0) > 20]).toEqual([status, true]);
    }
    expect(crashes).toBeGreaterThan(20);
  });

  test.each<[string, string, string, Partial<Node>, RegExp]>([
    ["an edge is missing", "chain", "c", { after: ["a"] }, /act c #1 .*: not in the reference/],
    ["an attempt is missing", "chain", "c", { retry: once }, /undo a #1 .*: not in the reference/],
    [
      "an undo gives up early",
      "held",
      "p",
      { undoRetry: once },
      /the run: stuck, and the reference/,
    ],
    [
      "a failed node is not undone",
      "blocks",
      "c",
      { undo: "none" },
      /undo c #1 .*: in the reference/,
    ],
  ])("it bites when %s", async (_, name, node, change, complaint) => {
    const wrong = withNode(await program(name), node, change);
    const found: string[] = [];
    for (const [seed, given] of schedules()) {
      found.push(...(await compareWithReference(wrong, given, faultsOf(seed))).differences);
    }
    expect(found.join("\n")).toMatch(complaint);
  });
});

/** Schedules of faults, each with params. */
function* schedules(): Iterable<[seed: number, given: Params]> {
  for (let seed = 0; seed < 40; seed++) {
    yield [seed, variants[seed % variants.length] as Params];
  }
}

/** The program with one node of its manifest changed. */
function withNode(loaded: Loaded, name: string, change: Partial<Node>): Loaded {
  const { spec } = loaded.main;
  expect(spec.manifest.nodes.map((node) => node.name)).toContain(name);
  const nodes = spec.manifest.nodes.map((node) =>
    node.name === name ? ({ ...node, ...change } as Node) : node,
  );
  const manifest = { ...spec.manifest, nodes };
  return { ...loaded, main: defineSaga<Kit, unknown, unknown>({ ...spec, manifest }) };
}
