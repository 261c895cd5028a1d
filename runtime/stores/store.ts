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
    }
  | { readonly kind: "define"; readonly manifest: Manifest }
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
  /** Only runs after this id, in the order of the list: for paging. */
  readonly after?: string;
  /** At most this many; 100 unless told. */
  readonly limit?: number;
}

/** What any process may do, whoever owns the store. */
export interface StoreReader {
  run(id: string): Promise<RunRow | undefined>;
  /** In the order in which they were created. */
  runs(filter: RunFilter): Promise<readonly RunRow[]>;
  /** Events with `seq > after` (default: all), in order. */
  events(run: string, after?: number): Promise<readonly LoggedEvent[]>;
  /** The manifest that some run was started with. */
  definition(hash: string): Promise<Manifest | undefined>;
  /** Whether a coordinator owns the store now. */
  owned(): Promise<boolean>;
  /** Files a request for the owner; resolves to its id. */
  request(command: string, run: string | undefined, args: string): Promise<number>;
  /** The owner's answer, once there is one. */
  answer(request: number): Promise<RequestAnswer | undefined>;
  close(): Promise<void>;
}

/** What the one owner may do besides. */
export interface StoreOwner extends StoreReader {
  /** Grows with each owner. Part of every write: the writes of a stale owner fail. */
  readonly epoch: number;
  /**
   * Applies the writes in one transaction; when it resolves, they are durable.
   * @throws StoreError `store-lost` when another owner has taken over: nothing was written.
   */
  commit(writes: readonly Write[]): Promise<void>;
  /** Requests without an answer, oldest first. */
  requests(): Promise<readonly StoreRequest[]>;
}

/** A store that is not open yet: what `sqliteStore(path)` and `memoryStore()` return. */
export interface Store {
  /**
   * Opens it as its owner.
   * @throws StoreError `store-owned` when a living coordinator owns it.
   */
  open(): Promise<StoreOwner>;
  /** Opens it for reading and for requests. */
  reader(): Promise<StoreReader>;
}
