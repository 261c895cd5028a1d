/**
 * What a store is: the durable home of runs, their saga logs, their definitions and the requests
 * of operators. It knows no semantics: `machine.ts` decides what is written, `coordinator.ts` when.
 * Every store passes the contract suite in `contract.ts`.
 */
import type { LoggedEvent } from "../events.js";
import type { Manifest } from "../manifest.js";

/** Where a run is. `succeeded` and `undone` are final; `stuck` waits for an operator. */
export type RunStatus = "running" | "unwinding" | "stuck" | "succeeded" | "undone";

/** A run as its row says; everything else follows from its saga log. */
export interface RunRow {
  readonly id: string;
  /** The saga's name, and the hash of the definition that the run was started with. */
  readonly saga: string;
  readonly hash: string;
  /** Random, made at `start()`: part of every idempotency key of the run. */
  readonly nonce: string;
  /** JSON text; `undefined` for params that are `undefined`. */
  readonly params: string | undefined;
  readonly status: RunStatus;
  /** Why the run is not moving, machine-readable: `paused`, `crash-loop`, `definition-missing`, … */
  readonly reason: string | undefined;
  /** JSON text of the result, when it succeeded and is not `undefined`. */
  readonly output: string | undefined;
  /** JSON text of the first recorded failure, when it failed. */
  readonly error: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /**
   * When somebody has to look at the run, in milliseconds since the epoch: 0 while it acts, and so
   * still when its coordinator has died; `undefined` when only an event, another run or an operator
   * moves it, and when it is finished.
   */
  readonly wakeAt: number | undefined;
  /** The store knows that it is not what was written; then `reason` is `corrupt-log`. */
  readonly damaged?: true;
}

/** One change of the store. A commit applies a list of them, all or none, in order. */
export type Write =
  | { readonly kind: "create"; readonly run: RunRow }
  | { readonly kind: "append"; readonly run: string; readonly events: readonly LoggedEvent[] }
  | {
      readonly kind: "update";
      readonly run: string;
      readonly status: RunStatus;
      readonly reason: string | undefined;
      readonly output: string | undefined;
      readonly error: string | undefined;
      readonly updatedAt: number;
      readonly wakeAt: number | undefined;
      /** The ids of the runs that it starts or waits for, if they are others than before. */
      readonly awaits?: readonly string[];
    }
  /** The owner has a run no more, which only waits; where a store has one owner, it has them all. */
  | { readonly kind: "release"; readonly run: string }
  /** Deletes a run, its saga log, and what it awaits; its id is free again. */
  | { readonly kind: "remove"; readonly run: string }
  | { readonly kind: "define"; readonly manifest: Manifest }
  /** Keeps a text under a name, for the coordinators to come; without it, forgets it. */
  | { readonly kind: "keep"; readonly name: string; readonly value: string | undefined }
  /**
   * Removes a part, so that the commit stays short, of what nothing needs any more: what is left of
   * removed runs, and requests that were answered before this time, in milliseconds since the epoch.
   */
  | { readonly kind: "sweep"; readonly answeredBefore: number }
  | { readonly kind: "answer"; readonly request: number; readonly answer: RequestAnswer };

/** A command to the owner from another process. */
export interface StoreRequest {
  readonly id: number;
  readonly at: number;
  /** `pause`, `resume`, `unwind`, `retry`, `settle`, `send`, … */
  readonly command: string;
  readonly run: string | undefined;
  /** JSON text. */
  readonly args: string;
}

export type RequestAnswer =
  | { readonly ok: true; readonly value?: string }
  | { readonly ok: false; readonly code: string; readonly message: string };

export interface RunFilter {
  readonly saga?: string;
  readonly status?: readonly RunStatus[];
  /** Only runs of definitions with other hashes than these. */
  readonly hashNot?: readonly string[];
  /** Only runs that are not moving for this reason: `paused`, `stuck`, `waiting-event`, … */
  readonly reason?: string;
  /** Only runs that were created at this time or later, and before that; in ms since the epoch. */
  readonly createdFrom?: number;
  readonly createdBefore?: number;
  /** Only runs whose ids begin so. */
  readonly idPrefix?: string;
  /** Only runs after this one in the order of the list, by its id: it must still be there. */
  readonly after?: string;
  /** Only runs after this place: for paging. */
  readonly from?: Place;
  /** At most this many; 100 unless told. */
  readonly limit?: number;
}

/** A place in a list of runs: it stays right when runs are added, and when its own is removed. */
export interface Place {
  readonly createdAt: number;
  readonly key: number;
}

/** A run with its place: runs are listed by `createdAt`, and then in the order in which they were added. */
export interface ListedRun extends RunRow {
  readonly key: number;
}

/** Which runs have to be looked at. */
export interface DueFilter {
  /** Only runs whose `wakeAt` is at most this. */
  readonly until: number;
  /** Only runs after this one, in the order of `wakeAt` and then `id`. */
  readonly after?: { readonly wakeAt: number; readonly id: string };
  readonly limit: number;
}

/** Which finished runs may be removed; both conditions hold if both are given. */
export interface PruneFilter {
  /** Only runs that were finished before this time, in milliseconds since the epoch. */
  readonly before?: number;
  /** Not the runs that were finished last: so many of them. */
  readonly keep?: number;
  readonly limit: number;
}

/** An event with its place among those of all runs. */
export interface WatchedEvent {
  /** Grows with each event that is committed, also over restarts; never used again. */
  readonly cursor: number;
  /** The run's id. */
  readonly run: string;
  readonly saga: string;
  readonly event: LoggedEvent;
}

/** What any process may do, whoever owns the store. */
export interface StoreReader {
  run(id: string): Promise<RunRow | undefined>;
  /** In the order in which they were created. */
  runs(filter: RunFilter): Promise<readonly ListedRun[]>;
  /** What is kept by name. */
  kept(): Promise<ReadonlyMap<string, string>>;
  /** Events with `seq > after` (default: all), in order; at most `limit` if that is given. */
  events(run: string, after?: number, limit?: number): Promise<readonly LoggedEvent[]>;
  /** Events of all runs with `cursor > after`, in the order in which they were committed. */
  log(after: number, limit: number): Promise<readonly WatchedEvent[]>;
  /** The cursor of the event that was committed last; 0 if there was none. */
  lastCursor(): Promise<number>;
  /** The manifest that some run was started with. */
  definition(hash: string): Promise<Manifest | undefined>;
  /** Whether a coordinator owns the store now. */
  owned(): Promise<boolean>;
  /** Files a request for the owner; resolves to its id. */
  request(command: string, run: string | undefined, args: string): Promise<number>;
  /** The owner's answer, once there is one. */
  answer(request: number): Promise<RequestAnswer | undefined>;
  /** Only of a store that many processes have open at once, on several machines. */
  readonly shared?: SharedReader;
  close(): Promise<void>;
}

/** The name under which a store that is shared keeps that nothing new is to be started. */
export const DRAINING = "draining";

/** A run as it is to begin, for whoever takes it. */
export interface UnstartedRun {
  readonly row: RunRow;
  readonly events: readonly LoggedEvent[];
  readonly manifest: Manifest;
}

/** A transaction of the caller's on the database of the store; a client of `pg` is one. */
export interface Transaction {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** Hears what may have changed. What it hears may be wrong, late, or told twice: it looks itself. */
export interface ChangeListener {
  /** Runs without an owner are due now, or will be at this time. */
  readonly due?: (at: number) => void;
  /** There are requests. */
  readonly asked?: () => void;
  /** These runs may rest; without ids, any may. */
  readonly rested?: (ids: readonly string[] | undefined) => void;
  /** What is kept by name may be another. */
  readonly kept?: () => void;
  /** All that this owner had is no longer its own. */
  readonly fenced?: () => void;
}

/** What a process that owns no run may do besides, where others execute them. */
export interface SharedReader {
  /**
   * Adds a run that some owner then takes; it is there when the transaction is committed, if one is
   * given. Gives the run that has the id already, if there is one: then nothing is added, nor while the
   * store keeps something as `DRAINING`, which the same statement looks at.
   */
  start(run: UnstartedRun, transaction?: Transaction): Promise<"added" | RunRow | undefined>;
  /** Those of these runs that are finished or stuck, by their ids; `undefined` for those that are not there. */
  resting(ids: readonly string[]): Promise<ReadonlyMap<string, RunRow | undefined>>;
  /** Gives what ends it. */
  listen(listener: ChangeListener): () => void;
}

/** A run that now has this owner. */
export interface ClaimedRun {
  /** As it was before. */
  readonly row: RunRow;
  readonly events: readonly LoggedEvent[];
  /** How often in a row owners that had it have ended without a new event of it. */
  readonly takeovers: number;
}

/**
 * What an owner may do besides that shares the store with others, each with runs of its own. A run
 * has one owner, who made it or took it, until a commit says that it is finished or releases it.
 * An owner that was silent for too long loses all it had: its commits fail with `store-fenced`, and
 * it goes on as a new one, with a new epoch.
 */
export interface Fleet {
  /**
   * The time of the store, in milliseconds since the epoch: the clocks of the machines may differ.
   * Absent: theirs are used.
   */
  readonly now?: () => number;
  /** Takes runs that are due, have no owner, and are of the definitions that the store was opened for. */
  claim(filter: { readonly until: number; readonly limit: number }): Promise<readonly ClaimedRun[]>;
  /** Takes a run, whether it is due or not; `"elsewhere"`: another owner has it, or has to take it. */
  claimRun(id: string): Promise<ClaimedRun | "elsewhere" | undefined>;
  /** Tells those who wait elsewhere that a run may rest. */
  tellRested(id: string): void;
  /** Tells the others, soon, that runs without an owner are due. */
  tellDue(): void;
  /** Whether runs without an owner go on by themselves that it could take, sooner or later. */
  areWaiting(): Promise<boolean>;
}

/** What an owner may do besides; of most stores there is one at a time. */
export interface StoreOwner extends StoreReader {
  /** Only where a store has several owners at the same time. */
  readonly fleet?: Fleet;
  /** So many commits it takes at the same time, if none is of a run that another is of; 1 unless told. */
  readonly lanes?: number;
  /** Grows with each owner. Part of every write: the writes of a stale owner fail. */
  readonly epoch: number;
  /**
   * Applies the writes in one transaction; when it resolves, they are durable.
   * @throws StoreError `store-lost` when another owner has taken over: nothing was written.
   */
  commit(writes: readonly Write[]): Promise<void>;
  /** Requests without an answer, oldest first. */
  requests(): Promise<readonly StoreRequest[]>;
  /** Runs that have a `wakeAt`, in the order of it; where it is the same, in one by `id`. */
  due(filter: DueFilter): Promise<readonly RunRow[]>;
  /** The ids of the runs that await this one; without an id, of those that await a finished one. */
  awaiting(id?: string): Promise<readonly string[]>;
  /** The ids of finished runs that no run awaits, those first that were finished first. */
  prunable(filter: PruneFilter): Promise<readonly string[]>;
  /** Whether a `sweep` would remove anything. */
  unswept(answeredBefore: number): Promise<boolean>;
}

export interface OpenOptions {
  /** Hashes of the definitions whose runs this owner can go on with: it is given no others. */
  readonly definitions?: readonly string[];
}

/** A store that is not open yet: what `sqliteStore(path)` and `memoryStore()` return. */
export interface Store {
  /**
   * Opens it as its owner.
   * @throws StoreError `store-owned` when a living coordinator owns it.
   */
  open(options?: OpenOptions): Promise<StoreOwner>;
  /** Opens it for reading and for requests. */
  reader(): Promise<StoreReader>;
}
