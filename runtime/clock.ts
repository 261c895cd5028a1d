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

/** Items by due time: a binary heap with one timer of the clock. An item that is stale is the taker's to see. */
export class TimerHeap<T> {
  readonly #heap: Entry<T>[] = [];
  readonly #clock: Clock;
  readonly #take: (item: T) => void;
  #armed: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, take: (item: T) => void) {
    this.#clock = clock;
    this.#take = take;
  }

  add(at: number, item: T): void {
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
    this.#heap.length = 0;
    this.#armed?.cancel();
    this.#armed = undefined;
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
