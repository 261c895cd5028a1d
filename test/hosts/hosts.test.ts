/**
 * The same sagas on every host: random programs, those of the oracles and the fixtures, under faults
 * and an operator. Whatever the host, the same bodies begin after each step, with the same inputs and keys,
 * the nodes are in the same states, and the end is the same. `HOSTS_ALL=1` runs all of them everywhere,
 * and `HOSTS_PROGRAMS=N HOSTS_SEED=S` takes so many random programs from that seed on.
 */
import { defineSaga } from "steno-runtime";
import * as z from "steno-runtime/schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { numbersOf } from "../fuzz/choices.js";
import { programOf as randomProgram } from "../fuzz/program.js";
import { Batch, load, type Result, sagasOf } from "../oracle/compile.js";
import { faultsOf, type Faults } from "../oracle/faults.js";
import type { Params } from "../oracle/gating.js";
import { programs as straight } from "../oracle/programs.js";
import { shapedPrograms } from "../oracle/shaped-programs.js";
import { action, type Script, scriptOf } from "../runtime/sagas.js";
import { type Engine, engines } from "./engines.js";
import { fixtureSubjects } from "./fixtures.js";
import { quick } from "./quick.js";
import { follow, type Subject, type Trace, traceOf } from "./trace.js";

const RANDOM = Number(process.env["HOSTS_PROGRAMS"] ?? 24);
const FIRST_SEED = Number(process.env["HOSTS_SEED"] ?? 4_000);
/** Of so many programs one is unwound by request. */
const UNWOUND = 7;
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
  readonly subject: Subject;
  readonly faults: Faults;
  readonly trace: Trace;
}
const cases: Case[] = [];
let batch: Batch;

beforeAll(async () => {
  batch = new Batch(Object.values(texts));
  const subjects: Subject[] = [];
  for (const [index, name] of Object.keys(texts).entries()) {
    const program = await load(batch.results[index] as Result);
    const it = quick(program.main);
    const all = { ...program, main: it, others: program.others.map((each) => quick(each)) };
    subjects.push({
      name,
      main: it as Subject["main"],
      params: params[(index >> 1) % params.length],
      payload: () => undefined,
      bind: (world) => sagasOf(all, world),
    });
  }
  for (const [index, subject] of [...subjects, ...(await fixtureSubjects())].entries()) {
    // Each second one without faults.
    const drawn = faultsOf(FAULTS + index, index % 2 === 0 ? 0 : undefined);
    // Those of the oracles have no point of no return.
    const unwinds = index % UNWOUND === 0 && index < Object.keys(texts).length;
    const faults: Faults = {
      ...drawn,
      blow: (step) => (unwinds && step === 2 ? "unwind" : undefined),
    };
    cases.push({ subject, faults, trace: await traceOf(subject, faults) });
  }
});
afterAll(() => batch.close());

test("the traces are of runs that succeed, are undone, and need an operator", () => {
  const moves = cases.flatMap(({ trace }) => trace.steps.map(({ move }) => move.do));
  expect(new Set(moves)).toEqual(new Set(["start", "let go", "unwind", "retry", "settle", "send"]));
  const endings = cases.map(({ trace }) => trace.ending);
  for (const ending of ["succeeded", "saga-failed"]) {
    expect([ending, endings.filter((each) => each === ending).length > 10]).toEqual([ending, true]);
  }
  expect(cases.length).toBeGreaterThan(Object.keys(texts).length + 40);
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
          const { subject, trace, faults } = next;
          const said = await follow(trace, subject, faults, engine).catch((error: unknown) =>
            String((error as Error).stack),
          );
          if (said !== undefined) found.push(`${engine.name}, ${subject.name}: ${said}`);
        }
      };
      await Promise.all(Array.from({ length: engine.abreast }, worker));
    } finally {
      await engine.close();
    }
    expect(found).toEqual([]);
  });
});

/** Its only action fails once, and is held; what it outputs is no JSON, or nothing. */
const held = defineSaga<Script, null, unknown>({
  manifest: {
    ...{ steno: 1, name: "Held.held", hash: "sha256-held" },
    nodes: [action("late", [], { onFailure: "pause" })],
  },
  nodes: { late: { inputs: () => ["late"] } } as never,
  output: ({ late }: { readonly late: unknown }) => late,
  schemas: {
    result: z.union([z.bigint(), z.undefined()]),
    actions: {
      act: { inputs: z.tuple([z.string()]), output: z.union([z.bigint(), z.undefined()]) },
    },
  },
});

test.each(engines)("what an operator says that a node has output is that, %#", async (make) => {
  const engine = await make();
  try {
    const opened = await engine.open([held.on(scriptOf(() => Promise.reject(new Error("late"))))]);
    // Where each second run is operated from elsewhere, each is once.
    for (const [place, output] of [7n, 7n, undefined, undefined].entries()) {
      const run = await opened.start(held, null, { id: `held${place}` });
      await expect(run.result()).rejects.toMatchObject({ code: "saga-stuck" });
      await expect(run.settle("late", "?", { output: "7" })).rejects.toMatchObject({
        code: "output-invalid",
      });
      await run.settle("late", "it is known", { output });
      expect([engine.name, await run.result()]).toEqual([engine.name, output]);
    }
    await opened.close();
  } finally {
    await engine.close();
  }
});

test.each<[string, (each: Case) => Partial<Case>, RegExp]>([
  [
    "a body fails that did not",
    ({ faults }) => ({ faults: { ...faults, fails: () => true } }),
    /^step \d+ .*: began/,
  ],
  [
    "an input is another",
    ({ subject }) => ({ subject: { ...subject, params: { ...params[0], n: 77 } } }),
    /began/,
  ],
])("a host on which %s is told", async (_, change, said) => {
  const [make] = engines;
  const engine = (await make?.()) as Engine;
  const one = cases.find(({ subject }) => subject.name === "chain") as Case;
  const { trace, subject, faults } = { ...one, ...change(one) };
  expect(await follow(trace, subject, faults, engine, 500)).toMatch(said);
});
