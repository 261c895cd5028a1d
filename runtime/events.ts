/**
 * The events of a run: what its saga log holds, and all that `advance()` is ever told.
 * Each is a flat record, so that a store has one column for each field. Values are JSON text, as
 * encoded by `codec.ts`: text cannot be changed by whoever holds it.
 */

interface At {
  /** When it happened, in milliseconds since the epoch, by the coordinator's clock. */
  readonly at: number;
  /** Its place in the saga log; see {@link LoggedEvent}. */
  readonly seq?: number;
}
interface OfNode extends At {
  /**
   * The node's path: `payment`, `serverAlloc/pick`, `nics[0]/create`; `try/reserve` for what is in a
   * scope, its handler included (names are unique in a method). Empty: the run itself, whose
   * `succeeded` holds the result and is its last event, and whose `failed` says why it has none.
   */
  readonly node: string;
}
interface OfAttempt extends OfNode {
  /** Counted from 1 over the whole life of the run, crashes included. */
  readonly attempt: number;
}

/** Why an attempt is in doubt: it may or may not have had its effect. */
export type Doubt = "timeout" | "aborted" | "process";

export type SagaEvent =
  // --- the run
  /** `value`: the params; absent when they are `undefined`. Always the first event. */
  | (At & { readonly type: "created"; readonly value?: string })
  /** A coordinator took the run over after another ended. Whatever was running is in doubt. */
  | (At & { readonly type: "recovered" })
  /**
   * `value`: the reason, as JSON text; `{ reason: "breakpoint", node, at }` where a breakpoint did it.
   * Nothing starts until `resumed`.
   */
  | (At & { readonly type: "paused"; readonly value: string })
  /** `value`: why, as JSON text; absent if nobody said. */
  | (At & { readonly type: "resumed"; readonly value?: string })
  /** An operator wants the run to pause at the node. `value`: `"before"` or `"after"`. */
  | (OfNode & { readonly type: "breakpoint-set" | "breakpoint-cleared"; readonly value: string })
  /** A paused run does one thing, which the node's next event is, and stays paused. */
  | (OfNode & { readonly type: "stepped" })
  /** An operator asked for the run to be undone. `value`: who and why, as JSON text. */
  | (At & { readonly type: "unwind-requested"; readonly value: string })
  // --- an action, a subsaga, a map or loop (`expanded` in place of `started`), a spawn, an event
  // (`started` if it has no timeout), or a compute node (which has no `started`). A scope has no
  // events: it begins with its turn, and ends with its graph or its handler
  /** `value`: the inputs, or the params of a subsaga: a JSON array. Durable before the body is called. */
  | (OfAttempt & { readonly type: "started"; readonly value: string })
  /** `value`: the output; absent when it is `undefined`. */
  | (OfAttempt & { readonly type: "succeeded"; readonly value?: string })
  /** The attempt failed and there will be another, at `dueAt`. `value`: the error. */
  | (OfAttempt & {
      readonly type: "attempt-failed";
      readonly value: string;
      readonly dueAt: number;
    })
  /** The node failed for good. `value`: the error. */
  | (OfAttempt & { readonly type: "failed"; readonly value: string })
  /**
   * The node would have failed for good, and waits for an operator instead: `onFailure: "pause"`, or
   * a pivot is passed that would have to be undone. `value`: the error, or the {@link Doubt}.
   */
  | (OfAttempt & { readonly type: "failure-held"; readonly value: string })
  /**
   * The attempt ended without an answer. With `dueAt`, it is run again then; without, its attempts
   * are used up. `value`: the {@link Doubt}, as JSON text; or the error, for an attempt that gave
   * an output that cannot be stored.
   */
  | (OfAttempt & { readonly type: "in-doubt"; readonly value: string; readonly dueAt?: number })
  /**
   * The attempt, of the node or of its undo, ended with its process while others of the run go on:
   * on a host that calls each body where it likes. It is in doubt, as after `recovered`.
   */
  | (OfAttempt & { readonly type: "lost" })
  // --- its undo
  | (OfAttempt & { readonly type: "undo-started" })
  | (OfAttempt & { readonly type: "undone" })
  | (OfAttempt & {
      readonly type: "undo-attempt-failed";
      readonly value: string;
      readonly dueAt: number;
    })
  /** The undo failed for good: the run is stuck here. */
  | (OfAttempt & { readonly type: "undo-failed"; readonly value: string })
  /** An operator asked for a stuck undo, or a node that is in doubt or whose failure is held, to be tried again. */
  | (OfNode & { readonly type: "retry-requested"; readonly value: string })
  /**
   * An operator said that it is undone: a held failure counts then, and a node in doubt has failed.
   * `value`: who and why, as JSON text.
   */
  | (OfNode & { readonly type: "undo-settled"; readonly value: string })
  /**
   * An operator said that a node, in doubt or with a held failure, has succeeded. `value`:
   * `{ "reason": …, "output": … }`; without `output` it is `undefined`.
   */
  | (OfNode & { readonly type: "output-settled"; readonly value: string })
  // --- the rest of the language
  /** `value`: the arm, as JSON text. */
  | (OfNode & { readonly type: "decided"; readonly value: string })
  | (OfNode & { readonly type: "skipped" })
  /**
   * A map or loop got its list. `value`: its items, as inputs are written; or, where items have
   * keys, `{ "keys": […], "items": … }`.
   */
  | (OfNode & { readonly type: "expanded"; readonly value: string })
  /** A sleep begins, or the wait for an event that has a timeout. */
  | (OfNode & { readonly type: "timer-set"; readonly dueAt: number })
  /** A sleep is over. (An event's timeout is a `failed`, a pause between attempts a `started`.) */
  | (OfNode & { readonly type: "timer-fired" })
  /** `node`: the event's name. `value`: its payload; absent when it is `undefined`. */
  | (OfNode & { readonly type: "event-received"; readonly value?: string })
  /** `value`: the id of the run that was started, as JSON text. */
  | (OfNode & { readonly type: "spawned"; readonly value: string })
  /** An operator's fault for a node, for tests of live systems. `value`: what, as JSON text. */
  | (OfNode & { readonly type: "injected"; readonly value: string });

export type EventType = SagaEvent["type"];

/**
 * The `seq` of an event that is not in the log yet. Those that come with each action have one from
 * the first: to give a property to an object that has none costs more than to make the object.
 */
export const UNLOGGED = -1;

/**
 * An event with its place in the saga log, counted from 0 without gaps. `damaged`: the store knows that
 * it is not what was written.
 */
export type LoggedEvent = SagaEvent & { readonly seq: number; readonly damaged?: true };
