/**
 * Broken programs in the ordinary test run, whole ones are in `many.test.ts`; and proof that a campaign bites and shrinks:
 * with the edges dropped from what was generated it must complain, and with a small program. And a few
 * on the stores that are on a disk: long campaigns there are `npm run fuzz -- --store=postgres`.
 */
import { expect, test } from "vitest";
import { groundsOf } from "../oracle/grounds.js";
import { Batch } from "../oracle/compile.js";
import { campaign } from "./campaign.js";
import { Choices, numbersOf } from "./choices.js";
import { examine } from "./examine.js";
import { told } from "./many.js";
import { programOf } from "./program.js";
import { shrink, smallerNumbers } from "./shrink.js";

/** Change it to see other programs; `npm run fuzz` takes another one each time. */
const SEED = 20_000;

test("broken programs are refused, or do what their methods do", async () => {
  const summary = await campaign({ programs: 100, seed: SEED, broken: true });
  expect(told(summary)).toEqual([]);
  expect(summary.compiled).toBeGreaterThan(5);
  expect(summary.compiled).toBeLessThan(150);
}, 300_000);

test("a campaign bites: edges that are dropped are found, in a program that one can read", async () => {
  const sabotage = (generated: string): string =>
    generated.replace(/after:\s*\["[^\]]+\]/g, "after: []");
  const plan = { programs: 1, seed: SEED + 1, broken: false, shrinkMs: 8_000, sabotage };
  const { failures } = await campaign(plan);
  expect(failures.length).toBeGreaterThan(0);
  const [failure] = failures;
  expect(failure?.complaints.map(({ by }) => by)).toContain("gates");
  const body = /async main[^]*/.exec(failure?.text ?? "")?.[0] ?? "";
  expect(body.match(/this\./g)?.length).toBeLessThan(20);
}, 300_000);

test("programs do what their methods do on SQLite and on PostgreSQL, each run on one of them", async () => {
  const grounds = await Promise.all([groundsOf("sqlite"), groundsOf("postgres")]);
  let taken = 0;
  const take = () => (taken++ % 2 === 0 ? grounds[0] : grounds[1]).take();
  const programs = 6;
  const plan = { programs, seed: 60_200, broken: false, sparing: true, take };
  const summary = await campaign(plan).finally(() =>
    Promise.all(grounds.map((each) => each.close())),
  );
  expect(told(summary)).toEqual([]);
  // It looked at something.
  expect(summary.compiled).toBe(programs);
  expect(summary.crashes).toBeGreaterThan(0);
  expect(taken).toBeGreaterThan(3 * programs);
}, 300_000);

test("a program that cannot be parsed is told of, also where no saga is left to see", () => {
  const text = programOf(numbersOf(SEED)).replace("@saga async main", "} @saga async main");
  const batch = new Batch([text]);
  batch.close();
  expect(batch.results[0]?.generated).toBeUndefined();
  expect(batch.results[0]?.diagnostics.map(({ code }) => code)).toContain("typescript");
});

test("the same seed gives the same program, and other seeds give others", () => {
  const texts = Array.from({ length: 50 }, (_, index) => programOf(numbersOf(SEED + index)));
  expect(programOf(numbersOf(SEED))).toBe(texts[0]);
  expect(new Set(texts).size).toBe(50);
});

test("any numbers give a program that compiles", async () => {
  const lists = [[], [0], Array.from({ length: 400 }, (_, index) => index), [9999, 9999, 9999]];
  const { complaints, compiled } = await examine(lists.map(programOf));
  expect(complaints.flat()).toEqual([]);
  expect(compiled).toBe(lists.length);
});

test("shrinking finds the smallest that fails", async () => {
  const fail = async (lists: readonly number[][]): Promise<boolean[]> =>
    lists.map((list) => list.some((number) => number >= 7));
  const options = { smaller: smallerNumbers, fail, withinMs: 10_000 };
  expect(await shrink(numbersOf(1), options)).toEqual([7]);
});

test("choices that are used up are the first of each table", () => {
  const choices = new Choices([]);
  expect([choices.below(5), choices.pick(["a", "b"]), choices.oneIn(2)]).toEqual([0, "a", false]);
  expect(choices.usedUp).toBe(true);
});
