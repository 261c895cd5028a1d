/**
 * A run that a coordinator has in memory: its state, what of its log is not written yet, and who
 * waits for it. It decides nothing.
 */
import type { LoggedEvent } from "./events.js";
import type { LoadedSaga } from "./loaded-saga.js";
import { hitOf } from "./machine/breakpoints.js";
import { errorText } from "./recorded-error.js";
import { type Frame, type RunState, statusOf } from "./state.js";
import type { RunRow, RunStatus, Write } from "./stores/store.js";
import type { Attempt } from "./attempt.js";

export class ActiveRun {
  readonly id: string;
  readonly nonce: string;
  readonly loaded: LoadedSaga;
  state: RunState;
  /** The place of the next event in the log. */
  seq: number;
  /** Events that are not in a commit yet. */
  unwritten: LoggedEvent[] = [];
  /** The row, when the run is not in the store yet. */
  created: RunRow | undefined;
  /** What the row says now. */
  status: RunStatus;
  reason: string | undefined;
  /** The objects whose methods are the actions of inner frames. */
  readonly instances = new Map<Frame, object>();
  /** Bodies that are called now, of which somebody may want to abort the signal. */
  readonly attempts = new Map<string, Attempt>();
  readonly #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    [];
  /** Whether it is finished, or stuck, and the log says so durably. */
  atRest = false;
  /** Its id was taken when it was to be written: there is no such run. */
  refused = false;

  constructor(loaded: LoadedSaga, row: RunRow, state: RunState, seq: number) {
    this.id = row.id;
    this.nonce = row.nonce;
    this.loaded = loaded;
    this.state = state;
    this.seq = seq;
    this.status = row.status;
    this.reason = row.reason;
  }

  /** Resolves when the run rests. */
  rest(): Promise<void> {
    if (this.atRest) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  settleRest(): void {
    this.atRest = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** Tells whoever waits that it cannot be known here. */
  giveUp(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** What has to be written; it counts as written from now on. */
  takeWrites(writes: Write[], now: number): void {
    if (this.created !== undefined) {
      writes.push({ kind: "create", run: this.created });
      this.created = undefined;
    }
    if (this.unwritten.length > 0) {
      writes.push({ kind: "append", run: this.id, events: this.unwritten });
      this.unwritten = [];
    }
    const status = statusOf(this.state);
    const reason = reasonOf(this.state, status);
    if (status === this.status && reason === this.reason) return;
    this.status = status;
    this.reason = reason;
    const [first] = this.state.failures;
    writes.push({
      kind: "update",
      run: this.id,
      status,
      reason,
      output: this.state.output,
      error: first === undefined ? undefined : errorText(first),
      updatedAt: now,
      wakeAt: this.state.finished === undefined ? 0 : undefined,
    });
  }
}

/** Why a run is not moving, machine-readable. */
function reasonOf(state: RunState, status: RunStatus): string | undefined {
  const { paused, finished, stuck, held } = state;
  if (finished !== undefined) return undefined;
  if (paused !== undefined) {
    if (hitOf(paused) !== undefined) return "breakpoint";
    return paused === '"crash-loop"' ? "crash-loop" : "paused";
  }
  if (status !== "stuck") return undefined;
  return held === stuck ? "action-failed" : "stuck";
}
