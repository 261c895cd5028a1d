/**
 * The oracles on programs written by hand: that they agree with what is right, and that they tell
 * what is wrong, when an order, an input, an attempt or an undo is tampered with.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineSaga } from "steno-runtime";
import type { Node } from "steno-runtime/manifest";
import { Batch, load, type Loaded } from "./compile.js";
import { compareEndings, compareWithReference, runFailing } from "./failing.js";
import { faultsOf } from "./faults.js";
import { compareByGating, type Params } from "./gating.js";
import type { Kit } from "./kit.js";
import { programs } from "./programs.js";
import { interpret } from "./reference.js";
import { lettingRejectionsPass } from "./unhandled.js";

const names = Object.keys(programs);
const once = { attempts: 1, delayMs: 0, factor: 1, maxDelayMs: 0, jitter: false };
const params: Params = { tag: "m", n: 4, s: "some", on: true, nums: [3, 1, 2] };

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
    const verdict = await lettingRejectionsPass(() => compareByGating(loaded, params));
    expect(verdict.differences).toEqual([]);
    expect(verdict.holds).toBeGreaterThan(2);
    expect(verdict.calls).toBeGreaterThanOrEqual(verdict.holds);
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
    const { Program, main } = await program("chain");
    const { spec } = main;
    const nodes = { ...spec.nodes, a: { inputs: () => ["a", 5] } };
    const wrong = { Program, main: defineSaga<Kit, unknown, unknown>({ ...spec, nodes }) };
    const { differences } = await compareByGating(wrong, params);
    expect(differences[0]).toBe('nothing held, began: num["a",5], which the plain method has not');
  });

  test("when the result is another one", async () => {
    const { Program, main } = await program("chain");
    const wrong = {
      Program,
      main: defineSaga<Kit, unknown, unknown>({ ...main.spec, output: () => 1 }),
    };
    const { differences } = await compareByGating(wrong, params);
    expect(differences).toEqual([
      expect.stringMatching(/^nothing held: output 1, and the plain method has output \[/),
    ]);
  });
});

describe("the reference interpreter is the specification of failing runs", () => {
  const endings = new Map<string, number>();

  test.each(names)("%s", async (name) => {
    const loaded = await program(name);
    for (let seed = 0; seed < 60; seed++) {
      const { differences, status } = await compareWithReference(loaded, params, faultsOf(seed));
      expect(differences).toEqual([]);
      endings.set(status, (endings.get(status) ?? 0) + 1);
    }
  });

  test("every ending was met", () => {
    for (const status of ["succeeded", "undone", "stuck"]) {
      expect([status, (endings.get(status) ?? 0) > 10]).toEqual([status, true]);
    }
  });

  /** What the reference says of how a run ended that the runtime ran by a changed manifest. */
  async function complaints(name: string, node: string, change: Partial<Node>): Promise<string[]> {
    const right = await program(name);
    const wrong = withNode(right, node, change);
    const found: string[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const expected = interpret(right.main.manifest, faultsOf(seed));
      found.push(...compareEndings(expected, await runFailing(wrong, params, faultsOf(seed))));
    }
    return found;
  }

  test.each<[string, string, string, Partial<Node>, RegExp]>([
    ["an edge is missing", "chain", "c", { after: ["a"] }, /(act|undo) (a|c) #\d: not in the ref/],
    ["an attempt is missing", "chain", "c", { retry: once }, /act c #2: in the reference only/],
    [
      "an undo gives up early",
      "held",
      "p",
      { undoRetry: once },
      /node p: undo-failed, and the ref/,
    ],
    ["a failed node is not undone", "blocks", "c", { undo: "none" }, /undo c #1: in the reference/],
  ])("it bites when %s", async (_, name, node, change, complaint) => {
    const found = await complaints(name, node, change);
    expect(found.join("\n")).toMatch(complaint);
  });
});

/** The program with one node of its manifest changed. */
function withNode({ Program, main }: Loaded, name: string, change: Partial<Node>): Loaded {
  const { spec } = main;
  expect(spec.manifest.nodes.map((node) => node.name)).toContain(name);
  const nodes = spec.manifest.nodes.map((node) =>
    node.name === name ? ({ ...node, ...change } as Node) : node,
  );
  const manifest = { ...spec.manifest, nodes };
  return { Program, main: defineSaga<Kit, unknown, unknown>({ ...spec, manifest }) };
}
