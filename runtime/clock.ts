/** Time, as a coordinator sees it, and one timer for all that its runs wait for. */

/** Where a coordinator gets its time from. The testing kit has one that is moved by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back at a time, once; the function that is returned prevents it. */
  setTimer(at: number, call: () => void): () => void;
}

/**
 * How long a timer sleeps before it looks at the clock again: the clock may be set, or the machine
 * be suspended, and Node's timers know neither. (Besides, they hold 31 bits, which is 24 days.)
 */
const LONGEST_SLEEP_MS = 10_000;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (at, call) => {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = at - Date.now();
      if (left > 0) timer = setTimeout(arm, Math.min(left, LONGEST_SLEEP_MS));
      else call();
    };
    timer = setTimeout(arm, Math.min(Math.max(at - Date.now(), 0), LONGEST_SLEEP_MS));
    return () => clearTimeout(timer);
  },
};

/** An item that waits for its time; without the item once it is taken, or of no interest any more. */
export interface Timer<T> {
  readonly at: number;
  item: T | undefined;
}

/** A heap this small is not worth looking through for what is stale. */
const SMALL_HEAP = 1000;

/**
 * Items by due time: a binary heap with one timer of the clock. One that is of no interest any more
 * is cancelled, so that timeouts of an hour do not keep an hour's runs; its place in the heap is
 * freed now and then.
 */
export class TimerHeap<T> {
  #heap: Timer<T>[] = [];
  /** When it has grown to this, what is cancelled is dropped. */
  #limit = SMALL_HEAP;
  readonly #clock: Clock;
  readonly #take: (item: T, timer: Timer<T>) => void;
  #armed: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, take: (item: T, timer: Timer<T>) => void) {
    this.#clock = clock;
    this.#take = take;
  }

  /** How many items it holds, cancelled ones included. */
  get size(): number {
    return this.#heap.length;
  }

  add(at: number, item: T): Timer<T> {
    if (this.#heap.length >= this.#limit) this.#dropCancelled();
    const heap = this.#heap;
    const entry: Timer<T> = { at, item };
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = heap[above] as Timer<T>;
      if (other.at <= at) break;
      heap[place] = other;
      place = above;
    }
    heap[place] = entry;
    if (place === 0) this.#arm();
    return entry;
  }

  /** Its item is not taken, and not held any more. */
  cancel(timer: Timer<T>): void {
    timer.item = undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#heap = [];
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  #dropCancelled(): void {
    // A sorted array is a heap; the timer that is armed may find nothing due, which does no harm.
    this.#heap = this.#heap.filter(({ item }) => item !== undefined).sort((a, b) => a.at - b.at);
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
      const { item } = next;
      if (item !== undefined) this.#take(item, next);
    }
    this.#arm();
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer<T>;
    if (heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && right.at < (heap[below] as Timer<T>).at) below += 1;
      const other = heap[below] as Timer<T>;
      if (other.at >= last.at) break;
      heap[place] = other;
      place = below;
    }
    heap[place] = last;
  }
}
