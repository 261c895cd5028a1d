/** An action context for unit tests that call a method of the class themselves. */
import { type ActionContext, idempotencyKey, runInContext } from "../context.js";

/** Calls a function in which `actionContext()` works; what is not given has a plain default. */
export function withActionContext<T>(given: Partial<ActionContext>, call: () => T): T {
  const node = given.node ?? "test";
  const context: ActionContext = {
    sagaId: "test",
    node,
    attempt: 1,
    idempotencyKey: idempotencyKey("test", false, node),
    signal: new AbortController().signal,
    ...given,
  };
  return runInContext(context, call);
}
