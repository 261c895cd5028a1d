/**
 * A campaign: random programs by seed, and broken ones, are examined; a failure is made small and
 * told so that one can read it. It prints nothing; that is `main.ts`.
 */
import { format } from "../../compiler/emit/format.js";
import { Choices, numbersOf } from "./choices.js";
import { examine, type Complaint, type ExamineOptions } from "./examine.js";
import { mutate } from "./mutate.js";
import { programOf } from "./program.js";
import { shrink, smallerNumbers, smallerText } from "./shrink.js";

export interface Plan {
  readonly programs: number;
  /** The first program has this seed, the next one the next. */
  readonly seed: number;
  /** Whether the programs are broken before they are compiled. */
  readonly broken: boolean;
  readonly shrinkMs?: number;
  /** After so many the rest is left: it is likely to say the same. */
  readonly failures?: number;
  readonly sparing?: boolean;
  readonly sabotage?: ExamineOptions["sabotage"];
  readonly take?: ExamineOptions["take"];
}

export interface Failure {
  readonly seed: number;
  readonly broken: boolean;
  /** The smallest program that was found to fail, and what is said of it. */
  readonly text: string;
  readonly complaints: readonly Complaint[];
}

export interface Summary {
  programs: number;
  compiled: number;
  holds: number;
  crashes: number;
  readonly endings: Map<string, number>;
  readonly failures: Failure[];
}

/** Programs that are compiled together: more cost memory, fewer cost time. */
const BATCH = 250;
/** How long a failing program is shrunk, unless the plan says otherwise. */
const SHRINK_MS = 30_000;
/** Of failures, unless the plan says otherwise. */
const ENOUGH = 3;

/** Runs a campaign; `told` hears of the progress after each batch. */
export async function campaign(plan: Plan, told?: (so: Summary) => void): Promise<Summary> {
  const summary: Summary = {
    ...{ programs: 0, compiled: 0, holds: 0, crashes: 0, endings: new Map(), failures: [] },
  };
  const enough = plan.failures ?? ENOUGH;
  for (let done = 0; done < plan.programs && summary.failures.length < enough; done += BATCH) {
    const count = Math.min(BATCH, plan.programs - done);
    const seeds = Array.from({ length: count }, (_, index) => plan.seed + done + index);
    await examineSeeds(plan, seeds, summary);
    told?.(summary);
  }
  return summary;
}

async function examineSeeds(plan: Plan, seeds: readonly number[], summary: Summary): Promise<void> {
  const texts = await Promise.all(seeds.map((seed) => textOf(seed, plan.broken)));
  const { complaints, compiled, holds, crashes, endings } = await examine(texts, plan);
  summary.programs += seeds.length;
  summary.compiled += compiled;
  summary.holds += holds;
  summary.crashes += crashes;
  for (const [status, count] of endings) {
    summary.endings.set(status, (summary.endings.get(status) ?? 0) + count);
  }
  for (const [index, found] of complaints.entries()) {
    const [first] = found;
    const seed = seeds[index];
    if (first === undefined || seed === undefined) continue;
    if (summary.failures.length >= (plan.failures ?? ENOUGH)) return;
    const text = await smallest(plan, seed, first.by);
    const said = (await examine([text], { ...plan, sparing: false })).complaints[0] ?? found;
    const shown = plan.broken ? text : await format(text);
    summary.failures.push({ seed, broken: plan.broken, text: shown, complaints: said });
  }
}

/** The program of a seed; one that is broken, which is done line by line, is laid out before. */
async function textOf(seed: number, broken: boolean): Promise<string> {
  const text = programOf(numbersOf(seed));
  // Another stream of numbers than the one that the program was made of.
  return broken ? mutate(await format(text), new Choices(numbersOf(seed + 0x40000000))) : text;
}

async function smallest(plan: Plan, seed: number, by: Complaint["by"]): Promise<string> {
  const fail = async (texts: readonly string[]): Promise<boolean[]> => {
    const { complaints } = await examine(texts, { ...plan, sparing: false, only: by });
    return complaints.map((found) => found.some((complaint) => complaint.by === by));
  };
  const withinMs = plan.shrinkMs ?? SHRINK_MS;
  if (plan.broken) {
    return shrink(await textOf(seed, true), { smaller: smallerText, fail, withinMs });
  }
  const found = await shrink(numbersOf(seed), {
    smaller: smallerNumbers,
    fail: (lists) => fail(lists.map(programOf)),
    withinMs,
  });
  return programOf(found);
}
