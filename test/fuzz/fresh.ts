/**
 * The part of the ordinary test run that sees other programs each time. It is a whole campaign, only
 * sparing; one half of the seeds in each of two test files, so that two cores share the work.
 */
import { expect } from "vitest";
import { campaign, type Plan, type Summary } from "./campaign.js";

/** Of each half. */
const PROGRAMS = 250;

/** The first seed: `FUZZ_SEED`, or another one each time. Odd halves have it too, from far off. */
function freshSeed(half: 0 | 1): number {
  const given = Number(process.env["FUZZ_SEED"] ?? NaN);
  const first = Number.isSafeInteger(given) ? given : Date.now() % 500_000_000;
  return first + half * 500_000_000;
}

/** What a campaign has found, in words: the program, what is said of it, how to have it again. */
export function told({ failures }: Summary): string[] {
  return failures.map(({ seed, broken, text, complaints }) => {
    const said = complaints.map(({ by, text: words }) => `${by}: ${words}`).join("\n");
    const again = `npm run fuzz -- --programs=1 --seed=${seed}${broken ? " --broken" : ""}`;
    return `${text}\n${said}\nagain: ${again}`;
  });
}

/** Programs that nobody has seen before: all judges must be content. */
export async function judgeFresh(half: 0 | 1): Promise<void> {
  const seed = freshSeed(half);
  console.log(`fuzz: programs of the seeds ${seed} to ${seed + PROGRAMS - 1}`);
  const plan: Plan = { programs: PROGRAMS, seed, broken: false, sparing: true };
  const summary = await campaign(plan);
  expect(told(summary)).toEqual([]);
  // It looked at something.
  expect(summary.compiled).toBe(PROGRAMS);
  expect(summary.holds).toBeGreaterThan(PROGRAMS);
  expect(summary.crashes).toBeGreaterThan(0);
  for (const status of ["succeeded", "undone", "stuck"]) {
    expect([status, (summary.endings.get(status) ?? 0) > 1]).toEqual([status, true]);
  }
}
