/**
 * A list of numbers, read as decisions. Whatever the numbers are, what is made of them is valid, so
 * that a list can be shrunk by whoever knows nothing of programs. Used up, all answers are 0: the
 * first of each table, which is the simplest.
 */
import fc from "fast-check";

export class Choices {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get usedUp(): boolean {
    return this.#next >= this.#numbers.length;
  }

  /** From 0 up to below the bound. */
  below(bound: number): number {
    const number = this.#numbers[this.#next] ?? 0;
    this.#next += 1;
    return number % bound;
  }

  /** True once in so many times; never when the numbers are used up. */
  oneIn(times: number): boolean {
    return this.below(times) === times - 1;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** Picks with weights; those that do not fit are passed over. */
  weighted<T extends { readonly weight: number }>(list: readonly T[]): T {
    const total = list.reduce((sum, { weight }) => sum + weight, 0);
    let place = this.below(total);
    return list.find(({ weight }) => (place -= weight) < 0) as T;
  }
}

/** Lists of numbers that are long enough for a program one still wants to read. */
const numbers: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 9999 }), {
  minLength: 30,
  maxLength: 220,
  size: "max",
});

/** The numbers of a seed. */
export function numbersOf(seed: number): number[] {
  const [found] = fc.sample(fc.noBias(numbers), { seed, numRuns: 1 });
  return found as number[];
}
