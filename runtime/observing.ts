/**
 * Lets others look on while runs go on: what became durable, and the calls of bodies, which they may
 * wrap. What they do or throw changes no run. `opentelemetry.ts` is one of them.
 */
import type { ActiveRun } from "./active-run.js";
import type { Attempt } from "./attempt.js";
import type { LoggedEvent } from "./events.js";
import type { Log } from "./log.js";
import { nodeOf } from "./state.js";

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
  /** Calls the body, in whichever context it wants, and gives what it returns. */
  call?<T>(what: ObservedCall, body: () => T): T;
}

export class Observers {
  readonly #observers: readonly Observer[];
  readonly #log: Log;

  constructor(observers: readonly Observer[] = [], log: Log) {
    this.#observers = observers;
    this.#log = log;
  }

  durable(run: ActiveRun, events: readonly LoggedEvent[]): void {
    if (this.#observers.length === 0) return;
    const observed = observedRun(run);
    for (const observer of this.#observers) {
      try {
        observer.durable?.(observed, events);
      } catch (error) {
        this.#log.warn(`an observer failed: ${String(error)}`, { run: run.id });
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
