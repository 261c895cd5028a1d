/**
 * Watching: the events of one run, or of all, in the order in which they became durable, as async
 * iterators. They read the store page by page, so that whoever is slow costs no memory, and whoever
 * comes back with a cursor misses nothing and gets nothing twice. They change nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { LoggedEvent } from "../events.js";
import type { StoreReader, WatchedEvent } from "../stores/store.js";

export interface WatchOptions {
  /** The cursor of the last event that is known. */
  readonly after?: number;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** Events that are read at a time. */
const PAGE = 500;

/** What a watch needs to know of whoever writes the store. */
export interface Source {
  readonly reader: () => StoreReader;
  /** Resolves when there may be something new. To be asked for before the store is read. */
  readonly changed: () => Promise<void>;
  /** Whether nothing new will come from here. */
  readonly isClosed: () => boolean;
}

/** Tells watchers that something is durable. */
export class Changes {
  /** Others write the store, too: it is looked at so often, in milliseconds. */
  readonly #pollMs: number | undefined;
  #waiting: (() => void)[] = [];
  #next: Promise<void> | undefined;
  closed = false;

  constructor(pollMs?: number) {
    this.#pollMs = pollMs;
  }

  changed(): Promise<void> {
    if (this.closed) return Promise.resolve();
    if (this.#next === undefined && this.#pollMs !== undefined) {
      setTimeout(() => this.tell(), this.#pollMs).unref();
    }
    this.#next ??= new Promise((resolve) => this.#waiting.push(resolve));
    return this.#next;
  }

  tell(): void {
    if (this.#next === undefined) return;
    this.#next = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  close(): void {
    this.closed = true;
    this.tell();
  }
}

/** Another process writes the store: it is looked at now and then. */
export function polled(reader: StoreReader, pollMs: number): Source {
  return { reader: () => reader, changed: () => sleep(pollMs), isClosed: () => false };
}

/**
 * The events of a run, those that it has and those that come; ends when the run is finished, or was
 * removed, whoever has its id then. `nonce`: of the run; without it, of the one that has the id now.
 */
export function watchRun(
  source: Source,
  id: string,
  options: WatchOptions = {},
  nonce?: string,
): AsyncGenerator<LoggedEvent, void, undefined> {
  return untilClosed(source, watchOne(source, id, options, nonce));
}

async function* watchOne(
  source: Source,
  id: string,
  { after = -1, signal }: WatchOptions,
  nonce: string | undefined,
): AsyncGenerator<LoggedEvent, void, undefined> {
  let last = after;
  let which = nonce;
  for (;;) {
    if (isAborted(signal) || source.isClosed()) return;
    const changed = source.changed();
    const reader = source.reader();
    // Before its events: what finished it may come in between.
    const row = await reader.run(id);
    which ??= row?.nonce;
    if (row === undefined || row.nonce !== which) return;
    const isFinished = row.status === "succeeded" || row.status === "undone";
    const page = await reader.events(id, last, PAGE);
    // What is not finished is not removed: these are its events.
    if (isFinished && (await reader.run(id))?.nonce !== which) return;
    for (const event of page) {
      last = event.seq;
      yield event;
      if (isAborted(signal)) return;
    }
    if (page.length > 0) continue;
    if (isFinished) return;
    await until(changed, signal);
  }
}

/**
 * The events of all runs that become durable from now on, or after a cursor: 0 is before the first.
 * Those of runs that were removed meanwhile are not there any more.
 */
export function watchAll(
  source: Source,
  { after, signal }: WatchOptions = {},
): AsyncGenerator<WatchedEvent, void, undefined> {
  // From now on, and not from when it is iterated first.
  const from = after === undefined ? source.reader().lastCursor() : Promise.resolve(after);
  // It may never be iterated.
  from.catch(() => undefined);
  return untilClosed(source, watchFrom(source, from, signal));
}

async function* watchFrom(
  source: Source,
  from: Promise<number>,
  signal: AbortSignal | undefined,
): AsyncGenerator<WatchedEvent, void, undefined> {
  let last = await from;
  for (;;) {
    if (isAborted(signal) || source.isClosed()) return;
    const changed = source.changed();
    const page = await source.reader().log(last, PAGE);
    for (const event of page) {
      last = event.cursor;
      yield event;
      if (isAborted(signal)) return;
    }
    if (page.length === 0) await until(changed, signal);
  }
}

/** A store that is closed while it is read says so: that is the end, and no failure. */
async function* untilClosed<T>(
  source: Source,
  events: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* events;
  } catch (error) {
    if (!source.isClosed()) throw error;
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

async function until(changed: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return changed;
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  signal.addEventListener("abort", stop, { once: true });
  await Promise.race([changed, stopped]);
  signal.removeEventListener("abort", stop);
}
