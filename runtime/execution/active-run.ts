/**
 * A run that a coordinator has in memory: its state, and what of its log is not written yet. It
 * decides nothing.
 */
import type { Timer } from "../clock.js";
import type { LoggedEvent } from "../events.js";
import type { LoadedSaga } from "./loaded-saga.js";
import type { Effect } from "../machine/effects.js";
import { awaitedAt, spawningNodes, waitOf } from "../machine/waiting.js";
import { reasonOf } from "../operating/reasons.js";
import { errorText } from "../codec/recorded-error.js";
import { type Frame, type RunState, statusOf } from "../state.js";
import type { RunRow, RunStatus, Write } from "../stores/store.js";
import { Attempts } from "./attempts.js";

/** Something that a run has to do at a time. */
export interface Due {
  readonly run: ActiveRun;
  readonly effect: Effect;
}

const NONE: readonly string[] = [];

export class ActiveRun {
  readonly id: string;
  readonly nonce: string;
  readonly loaded: LoadedSaga;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
  state: RunState;
  /** The place of the next event in the log. */
  seq: number;
  /** So many events of its log are known to be durable, of those that it got here. */
  durable: number;
  /** Events that are not in a commit yet. */
  unwritten: LoggedEvent[] = [];
  /** The row, when the run is not in the store yet. */
  created: RunRow | undefined;
  /** What the row says now. */
  status: RunStatus;
  reason: string | undefined;
  wakeAt: number | undefined;
  awaits: readonly string[] = NONE;
  /** Whether it only waits, for long: then it need not be in memory. */
  onlyWaits = false;
  /** Whether the next commit is to look at it. */
  dirty = false;
  /** Whether a commit of it is under way: the next one waits for its end. */
  committing = false;
  /** What its host has under way for it besides bodies: as long, it is kept in memory. */
  pending = 0;
  /** What it has to do later; made on first use, as are those below. */
  timers: Set<Timer<Due>> | undefined;
  /** Whether it is in memory no more: what happens to it happens to another object, made from its log. */
  left = false;
  /** The objects whose methods are the actions of inner frames. */
  instances: Map<Frame, object> | undefined;
  /** Nodes that could start and wait for a limit, with its name. They keep the run in memory. */
  limited: Map<string, string> | undefined;
  /** Bodies that are called now, of which somebody may want to abort the signal. */
  readonly attempts = new Attempts();
  /** Whether it is finished, or stuck, and the log says so durably. */
  atRest = false;
  /** Its id was taken when it was to be written: there is no such run. Or it is lost. */
  refused = false;
  /** Another coordinator goes on with it: nothing that happens to it here counts. */
  lost = false;
  /** Whether the command `steno` does nothing where it is. */
  byMethods = false;

  constructor(loaded: LoadedSaga, row: RunRow, state: RunState, seq: number) {
    this.id = row.id;
    this.nonce = row.nonce;
    this.createdAt = row.createdAt;
    this.loaded = loaded;
    this.state = state;
    this.seq = seq;
    this.durable = seq;
    this.status = row.status;
    this.reason = row.reason;
    this.wakeAt = row.wakeAt;
    if (loaded.spawns) this.awaits = awaitedBy(state);
  }

  /** What shows it to an operator, as messages name it. */
  get shownBy(): string {
    return this.byMethods ? "`run.status()`" : `\`steno show ${this.id}\``;
  }

  /** What has to be written; it counts as written from now on. */
  takeWrites(writes: Write[], now: number, shortWaitMs: number): void {
    if (this.created !== undefined) {
      writes.push({ kind: "create", run: this.created });
      this.created = undefined;
    }
    if (this.unwritten.length > 0) {
      writes.push({ kind: "append", run: this.id, events: this.unwritten });
      this.unwritten = [];
    }
    const status = statusOf(this.state);
    const reason = reasonOf(this.state) ?? this.#limitReason();
    const wakeAt = this.#nextWake(now, shortWaitMs, status, reason);
    const awaits = this.loaded.spawns ? awaitedBy(this.state) : NONE;
    const sameAwaits = awaits === this.awaits || isSame(awaits, this.awaits);
    if (status === this.status && reason === this.reason && wakeAt === this.wakeAt && sameAwaits) {
      return;
    }
    this.status = status;
    this.reason = reason;
    this.wakeAt = wakeAt;
    this.awaits = awaits;
    const [first] = this.state.failures;
    writes.push({
      kind: "update",
      run: this.id,
      status,
      reason,
      output: this.state.output,
      error: first === undefined ? undefined : errorText(first),
      updatedAt: now,
      wakeAt,
      ...(!sameAwaits && { awaits }),
    });
  }

  /** What could start and waits for a limit keeps the run only if nothing of it runs. */
  #limitReason(): "waiting-limit" | undefined {
    const { finished, inFlight } = this.state;
    if (this.limited === undefined || this.limited.size === 0) return undefined;
    return finished === undefined && inFlight === 0 ? "waiting-limit" : undefined;
  }

  /** See `RunRow.wakeAt`. */
  #nextWake(
    now: number,
    shortWaitMs: number,
    status: RunStatus,
    reason: string | undefined,
  ): number | undefined {
    const { finished, inFlight } = this.state;
    this.onlyWaits = false;
    if (finished !== undefined) return undefined;
    if (inFlight > 0 || this.pending > 0 || shortWaitMs === Infinity) return 0;
    const wait = waitOf(this.state);
    if (wait === undefined) return 0;
    if (wait.dueAt !== undefined && wait.dueAt - now <= shortWaitMs) return 0;
    this.onlyWaits = true;
    // Whoever opens the store is told of it.
    return status === "stuck" || reason === "crash-loop" ? 0 : wait.dueAt;
  }
}

/** The ids of the runs that a run is to start, or waits for. */
function awaitedBy(state: RunState): readonly string[] {
  const nodes = spawningNodes(state);
  return nodes.map(awaitedAt);
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((each, place) => each === others[place]);
}
