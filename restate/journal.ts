/**
 * What a run has from Restate: what is journaled, the promises that it waits for, and its state. The
 * order in which waits end is Restate's, and is the same whenever the handler is begun anew. It knows
 * nothing of sagas; how their log is kept is in `kept-log.ts`.
 */
import { RestatePromise, type TerminalError, type WorkflowContext } from "@restatedev/restate-sdk";
import type { ActiveRun, RunRow, Write } from "steno-runtime/host";
import { LogWriter } from "./kept-log.js";
import { ROW, type StoredRow } from "./protocol.js";

/** Takes what a promise came to. */
type Take = (value: unknown, failure: TerminalError | undefined) => Promise<void>;

interface Wait {
  readonly promise: RestatePromise<Came>;
  readonly take: Take;
}
interface Came {
  readonly key: string;
  readonly value: unknown;
  readonly failure: TerminalError | undefined;
}

export class Journal {
  readonly ctx: WorkflowContext;
  readonly #mayGoOn: () => Promise<void>;
  readonly #waits = new Map<string, Wait>();
  readonly #log: LogWriter;
  #row: RunRow | undefined;

  /** `mayGoOn`: asked before anything that came is taken. */
  constructor(ctx: WorkflowContext, mayGoOn: () => Promise<void>) {
    this.ctx = ctx;
    this.#mayGoOn = mayGoOn;
    this.#log = new LogWriter((key, value) => ctx.set(key, value));
  }

  /** Waits for a promise beside others, once under each key. */
  wait<T>(
    key: string,
    promise: RestatePromise<T>,
    take: (value: T, failure: TerminalError | undefined) => Promise<void>,
  ): void {
    if (this.#waits.has(key)) return;
    const tagged = promise.map((value, failure): Came => ({ key, value, failure }));
    this.#waits.set(key, { promise: tagged, take: take as Take });
  }

  isWaiting(key: string): boolean {
    return this.#waits.has(key);
  }

  /** Waits for what comes next, of all that is waited for, and takes it. */
  async next(): Promise<void> {
    const promises = Array.from(this.#waits.values(), ({ promise }) => promise);
    const { key, value, failure } = await RestatePromise.race(promises);
    await this.#mayGoOn();
    const wait = this.#waits.get(key);
    this.#waits.delete(key);
    await wait?.take(value, failure);
  }

  /** Writes what of a run is not written: its new events, and its row if it has changed. */
  write(run: ActiveRun, now: number): void {
    const writes: Write[] = [];
    // It is never thought to wait for long: whether it is in memory is Restate's business.
    run.takeWrites(writes, now, Infinity);
    const before = this.#row;
    for (const write of writes) {
      if (write.kind === "create") this.#row = write.run;
      else if (write.kind === "append") this.#log.append(write.events);
      else if (write.kind === "update" && this.#row !== undefined) {
        const { status, reason, output, error, updatedAt } = write;
        this.#row = { ...this.#row, status, reason, output, error, updatedAt };
      }
    }
    if (this.#row !== before && this.#row !== undefined) this.ctx.set(ROW, stored(this.#row));
  }
}

function stored(row: RunRow): StoredRow {
  const { wakeAt: _wakeAt, params: _params, output: _output, reason, error, ...rest } = row;
  return {
    ...rest,
    ...(reason !== undefined && { reason }),
    ...(error !== undefined && { error }),
  };
}
