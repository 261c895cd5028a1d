/** Goes on after a loop or a scope, which may have been left other than at its end. */
import { enter } from "./arms.js";
import type { Draft } from "./graph.js";
import type { Method } from "./method.js";
import { clone, type Exit, type Thread } from "./thread.js";
import type ts from "../typescript.cjs";
import type { Binding } from "./values.js";

export interface Way extends Pick<Exit, "kind" | "target" | "value"> {
  /** All variables that are set where it is left so; absent: nobody asks. */
  readonly lets?: ReadonlyMap<ts.Symbol, Binding>;
}

/** `ways`: each a kind of its own, which is an arm of the node. What follows runs where none was taken. */
export function leaveContainer(
  method: Method,
  thread: Thread,
  draft: Draft,
  ways: readonly Way[],
): void {
  const base = thread.here;
  const when = [...base.when];
  for (const { kind, target, value, lets } of ways) {
    const condition = { decision: draft, arm: kind };
    const own = lets && { lets: new Map(lets) };
    const path = { ...clone(base), when: [...when, condition], ...own };
    const not = { ...condition, not: true } as const;
    thread.exits.push({ kind, target, path, value, not });
    when.push({ ...not, left: true });
  }
  enter(method, thread, { ...clone(base), when });
}
