/**
 * Lets others look on while runs go on: what became durable, and the calls of bodies, which they may
 * wrap. What they do or throw changes no run. `opentelemetry.ts` is one of them.
 */
import type { ActiveRun } from "../execution/active-run.js";
import type { Attempt } from "../execution/attempt.js";
import type { LoggedEvent } from "../events.js";
import { type NodeStatus, statusTree } from "../reading/history.js";
import type { Log } from "./log.js";
import { recordsOf } from "../reading/node-records.js";
import type { PauseReason } from "../options.js";
import { nodeOf } from "../state.js";

/** A run, as an observer sees it. */
export interface ObservedRun {
  readonly id: string;
  readonly saga: string;
  /** Random, and of this run only, for all its life. */
  readonly nonce: string;
  /** When it was created, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** How it ended, if it did. */
  readonly finished: "succeeded" | "undone" | undefined;
}

/** A call of an action or an undo. */
export interface ObservedCall {
  readonly run: ObservedRun;
  /** The node's path. */
  readonly node: string;
  readonly attempt: number;
  readonly undo: boolean;
  /** The method that is called. */
  readonly method: string;
}

/** What `Coordinator.open({ observers })` takes. */
export interface Observer {
  /** Events of a run are durable. */
  durable?(run: ObservedRun, events: readonly LoggedEvent[]): void;
  /**
   * A run is finished: all its nodes, with their times, also from before a crash. The log is read for
   * it, which only those who want it pay for.
   */
  finished?(run: ObservedRun, nodes: readonly NodeStatus[]): void;
  /** A run that only waits has left memory. It comes back when something comes for it. */
  left?(run: ObservedRun): void;
  /** A run needs an operator at a node. */
  stuck?(run: ObservedRun, reason: PauseReason, node: string): void;
  /** Calls the body, in whichever context it wants, and gives what it returns. */
  call?<T>(what: ObservedCall, body: () => T): T;
}

export class Observers {
  readonly #observers: readonly Observer[];
  readonly #log: Log;
  readonly #events: (run: string) => Promise<readonly LoggedEvent[]>;

  constructor(
    observers: readonly Observer[] = [],
    log: Log,
    events: (run: string) => Promise<readonly LoggedEvent[]>,
  ) {
    this.#observers = observers;
    this.#log = log;
    this.#events = events;
  }

  /** Whether anybody looks on. */
  get any(): boolean {
    return this.#observers.length > 0;
  }

  durable(run: ActiveRun, events: readonly LoggedEvent[]): void {
    if (this.#observers.length === 0) return;
    const observed = observedRun(run);
    this.#tell(run.id, (observer) => observer.durable?.(observed, events));
    if (run.state.finished === undefined || run.unwritten.length > 0) return;
    if (this.#observers.every(({ finished }) => finished === undefined)) return;
    const { state } = run;
    // At once, so that a store that is closed next is still read.
    this.#events(run.id).then(
      (log) => {
        const nodes = statusTree(state, recordsOf(log));
        this.#tell(run.id, (observer) => observer.finished?.(observed, nodes));
      },
      (error: unknown) => {
        this.#log.warn(`an observer is not told: ${String(error)}`);
        this.left(run);
      },
    );
  }

  left(run: ActiveRun): void {
    if (this.#observers.length === 0) return;
    this.#tell(run.id, (observer) => observer.left?.(observedRun(run)));
  }

  stuck(run: ActiveRun, reason: PauseReason, node: string): void {
    this.#tell(run.id, (observer) => observer.stuck?.(observedRun(run), reason, node));
  }

  #tell(run: string, tell: (observer: Observer) => void): void {
    for (const observer of this.#observers) {
      try {
        tell(observer);
      } catch (error) {
        this.#log.warn(`an observer failed: ${String(error)}`, { run });
      }
    }
  }

  /** Calls a body through those who want to wrap it; it is called once whatever they do. */
  call<T>(attempt: Attempt, body: () => T): T {
    if (this.#observers.length === 0) return body();
    const { run, frame, index, undo } = attempt;
    const node = nodeOf(frame, index);
    const what: ObservedCall = {
      run: observedRun(run),
      node: attempt.node,
      attempt: attempt.attempt,
      undo,
      method: node.kind !== "action" ? node.kind : undo ? node.undo : node.action,
    };
    let ended: { readonly value: T } | { readonly thrown: unknown } | undefined;
    const once = (): T => {
      try {
        const value = body();
        ended = { value };
        return value;
      } catch (thrown) {
        ended = { thrown };
        throw thrown;
      }
    };
    const wrapped = this.#observers.reduce<() => T>(
      (inner, observer) => () =>
        observer.call === undefined ? inner() : observer.call(what, inner),
      once,
    );
    try {
      wrapped();
    } catch (error) {
      if (ended === undefined) this.#log.warn(`an observer failed: ${String(error)}`);
    }
    if (ended === undefined) return body();
    if ("thrown" in ended) throw ended.thrown;
    return ended.value;
  }
}

function observedRun({ id, nonce, createdAt, loaded, state }: ActiveRun): ObservedRun {
  return { id, nonce, createdAt, saga: loaded.manifest.name, finished: state.finished };
}
