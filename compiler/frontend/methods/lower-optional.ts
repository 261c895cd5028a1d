/**
 * Reads the call of a saga that is made only if its object is there: `this.hall?.openAll()` decides
 * whether it is, and calls or gives `undefined`.
 */
import { lowerArms } from "./arms.js";
import { combine, decide, ELSE, THEN } from "./lower-branch.js";
import { lowerReady } from "./lower-expression.js";
import type { Method } from "./method.js";
import type { Thread } from "./thread.js";
import type ts from "../typescript.cjs";
import { BROKEN, UNDEFINED, type Value } from "./values.js";

export function lowerIfThere(
  method: Method,
  thread: Thread,
  node: ts.CallExpression,
  asked: ts.Expression,
  call: () => Value,
): Value {
  const owner = lowerReady(method, thread, asked, { inPlace: true });
  if (owner.kind === "broken") return BROKEN;
  const test = { ...owner, parts: ["(", ...owner.parts, ") != null"] };
  const decision = decide(method, thread, asked, test);
  const endings = lowerArms<Value>(method, thread, decision, [
    { name: THEN, tests: [], run: call },
    { name: ELSE, tests: [], run: () => UNDEFINED },
  ]);
  return combine(method, node, endings, undefined);
}
