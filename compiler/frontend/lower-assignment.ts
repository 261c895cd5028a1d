/**
 * Reads variables that are declared first and set later, on each path once: `let x; if (c) x = a;
 * else x = b;`. Where paths meet, `arms.ts` makes one value of them.
 */
import * as say from "../diagnostics/catalogue/variables.js";
import type { GlueStatement } from "../model.js";
import { codeOf } from "./code.js";
import { bare, shown, spanOf } from "./context.js";
import { lowerReady } from "./lower-expression.js";
import { NO_HOLES, type Method } from "./method.js";
import { nameOrigins } from "./patterns.js";
import type { Thread } from "./thread.js";
import ts from "./typescript.cjs";
import { BROKEN, codeFrom } from "./values.js";
import { widened } from "./widening.js";

/** `let x: T;` */
export function declareLater(
  method: Method,
  name: ts.Identifier,
  { type }: ts.VariableDeclaration,
): void {
  const symbol = method.checker.getSymbolAtLocation(name);
  if (symbol === undefined) return;
  const parts = type && codeOf(method, type, NO_HOLES);
  method.letTypes.set(symbol, type && parts && { parts, span: spanOf(type) });
}

/** The variable that an assignment sets, if it is one that was declared without a value. */
export function laterVariable(method: Method, written: ts.Expression): ts.Symbol | undefined {
  const node = bare(written);
  const symbol = ts.isIdentifier(node) ? method.local(node) : undefined;
  return symbol !== undefined && method.letTypes.has(symbol) ? symbol : undefined;
}

export function lowerAssignment(
  method: Method,
  thread: Thread,
  node: ts.BinaryExpression,
  symbol: ts.Symbol,
): void {
  const type = method.letTypes.get(symbol);
  const declared = symbol.valueDeclaration && method.typeOf(symbol.valueDeclaration);
  const given = lowerReady(method, thread, node.right, { type: type?.parts, declared });
  const value = given.kind === "broken" ? given : widened(method, node.right, given);
  const at = spanOf(node.left);
  if (thread.here.lets.has(symbol)) {
    method.context.report(say.reassigned({ at, name: symbol.name }));
    return;
  }
  const carrier = carrierOf(node, symbol.valueDeclaration);
  if (carrier !== undefined) {
    method.context.report(say.carried({ at, name: shown(node.left), by: carrier }));
    thread.here.lets.set(symbol, BROKEN);
    return;
  }
  if (value.kind === "broken") {
    thread.here.lets.set(symbol, BROKEN);
    return;
  }
  method.setAt.set(symbol, method.progress);
  nameOrigins(symbol.name, value);
  const { trusted } = value;
  const [part, more] = value.parts;
  if (typeof part === "object" && "variable" in part && more === undefined) {
    thread.here.lets.set(symbol, { kind: "variable", id: part.variable, trusted });
    return;
  }
  const holds: { readonly kind: "glue"; statement: GlueStatement | undefined } = {
    kind: "glue",
    statement: undefined,
  };
  const { id } = method.addVariable(symbol.name, true, holds);
  const init = codeFrom(value, spanOf(node));
  holds.statement = { pattern: { kind: "variable", variable: id }, type, init };
  thread.here.lets.set(symbol, { kind: "variable", id, trusted });
}

/** What runs an assignment another number of times, or at another time, than the declaration. */
function carrierOf(node: ts.Node, declared: ts.Declaration | undefined): string | undefined {
  const between = ts.findAncestor(
    node,
    (each) =>
      each === declared?.parent.parent.parent ||
      ts.isFunctionLike(each) ||
      ts.isIterationStatement(each, false),
  );
  if (between === undefined || between === declared?.parent.parent.parent) return undefined;
  return ts.isFunctionLike(between) ? "a function" : "a loop";
}
