/**
 * Makes durable what happened to runs. What falls due in one turn of the event loop, of all runs, is
 * one commit. Where a store takes several at a time (`StoreOwner.lanes`), what falls due meanwhile is
 * another; a run is in one at a time, so that what happened to it is written in its order. What
 * follows from what is durable is in `executor.ts`.
 */
import type { ActiveRun, Due } from "./active-run.js";
import { commitAll } from "./commit.js";
import type { StenoError } from "../errors.js";
import type { LoggedEvent } from "../events.js";
import type { StoreOwner, Write } from "../stores/store.js";

export interface CommitsOptions {
  readonly owner: StoreOwner;
  readonly now: () => number;
  readonly shortWaitMs: number;
  /** Events of a run are durable. */
  readonly onDurable: (run: ActiveRun, events: readonly LoggedEvent[]) => void;
  /** What was to be done when all before it is durable. */
  readonly act: (due: Due) => void;
  /** After that: what is written says of these runs what they are. */
  readonly onWritten: (runs: readonly ActiveRun[]) => void;
  /** The id of a new run is taken. */
  readonly onRefused: (run: ActiveRun) => void;
  /** Another coordinator goes on with a run. */
  readonly onFenced: (run: ActiveRun, error: StenoError) => void;
  /** The store cannot be written: nothing can go on. */
  readonly onLost: (error: Error) => void;
  /** A commit has ended. */
  readonly onEnd: () => void;
}

/** Who waits until something is durable. */
interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Only what happened to this run; else all that happened. */
  readonly run: ActiveRun | undefined;
  /** So many commits have still to end. */
  left: number;
}

/** What one commit is of. */
interface Batch {
  readonly writes: Write[];
  readonly runs: readonly ActiveRun[];
  readonly acting: readonly Due[];
  readonly waiters: Waiter[];
}

/** What of a run a commit holds. */
type Written = readonly [ActiveRun, readonly LoggedEvent[]];

export class Commits {
  readonly #options: CommitsOptions;
  readonly #lanes: number;
  /** Each once, with the flag `dirty`. */
  #dirty: ActiveRun[] = [];
  #acting: Due[] = [];
  #writes: Write[] = [];
  #waiters: Waiter[] = [];
  /** Of runs whose next commit has to wait for their last: who waits for it. */
  readonly #later = new Map<ActiveRun, Waiter[]>();
  /** Those that are under way: mostly one. (V8 makes the table of a set anew with each of few that comes and goes.) */
  readonly #batches: Batch[] = [];
  /** What is under way is of no single run: nothing comes beside it. */
  #isAlone = false;
  #scheduled = false;
  #lost: Error | undefined;

  constructor(options: CommitsOptions) {
    this.#options = options;
    this.#lanes = options.owner.lanes ?? 1;
  }

  get lost(): Error | undefined {
    return this.#lost;
  }

  get areBusy(): boolean {
    return this.#scheduled || this.#batches.length > 0 || this.#dirty.length > 0;
  }

  /** The next commit looks at the run. */
  taint(run: ActiveRun): void {
    if (!run.dirty) {
      run.dirty = true;
      this.#dirty.push(run);
    }
    this.#schedule();
  }

  write(write: Write): void {
    this.#writes.push(write);
    this.#schedule();
  }

  /** What was to be said of runs that others have now is not true of them. */
  lose(): void {
    this.#writes = this.#writes.filter(isOfStore);
  }

  /** To be done when all that happened to its run so far is durable. */
  actAfter(due: Due): void {
    this.#acting.push(due);
  }

  /** Resolves when all that has happened so far is durable: to this run, if one is given. */
  durable(run?: ActiveRun): Promise<void> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject, run, left: 0 });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#isAlone || this.#lost !== undefined) return;
    if (this.#batches.length >= this.#lanes) return;
    this.#scheduled = true;
    // After everything that is due in this turn of the event loop.
    setImmediate(() => {
      this.#scheduled = false;
      this.#begin();
    });
  }

  #begin(): void {
    // It may have been lost since: what comes after what was not written must not be.
    if (this.#lost !== undefined) return;
    // What is of no single run comes after all that was before it, and before all that comes after it.
    const isAlone = this.#lanes > 1 && this.#writes.some(isOfAll);
    if (isAlone && this.#batches.length > 0) return;
    const batch = this.#take();
    this.#assign(batch);
    const { writes, runs, acting, waiters } = batch;
    if (writes.length + runs.length + acting.length + waiters.length === 0) return;
    this.#isAlone = isAlone;
    this.#batches.push(batch);
    this.#commit(batch);
  }

  /** All but what is of runs that are in a commit now. */
  #take(): Batch {
    const writes = this.#writes;
    let runs = this.#dirty;
    let acting = this.#acting;
    this.#writes = [];
    this.#dirty = [];
    this.#acting = [];
    if (this.#batches.length > 0) {
      this.#dirty = runs.filter(isCommitting);
      this.#acting = acting.filter(({ run }) => run.committing);
      runs = runs.filter((run) => !run.committing);
      acting = acting.filter(({ run }) => !run.committing);
    }
    return { writes, runs, acting, waiters: [] };
  }

  /** Who waits, waits for this batch, those that are under way, and those that have to come after them. */
  #assign(batch: Batch): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    if (this.#later.size > 0) {
      for (const run of batch.runs) {
        batch.waiters.push(...(this.#later.get(run) ?? []));
        this.#later.delete(run);
      }
    }
    if (this.#batches.length === 0) {
      for (const waiter of waiters) waiter.left = 1;
      batch.waiters.push(...waiters);
      return;
    }
    for (const waiter of waiters) {
      const { run } = waiter;
      const batches = run === undefined || !run.committing ? [batch] : [];
      for (const other of this.#batches) {
        if (run === undefined || other.runs.includes(run)) batches.push(other);
      }
      const runs = this.#dirty.filter((each) => run === undefined || each === run);
      waiter.left = batches.length + runs.length;
      for (const each of batches) each.waiters.push(waiter);
      for (const each of runs) this.#waitLater(each, waiter);
    }
  }

  #waitLater(run: ActiveRun, waiter: Waiter): void {
    const waiters = this.#later.get(run);
    if (waiters === undefined) this.#later.set(run, [waiter]);
    else waiters.push(waiter);
  }

  #commit(batch: Batch): void {
    const { runs, writes } = batch;
    const { owner, now, shortWaitMs } = this.#options;
    const at = now();
    const written: Written[] = [];
    for (const run of runs) {
      run.dirty = false;
      run.committing = true;
      if (run.refused) continue;
      written.push([run, run.unwritten]);
      run.takeWrites(writes, at, shortWaitMs);
    }
    if (writes.length === 0) {
      this.#committed(batch, written);
      return;
    }
    commitAll(
      owner,
      writes,
      (refused) => this.#committed(batch, written, refused),
      (error) => this.#failed(batch, error),
    );
  }

  #committed(batch: Batch, written: readonly Written[], refused?: ReadonlySet<string>): void {
    for (const run of refused === undefined ? [] : batch.runs) {
      if (refused?.has(run.id) !== true) continue;
      run.refused = true;
      this.#options.onRefused(run);
    }
    this.#end(batch);
    for (const [run, { length }] of written) run.durable += length;
    for (const waiter of batch.waiters) if (--waiter.left === 0) waiter.resolve();
    if (this.#lost === undefined) this.#goOn(batch, written);
    this.#options.onEnd();
  }

  #end(batch: Batch): void {
    for (const run of batch.runs) run.committing = false;
    this.#batches.splice(this.#batches.indexOf(batch), 1);
    this.#isAlone = false;
  }

  #goOn({ acting, runs }: Batch, written: readonly Written[]): void {
    const { onDurable, act, onWritten } = this.#options;
    for (const [run, events] of written) {
      if (!run.refused && events.length > 0) onDurable(run, events);
    }
    for (const due of acting) if (!due.run.refused) act(due);
    onWritten(runs);
    this.#scheduleRest();
  }

  #scheduleRest(): void {
    if (this.#dirty.length > 0 || this.#writes.length > 0 || this.#waiters.length > 0) {
      this.#schedule();
    }
  }

  #failed(batch: Batch, error: unknown): void {
    const { onFenced, onLost, onEnd } = this.#options;
    this.#end(batch);
    if ((error as Partial<StenoError>).code === "store-fenced") {
      // Others go on with what it had: of that, nothing counts any more.
      for (const run of batch.runs) onFenced(run, error as StenoError);
      for (const { reject } of batch.waiters) reject(error as Error);
      // Runs that were started meanwhile rely on it that their definitions are there.
      this.#writes.unshift(...batch.writes.filter(({ kind }) => kind === "define"));
      this.#schedule();
    } else if (this.#lost === undefined) {
      this.#lost = error instanceof Error ? error : new Error(String(error));
      for (const { reject } of this.#allWaiters(batch)) reject(this.#lost);
      onLost(this.#lost);
    }
    onEnd();
  }

  /** All who wait for what is not under way, or was in this batch. */
  #allWaiters(batch: Batch): readonly Waiter[] {
    const waiters = [...batch.waiters, ...this.#waiters, ...[...this.#later.values()].flat()];
    this.#waiters = [];
    this.#later.clear();
    return waiters;
  }
}

function isCommitting({ committing }: ActiveRun): boolean {
  return committing;
}

/** Whether it holds whoever has the runs. */
function isOfStore({ kind }: Write): boolean {
  return kind !== "answer" && kind !== "release" && kind !== "update";
}

/** Whether it says something about what other commits hold. */
function isOfAll({ kind }: Write): boolean {
  return kind === "define" || kind === "keep" || kind === "answer";
}
