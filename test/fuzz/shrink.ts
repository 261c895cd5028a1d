/**
 * Makes a failing program small: candidates are examined many at a time, since a compile of many
 * costs hardly more than a compile of one.
 */
/** Candidates that are examined together: at first few, since most shrinking is done by the first. */
const FEWEST = 8;
const MOST = 64;

export interface ShrinkOptions<T> {
  /** Smaller ones, the smallest first. */
  readonly smaller: (value: T) => Iterable<T>;
  /** Which of them fail. */
  readonly fail: (candidates: readonly T[]) => Promise<readonly boolean[]>;
  /** After so long what there is must do. */
  readonly withinMs: number;
}

/** Goes from a failing value to smaller ones as long as one of them fails too. */
export async function shrink<T>(failing: T, options: ShrinkOptions<T>): Promise<T> {
  const until = performance.now() + options.withinMs;
  let smallest = failing;
  while (performance.now() < until) {
    const next = await firstFailing(options.smaller(smallest), options.fail, until);
    if (next === undefined) return smallest;
    smallest = next;
  }
  return smallest;
}

async function firstFailing<T>(
  candidates: Iterable<T>,
  fail: ShrinkOptions<T>["fail"],
  until: number,
): Promise<T | undefined> {
  let group: T[] = [];
  let size = FEWEST;
  const look = async (): Promise<T | undefined> => {
    const failed = group.length === 0 ? [] : await fail(group);
    const found = group.find((_, index) => failed[index]);
    group = [];
    return found;
  };
  for (const candidate of candidates) {
    group.push(candidate);
    if (group.length < size) continue;
    size = Math.min(MOST, size * 2);
    const found = await look();
    if (performance.now() > until) return found;
    if (found !== undefined) return found;
  }
  return look();
}

/** Shorter lists of numbers, then such with smaller numbers; many at once first. */
export function* smallerNumbers(list: readonly number[]): Iterable<number[]> {
  yield* without(list);
  for (const [start, end] of chunks(list.length)) {
    const zeros = list.map((number, index) => (index >= start && index < end ? 0 : number));
    if (zeros.some((number, index) => number !== list[index])) yield zeros;
  }
  for (const [index, number] of list.entries()) {
    if (number > 1) yield list.with(index, number >> 1);
    if (number > 1) yield list.with(index, number - 1);
  }
}

/** Texts without some of their lines. */
export function* smallerText(text: string): Iterable<string> {
  for (const lines of without(text.split("\n"))) yield lines.join("\n");
}

function* without<T>(list: readonly T[]): Iterable<T[]> {
  for (const [start, end] of chunks(list.length)) {
    yield [...list.slice(0, start), ...list.slice(end)];
  }
}

/** Ranges of a list: its halves, its quarters, and so on. */
function* chunks(length: number): Iterable<readonly [start: number, end: number]> {
  for (let size = Math.ceil(length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < length; start += size)
      yield [start, Math.min(start + size, length)];
  }
}
