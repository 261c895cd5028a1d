/** Compares a whole case file, or a part of it, and counts. It prints nothing; that is `main.ts`. */
import { compareLine, type Compared } from "./compare.js";
import { compileAll } from "./compile.js";
import type { Line } from "./dag.js";
import { reasonOf, type Reason } from "./reasons.js";

export interface Verdict {
  readonly line: Line;
  readonly compared: Compared;
  /** Why it differs; `undefined` if it does not, or for no stated reason. */
  readonly reason: Reason | undefined;
}

/**
 * The verdict on each of the lines. `all` has those that recoveries among them are of.
 * @throws if a line is of a saga that is not in the file: none may be left out
 */
export async function compareAll(lines: readonly Line[], all = lines): Promise<Verdict[]> {
  const byId = new Map(all.map((line) => [line.id, line]));
  if (byId.size !== all.length) throw new Error("two lines have the same id");
  const baseOf = (line: Line): Line => {
    const base = line.base === undefined ? line : byId.get(line.base);
    if (base?.input.saga === undefined) throw new Error(`${line.id} has no saga in the file`);
    return base;
  };
  const compiled = await compileAll([...new Set(lines.map(baseOf))]);
  const verdicts: Verdict[] = [];
  for (const line of lines) {
    const base = baseOf(line);
    const of = compiled.get(base.id);
    if (of === undefined) throw new Error(`${base.id} was not compiled`);
    const compared = await compareLine(line, base, of).catch((error: unknown): Compared => {
      // What cannot be run differs, and the others are compared all the same.
      const here = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
      const differences = [{ aspect: "refusal", steno: [], here } as const];
      return { line, outcome: line.outcome, differences };
    });
    const reason = compared.differences.length === 0 ? undefined : reasonOf(compared);
    verdicts.push({ line, compared, reason });
  }
  return verdicts;
}

export interface Count {
  readonly equal: number;
  readonly reasons: ReadonlyMap<Reason, number>;
  readonly unexplained: readonly Verdict[];
}

export function count(verdicts: readonly Verdict[]): Count {
  const reasons = new Map<Reason, number>();
  const unexplained: Verdict[] = [];
  let equal = 0;
  for (const verdict of verdicts) {
    const { compared, reason } = verdict;
    if (compared.differences.length === 0) equal += 1;
    else if (reason === undefined) unexplained.push(verdict);
    else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return { equal, reasons, unexplained };
}

/** `compared N, equal E, differ D for k reasons, skipped 0`. */
export function summary(compared: number, { equal, reasons }: Count, given: number): string {
  return (
    `compared ${compared}, equal ${equal}, differ ${compared - equal} ` +
    `for ${reasons.size} reasons, skipped ${given - compared}`
  );
}
