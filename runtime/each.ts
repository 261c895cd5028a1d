/**
 * `each()`: what is done for the items of a list, side by side, with a limit on how many run at a
 * time and with names of their own. The compiler makes a map of it; here is what it means on a class
 * that was not compiled, which is the same.
 */
import { StenoError } from "./errors.js";

/** How the items of {@link each} run. In a saga method these are written out where it is called. */
export interface EachOptions<T> {
  /** At most so many items run at a time, in the order of the list: a whole number from 1. Default: all. */
  readonly concurrency?: number;
  /**
   * What an item is called in paths of nodes, in place of its number: `nics[eth0]/create`. A pure
   * function of the item; two items of one list may not have the same.
   */
  readonly key?: (item: T, index: number) => string;
}

/**
 * Does something for each item of a list, and gives what comes of it as a list in the same order:
 * `await each(params.nics, { concurrency: 3, key: (nic) => nic.name }, (nic) => this.attach(nic))`.
 * Like `Promise.all(items.map(run))`, and from the first failure on no further item is begun.
 * @throws StenoError `duplicate-key`, `wrong-options`
 */
export async function each<T, R>(
  items: readonly T[],
  options: EachOptions<T>,
  run: (item: T, index: number) => PromiseLike<R> | R,
): Promise<R[]> {
  const { concurrency = Infinity, key } = options;
  if (!(concurrency === Infinity || Number.isInteger(concurrency)) || concurrency < 1) {
    throw new StenoError(
      "wrong-options",
      `each() was given concurrency ${concurrency}: it is a whole number from 1`,
    );
  }
  const list = [...items];
  if (key !== undefined) checkKeys(list.map((item, index) => String(key(item, index))));
  const results: R[] = [];
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    while (next < list.length && !failed) {
      const index = next++;
      try {
        results[index] = await run(list[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, list.length) }, work));
  return results;
}

function checkKeys(keys: readonly string[]): void {
  const taken = new Set<string>();
  for (const key of keys) {
    if (taken.has(key)) {
      throw new StenoError(
        "duplicate-key",
        `two items have the key ${JSON.stringify(key)}: keys name items, so each needs its own`,
      );
    }
    taken.add(key);
  }
}
