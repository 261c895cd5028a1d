/**
 * Reads variables that are declared first and set later, on each path once: `let x; if (c) x = a;
 * else x = b;`. Where paths meet, `arms.ts` makes one value of them; what a loop leaves is `carried.ts`.
 */
import * as say from "../../diagnostics/catalogue/variables.js";
import type { CodePart, GlueStatement } from "../../model.js";
import { codeOf } from "../expressions/code.js";
import { bare, homeOf, shown, spanOf, untyped } from "../context.js";
import { lowerReady } from "./lower-expression.js";
import { NO_HOLES, type Method } from "./method.js";
import { nameOrigins } from "./patterns.js";
import type { Thread } from "./thread.js";
import ts from "../typescript.cjs";
import { BROKEN, codeFrom, UNDEFINED, variableValue, type CodeValue } from "./values.js";
import { plainText, widened } from "../expressions/widening.js";

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

/** `let x: T = value;`, once its name is bound: a value for paths that set no other. */
export function declareWith(
  method: Method,
  name: ts.Identifier,
  { type, initializer }: ts.VariableDeclaration,
): void {
  const symbol = method.checker.getSymbolAtLocation(name);
  const binding = symbol && method.bindings.get(symbol);
  if (symbol === undefined || initializer === undefined || binding?.kind !== "variable") return;
  if (method.assignmentsTo(symbol).length === 0) return;
  const parts = type
    ? codeOf(method, type, NO_HOLES)
    : typeOfInitializer(method, name, initializer);
  method.letTypes.set(symbol, parts && { parts, span: spanOf(type ?? initializer) });
  const value = variableValue(binding.id, undefined, binding.trusted);
  method.defaults.set(symbol, literalValue(initializer) ?? value);
}

/** The type of a variable without one of its own, where that of its values could be another. */
function typeOfInitializer(
  method: Method,
  name: ts.Identifier,
  initializer: ts.Expression,
): CodePart[] | undefined {
  const type = method.typeOf(name);
  const text = plainText(method, type);
  if (text !== undefined) return [text];
  const value = untyped(initializer);
  const isMember = (type.flags & ts.TypeFlags.EnumLike) !== 0;
  return isMember && ts.isPropertyAccessExpression(value)
    ? codeOf(method, value.expression, NO_HOLES)
    : undefined;
}

/** What needs no variable. */
function literalValue(initializer: ts.Expression): CodeValue | undefined {
  const value = untyped(initializer);
  if (ts.isIdentifier(value) && value.text === "undefined") return UNDEFINED;
  const isLiteral =
    ts.isStringLiteralLike(value) ||
    ts.isNumericLiteral(value) ||
    value.kind === ts.SyntaxKind.NullKeyword ||
    value.kind === ts.SyntaxKind.TrueKeyword ||
    value.kind === ts.SyntaxKind.FalseKeyword;
  return isLiteral ? { ...UNDEFINED, parts: [value.getText()] } : undefined;
}

/** The variable that an assignment sets, if it is one that may be set after its declaration. */
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
  const { lets } = thread.here;
  if (lets.has(symbol) || isReplaced(method, node, symbol)) {
    method.context.report(say.reassigned({ at, name: symbol.name }));
    return;
  }
  if (homeOf(node) !== homeOf(symbol.valueDeclaration)) {
    method.context.report(say.carried({ at, name: shown(node.left), by: "function" }));
    lets.set(symbol, BROKEN);
    return;
  }
  if (value.kind === "broken") {
    lets.set(symbol, BROKEN);
    return;
  }
  nameOrigins(symbol.name, value);
  const { trusted } = value;
  const [part, more] = value.parts;
  // What narrows its type here has to be told again wherever the variable is read.
  const isPlain = more === undefined && value.guards.length === 0;
  if (typeof part === "object" && "variable" in part && isPlain) {
    lets.set(symbol, { kind: "variable", id: part.variable, trusted, at });
    return;
  }
  const holds: { readonly kind: "glue"; statement: GlueStatement | undefined } = {
    kind: "glue",
    statement: undefined,
  };
  const { id } = method.addVariable(symbol.name, true, holds);
  const init = codeFrom(value, spanOf(node));
  holds.statement = { pattern: { kind: "variable", variable: id }, type, init };
  lets.set(symbol, { kind: "variable", id, trusted, at });
}

/** Whether its own value is replaced on each path that leads to the end of the block: no default. */
function isReplaced(method: Method, node: ts.BinaryExpression, symbol: ts.Symbol): boolean {
  if (!method.defaults.has(symbol) || symbol.valueDeclaration === undefined) return false;
  const statement = ts.findAncestor(node, ts.isExpressionStatement);
  const declared = ts.findAncestor(symbol.valueDeclaration, ts.isVariableStatement);
  return statement?.parent === declared?.parent;
}
