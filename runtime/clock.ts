/** Time, as a coordinator sees it, and one timer for all that its runs wait for. */

/** Where a coordinator gets its time from. The testing kit has one that is moved by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back at a time, once; the function that is returned prevents it. */
  setTimer(at: number, call: () => void): () => void;
}

/** Node's timers hold 31 bits of milliseconds, which is 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (at, call) => {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = at - Date.now();
      timer =
        left > LONGEST_TIMER_MS
          ? setTimeout(arm, LONGEST_TIMER_MS)
          : setTimeout(call, Math.max(0, left));
    };
    arm();
    return () => clearTimeout(timer);
  },
};

interface Entry<T> {
  readonly at: number;
  readonly item: T;
}

/** A heap this small is not worth looking through for what is stale. */
const SMALL_HEAP = 1000;

/**
 * Items by due time: a binary heap with one timer of the clock. An item that is stale is the taker's
 * to see; now and then all of those are dropped, so that timeouts of an hour do not keep an hour's runs.
 */
export class TimerHeap<T> {
  #heap: Entry<T>[] = [];
  /** When it has grown to this, what is stale is dropped. */
  #limit = SMALL_HEAP;
  readonly #isLive: (item: T) => boolean;
  readonly #clock: Clock;
  readonly #take: (item: T) => void;
  #armed: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, take: (item: T) => void, isLive: (item: T) => boolean) {
    this.#clock = clock;
    this.#take = take;
    this.#isLive = isLive;
  }

  /** How many items it holds, stale ones included. */
  get size(): number {
    return this.#heap.length;
  }

  add(at: number, item: T): void {
    if (this.#heap.length >= this.#limit) this.#dropStale();
    const heap = this.#heap;
    const entry = { at, item };
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = heap[above] as Entry<T>;
      if (other.at <= at) break;
      heap[place] = other;
      place = above;
    }
    heap[place] = entry;
    if (place === 0) this.#arm();
  }

  /** Forgets everything. */
  clear(): void {
    this.#heap = [];
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  #dropStale(): void {
    // A sorted array is a heap; the timer that is armed may find nothing due, which does no harm.
    this.#heap = this.#heap.filter(({ item }) => this.#isLive(item)).sort((a, b) => a.at - b.at);
    this.#limit = Math.max(SMALL_HEAP, 2 * this.#heap.length);
  }

  #arm(): void {
    const next = this.#heap[0];
    if (next === undefined || this.#armed?.at === next.at) return;
    this.#armed?.cancel();
    const cancel = this.#clock.setTimer(next.at, () => this.#fire());
    this.#armed = { at: next.at, cancel };
  }

  #fire(): void {
    this.#armed = undefined;
    const now = this.#clock.now();
    for (let next = this.#heap[0]; next !== undefined && next.at <= now; next = this.#heap[0]) {
      this.#removeFirst();
      this.#take(next.item);
    }
    this.#arm();
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry<T>;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && right.at < (heap[below] as Entry<T>).at) below += 1;
      const other = heap[below] as Entry<T>;
      if (other.at >= last.at) break;
      heap[place] = other;
      place = below;
    }
    heap[place] = last;
  }
}
