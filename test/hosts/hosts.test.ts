/**
 * The same sagas on every host: random programs, and those of the oracles, under faults and an
 * operator. Whatever the host, the same bodies begin after each step, with the same inputs and keys,
 * the nodes are in the same states, and the end is the same. `HOSTS_ALL=1` runs all of them everywhere.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { numbersOf } from "../fuzz/choices.js";
import { programOf as randomProgram } from "../fuzz/program.js";
import { Batch, load, type Loaded } from "../oracle/compile.js";
import { faultsOf, type Faults } from "../oracle/faults.js";
import type { Params } from "../oracle/gating.js";
import { programs as straight } from "../oracle/programs.js";
import { shapedPrograms } from "../oracle/shaped-programs.js";
import { type Engine, engines } from "./engines.js";
import { follow, type Trace, traceOf } from "./trace.js";

const RANDOM = 24;
const FIRST_SEED = 4_000;
/** Schedules of faults from here on have all that can be done to a run. */
const FAULTS = 100;
/** Here nobody sends events, and there is one run. */
const ALONE = /^(?![^]*( = event<|\bstart\())/;
const random = Array.from({ length: 2 * RANDOM }, (_, index) => FIRST_SEED + index)
  .map((seed) => [`seed ${seed}`, randomProgram(numbersOf(seed))] as const)
  .filter(([, text]) => ALONE.test(text))
  .slice(0, RANDOM);
const texts: Readonly<Record<string, string>> = {
  ...straight,
  ...shapedPrograms,
  ...Object.fromEntries(random),
};
const params: readonly Params[] = [
  { tag: "m", n: 4, s: "some", on: true, nums: [3, 1, 2], at: new Date(7) },
  { tag: "m", n: 9, s: "", on: false, nums: [5], at: new Date(9) },
];

interface Case {
  readonly name: string;
  readonly loaded: Loaded;
  readonly params: Params;
  readonly faults: Faults;
  readonly trace: Trace;
}
const cases: Case[] = [];
let batch: Batch;

beforeAll(async () => {
  batch = new Batch(Object.values(texts));
  for (const [index, name] of Object.keys(texts).entries()) {
    const result = batch.results[index];
    if (result === undefined) throw new Error(name);
    const loaded = await load(result);
    // Each second one without faults.
    const faults = faultsOf(FAULTS + index, index % 2 === 0 ? 0 : undefined);
    const given = params[(index >> 1) % params.length] as Params;
    const trace = await traceOf(loaded, given, faults);
    cases.push({ name, loaded, params: given, faults, trace });
  }
});
afterAll(() => batch.close());

test("the traces are of runs that succeed, are undone, and need an operator", () => {
  const moves = cases.flatMap(({ trace }) => trace.steps.map(({ move }) => move.do));
  expect(new Set(moves)).toEqual(new Set(["start", "let go", "unwind", "retry", "settle"]));
  const endings = cases.map(({ trace }) => trace.ending);
  for (const ending of ["succeeded", "saga-failed"]) {
    expect([ending, endings.filter((each) => each === ending).length > 10]).toEqual([ending, true]);
  }
  expect(cases.length).toBe(Object.keys(texts).length);
});

describe.each(engines)("on each host", (make) => {
  test("everything goes as it does in memory", async () => {
    const engine = await make();
    const found: string[] = [];
    try {
      const share = process.env["HOSTS_ALL"] === "1" ? 1 : engine.share;
      const work = cases.filter((_, index) => index % share === 0);
      const worker = async (): Promise<void> => {
        for (let next = work.shift(); next !== undefined; next = work.shift()) {
          const { name, trace, loaded, params: given, faults } = next;
          const said = await follow(trace, loaded, given, faults, engine).catch((error: unknown) =>
            String((error as Error).stack),
          );
          if (said !== undefined) found.push(`${engine.name}, ${name}: ${said}`);
        }
      };
      await Promise.all(Array.from({ length: engine.abreast }, worker));
    } finally {
      await engine.close();
    }
    expect(found).toEqual([]);
  });
});

test.each<[string, (each: Case) => Partial<Case>, RegExp]>([
  [
    "a body fails that did not",
    ({ faults }) => ({ faults: { ...faults, fails: () => true } }),
    /^step \d+ .*: began/,
  ],
  [
    "an input is another",
    () => ({ params: { tag: "m", n: 77, s: "?", on: false, nums: [], at: new Date(9) } }),
    /began/,
  ],
])("a host on which %s is told", async (_, change, said) => {
  const [make] = engines;
  const engine = (await make?.()) as Engine;
  const one = cases.find(({ name }) => name === "chain") as Case;
  const { trace, loaded, params: given, faults } = { ...one, ...change(one) };
  expect(await follow(trace, loaded, given, faults, engine, 500)).toMatch(said);
});
