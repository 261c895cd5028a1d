/** What a body can know of the run that it is called for. It is no way to change the run. */
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { StenoError } from "./errors.js";

/** What `actionContext()` gives an action or an undo. */
export interface ActionContext {
  /** The id of the run. */
  readonly sagaId: string;
  /** The node's path: `payment`, `serverAlloc/pick`. */
  readonly node: string;
  /** Counted from 1 over the life of the run, crashes included. */
  readonly attempt: number;
  /**
   * `<nonce>.a.<node>` for an action and `<nonce>.u.<node>` for its undo, where the nonce is
   * 18 hex digits. Safe in a URL, a header and a command; the same over every retry and crash, and
   * of no other node or run.
   */
  readonly idempotencyKey: string;
  /** Aborted when the attempt has taken too long, or its outcome is not wanted any more. */
  readonly signal: AbortSignal;
}

/** Which body is running is known through this; it is the one thing that Node keeps per process. */
const running = new AsyncLocalStorage<ActionContext>();

/**
 * The context of the action or undo that is running.
 * @throws StenoError `no-action-context` outside of one, as in a unit test of the class.
 */
export function actionContext(): ActionContext {
  const context = running.getStore();
  if (context !== undefined) return context;
  throw new StenoError(
    "no-action-context",
    "actionContext() was called outside of an action or undo that a coordinator runs: " +
      "call it in the method itself, or pass what you need of it; in a unit test, use the testing kit's `withActionContext`",
  );
}

/** Calls a function within a context. */
export function runInContext<T, Given extends readonly unknown[]>(
  context: ActionContext,
  call: (...given: Given) => T,
  ...given: Given
): T {
  return running.run(context, call, ...given);
}

/** Longer paths are hashed: services limit the length of a key. */
const PATH_LIMIT = 80;

/** The key under which a service can recognise a repeated call. */
export function idempotencyKey(nonce: string, undo: boolean, node: string): string {
  const path = encodeURIComponent(node);
  const short =
    path.length <= PATH_LIMIT
      ? path
      : `~${createHash("sha256").update(node).digest("base64url").slice(0, 22)}`;
  return `${nonce}.${undo ? "u" : "a"}.${short}`;
}
