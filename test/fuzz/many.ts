/**
 * Many random programs in the ordinary test run: a whole campaign, only sparing; one half of the seeds
 * in each of two test files, so that two cores share the work. They are the same in each run, so that a
 * failure is of the change under test; `FUZZ_SEED` and `npm run fuzz` take others.
 */
import { expect } from "vitest";
import { campaign, type Plan, type Summary } from "./campaign.js";

/** Of each half. */
const PROGRAMS = 250;

/** The first seed of each half; those of the other begin far off. */
function firstSeed(half: 0 | 1): number {
  const given = Number(process.env["FUZZ_SEED"] ?? 1);
  return given + half * 500_000_000;
}

/** What a campaign has found, in words: the program, what is said of it, how to have it again. */
export function told({ failures }: Summary): string[] {
  return failures.map(({ seed, broken, text, complaints }) => {
    const said = complaints.map(({ by, text: words }) => `${by}: ${words}`).join("\n");
    const again = `npm run fuzz -- --programs=1 --seed=${seed}${broken ? " --broken" : ""}`;
    return `${text}\n${said}\nagain: ${again}`;
  });
}

/** All judges must be content with all of them. */
export async function judgeMany(half: 0 | 1): Promise<void> {
  const seed = firstSeed(half);
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
