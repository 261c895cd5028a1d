/**
 * Puts programs before every judge: the compiler, the type checker, the gates, the reference. What
 * comes back is a list of complaints for each program.
 */
import { setImmediate } from "node:timers/promises";
import type { Graph } from "steno-runtime/manifest";
import { Batch, isLoadable, load, type Result } from "../oracle/compile.js";
import { compareWithReference } from "../oracle/failing.js";
import { faultsOf } from "../oracle/faults.js";
import { compareByGating, type Params } from "../oracle/gating.js";
import { type Ground, inMemory } from "../oracle/grounds.js";
import { lettingRejectionsPass } from "../oracle/unhandled.js";

export interface Complaint {
  /** Who complains. Shrinking keeps to one of them. */
  readonly by: "compiler" | "types" | "gates" | "reference";
  readonly text: string;
}

export interface Examined {
  /** By the place of the program. */
  readonly complaints: readonly (readonly Complaint[])[];
  /** What was looked at. */
  readonly compiled: number;
  readonly holds: number;
  readonly crashes: number;
  readonly endings: ReadonlyMap<string, number>;
}

export interface ExamineOptions {
  /** The programs may be wrong: then the compiler may say so. */
  readonly broken?: boolean;
  /** Asks only this judge, and those it needs. */
  readonly only?: Complaint["by"] | undefined;
  /** Some of the params and of the bodies that are held back, drawn from the program. */
  readonly sparing?: boolean | undefined;
  /** Changes what was generated, to see that somebody complains. */
  readonly sabotage?: ((generated: string) => string) | undefined;
  /** What each run is run on; memory, if it is left out. */
  readonly take?: (() => Promise<Ground>) | undefined;
}

export const params: Params = {
  tag: "m",
  n: 4,
  s: "some",
  on: true,
  nums: [3, 1, 2],
  at: new Date(7),
};
/** For programs that decide something: others would do the same again. */
const variants: readonly Params[] = [
  params,
  { tag: "m", n: 1, s: "b", on: false, nums: [0, 7], at: new Date(0) },
  { tag: "m", n: 9, s: "", on: true, nums: [], at: new Date(-1) },
];
/** Some breaks leave no saga: then there is nothing to say. */
const SAGA = /^import \{ saga \}[^]*^\s*@saga\b/m;
/** Fault schedules for each program. */
const SCHEDULES = 2;
/** Bodies that are held back, where it is sparing. */
const FEW = 6;
/** Programs that run at the same time. */
const ABREAST = 16;

class Tally {
  compiled = 0;
  holds = 0;
  crashes = 0;
  readonly endings = new Map<string, number>();

  ended(status: string): void {
    this.endings.set(status, (this.endings.get(status) ?? 0) + 1);
  }
}

/** Examines programs, all in one compile. */
export async function examine(
  texts: readonly string[],
  options: ExamineOptions = {},
): Promise<Examined> {
  const tally = new Tally();
  const complaints = await lettingRejectionsPass(() => examineAll(texts, options, tally));
  return {
    complaints,
    compiled: tally.compiled,
    holds: tally.holds,
    crashes: tally.crashes,
    endings: tally.endings,
  };
}

async function examineAll(
  texts: readonly string[],
  options: ExamineOptions,
  tally: Tally,
): Promise<Complaint[][]> {
  let batch: Batch;
  try {
    batch = new Batch(texts);
  } catch (error) {
    if (texts.length === 1) return [[{ by: "compiler", text: `it threw ${traceOf(error)}` }]];
    // Which of them it was, is found by halves.
    const middle = texts.length >> 1;
    const first = await examineAll(texts.slice(0, middle), options, tally);
    return [...first, ...(await examineAll(texts.slice(middle), options, tally))];
  }
  try {
    const isAsked =
      options.only === undefined || options.only === "types" || options.broken === true;
    const typeErrors = isAsked ? batch.typeErrors() : [];
    const found: Complaint[][] = texts.map(() => []);
    const work = [...batch.results.entries()];
    const worker = async (): Promise<void> => {
      for (let next = work.shift(); next !== undefined; next = work.shift()) {
        const [index, result] = next;
        const wrong = typeErrors.filter((line) => new RegExp(`^p${index}\\.`).test(line));
        found[index] = await examineOne(result, wrong, options, tally);
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, worker));
    return found;
  } finally {
    batch.close();
  }
}

async function examineOne(
  result: Result,
  typeErrors: readonly string[],
  options: ExamineOptions,
  tally: Tally,
): Promise<Complaint[]> {
  const { broken = false, only, sparing, sabotage = (generated) => generated } = options;
  const take = options.take ?? (() => Promise.resolve(inMemory()));
  const errors = result.diagnostics.filter(({ severity }) => severity === "error");
  const faults = errors.filter(({ code }) => !broken || code === "internal");
  if (faults.length > 0) {
    return faults.map(({ code, message, notes }) => {
      return { by: "compiler", text: `it says ${code}: ${message} ${notes.join(" ")}` };
    });
  }
  if (result.generated === undefined) {
    const reason = errors.length > 0 || !SAGA.test(result.text);
    return reason ? [] : [{ by: "compiler", text: "no definition, and no reason" }];
  }
  tally.compiled += 1;
  const unsound = typeErrors.filter((line) => !broken || line.includes(".saga.ts"));
  // A program that the type checker refuses has no meaning to compare with.
  if (broken && (typeErrors.length > unsound.length || !(await isLoadable(result)))) return [];
  if (unsound.length > 0) return unsound.map((text) => ({ by: "types", text }));
  if (only === "compiler" || only === "types") return [];
  // Where its saga lost its name or its decorator, another one may be all that is left.
  if (broken && !/^export const main\b/m.test(result.generated)) return [];
  const program = await load({ ...result, generated: sabotage(result.generated) });
  // The class may be called otherwise now.
  if (broken && typeof program.Program !== "function") return [];
  const isPlain = isStraight(program.main.manifest);
  const seed = seedOf(result.text);
  const complaints: Complaint[] = [];
  let unclear = false;
  const few =
    sparing === true ? variants.filter((_, place) => place === seed % variants.length) : variants;
  const isHeld = (place: number, of: number): boolean =>
    sparing !== true || of <= FEW || (place + seed) % Math.ceil(of / FEW) === 0;
  for (const given of isPlain ? [params] : few) {
    const { differences, holds, isAmbiguous } = await compareByGating(program, given, isHeld, take);
    tally.holds += holds;
    unclear ||= isAmbiguous;
    const when = given === params ? "" : `with ${JSON.stringify(given)}: `;
    complaints.push(...differences.map((text) => ({ by: "gates", text: when + text }) as const));
  }
  if (complaints.length > 0 || only === "gates") return complaints;
  // A statement that was put into a list.
  if (broken && unclear) return complaints;
  for (let schedule = 0; schedule < SCHEDULES; schedule++) {
    const faults = faultsOf(seed + schedule);
    const given = isPlain ? params : (variants[schedule % variants.length] as Params);
    const found = await compareWithReference(program, given, faults, await take());
    for (const status of found.endings) tally.ended(status);
    tally.crashes += found.crashes;
    // Broken programs may have what the reference does not read.
    if (found.unread !== undefined && broken) return complaints;
    if (found.unread !== undefined) complaints.push({ by: "reference", text: found.unread });
    complaints.push(...found.differences.map((text) => ({ by: "reference", text }) as const));
    await setImmediate();
  }
  return complaints;
}

/** Whether nothing in it depends on values: neither what is done, nor how often. */
function isStraight({ nodes }: Graph): boolean {
  return nodes.every((node) => {
    if (node.kind === "subsaga") return isStraight(node.graph);
    return node.kind === "action" || node.kind === "compute";
  });
}

/** Schedules follow from the program, so that it can be examined again alone. */
function seedOf(text: string): number {
  let seed = 7;
  for (let place = 0; place < text.length; place++) {
    seed = (seed * 31 + text.charCodeAt(place)) % 1_000_003;
  }
  return seed;
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
