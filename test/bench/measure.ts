/** What a benchmark is, and the few ways of measuring that they share. It knows nothing of steno. */
import { performance } from "node:perf_hooks";

/** One line of the result. `ratio` is value over limit; `ok` says whether it is within the target. */
export interface Measured {
  readonly value: number;
  readonly unit: string;
  readonly limit?: number;
  readonly ratio?: number;
  readonly target?: string;
  readonly ok?: boolean;
}

export interface Bench {
  readonly name: string;
  run(): Promise<Measured>;
}

/** How long it took, in milliseconds. */
export async function time(run: () => unknown): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the share `of` of all lies: 0.99 for p99. */
export function quantile(values: readonly number[], of: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length * of)];
  if (value === undefined) throw new Error("a quantile needs at least one value");
  return value;
}

/** Measures two things by turns, so that a noisy moment hits both; the median of each. */
export async function byTurns(
  rounds: number,
  one: () => Promise<number>,
  other: () => Promise<number>,
): Promise<readonly [number, number]> {
  const results: { readonly one: number; readonly other: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    results.push({ one: await one(), other: await other() });
  }
  return [median(results.map((r) => r.one)), median(results.map((r) => r.other))];
}
