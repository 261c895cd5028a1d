/**
 * What a loop leaves in variables that are declared outside of it: `found = x; break;`. Where it goes
 * on they hold what they did before, or it is refused: the next item would find them changed.
 */
import * as say from "../../diagnostics/catalogue/variables.js";
import { chooseBinding } from "./arms.js";
import { bare } from "../context.js";
import type { Draft } from "./graph.js";
import { isWithin, type Method } from "./method.js";
import type { Exit, Path, Thread } from "./thread.js";
import ts from "../typescript.cjs";
import { BROKEN, UNDEFINED, type CodeValue, type VariableBinding } from "./values.js";

/** `breaks`: the ways in which the loop is left so; `ends`: where an item ends and the next one begins. */
export function leaveWithVariables(
  method: Method,
  { outer, inner }: { readonly outer: Thread; readonly inner: Thread },
  draft: Draft,
  loop: ts.Node,
  { breaks, ends }: { readonly breaks: readonly Exit[]; readonly ends: readonly Path[] },
): void {
  const setOn = (path: Path): ts.Symbol[] =>
    inner
      .setOn(path)
      .filter(({ valueDeclaration: declared }) => declared && !isWithin(declared, loop));
  for (const path of ends) {
    for (const symbol of setOn(path)) {
      const binding = path.lets.get(symbol);
      if (binding?.kind === "variable" && isAsBefore(method, path, symbol, binding)) continue;
      if (binding?.kind === "variable" && binding.at !== undefined) {
        method.context.report(say.carried({ at: binding.at, name: symbol.name, by: "loop" }));
      }
      outer.here.lets.set(symbol, BROKEN);
    }
  }
  for (const symbol of new Set(breaks.flatMap(({ path }) => setOn(path)))) {
    const bindings = breaks.map(({ path }) => path.lets.get(symbol));
    const isBroken =
      outer.here.lets.has(symbol) || bindings.some((each) => each?.kind === "broken");
    if (isBroken) {
      outer.here.lets.set(symbol, BROKEN);
      continue;
    }
    const left = breaks.map(({ path }, index) => ({
      when: [{ decision: draft, arm: "break" }, ...path.when],
      value: method.valueOfLet(symbol, bindings[index]),
    }));
    const before = { when: [], value: method.valueOfLet(symbol, undefined) };
    const at = bindings.find((each) => each?.kind === "variable")?.at;
    outer.here.lets.set(symbol, chooseBinding(method, [...left, before], symbol, at));
  }
  for (const symbol of inner.exposed) outer.exposed.add(symbol);
}

/** Whether tests on a path say that a variable has the value there that it has where nothing sets it. */
function isAsBefore(
  method: Method,
  path: Path,
  symbol: ts.Symbol,
  { id, trusted }: VariableBinding,
): boolean {
  // What may not be of its type is not known by it.
  if (!trusted) return false;
  const before = method.valueOfLet(symbol, undefined);
  return path.tests.some(({ node, code, holds }) => {
    const reads = code?.parts.some(
      (part) => typeof part === "object" && "variable" in part && part.variable === id,
    );
    return reads === true && leavesOnly(method, node, holds, symbol, before);
  });
}

/** Whether what a test leaves of the variable that it tests is one value. */
function leavesOnly(
  method: Method,
  written: ts.Expression,
  holds: boolean,
  symbol: ts.Symbol,
  value: CodeValue,
): boolean {
  const node = bare(written);
  const isTested = (each: ts.Node): boolean =>
    ts.isIdentifier(each) && method.local(each) === symbol;
  if (isTested(node)) {
    if (holds) return false;
    const type = method.typeOf(node);
    const members = type.isUnion() ? type.types : [type];
    return members.every((member) => isTruthy(member) || isValue(method, member, value));
  }
  if (!ts.isBinaryExpression(node) || !isTested(bare(node.left))) return false;
  const equals = EQUALS.get(node.operatorToken.kind);
  if (equals === undefined || equals.holds !== holds) return false;
  const other = method.typeOf(node.right);
  const type = method.typeOf(bare(node.left));
  const members = type.isUnion() ? type.types : [type];
  const nullish = ts.TypeFlags.Undefined | ts.TypeFlags.Null;
  if (equals.loose && (other.flags & nullish) !== 0) {
    return members.every((each) => (each.flags & nullish) === 0 || isValue(method, each, value));
  }
  return isValue(method, other, value);
}

const EQUALS: ReadonlyMap<ts.SyntaxKind, { readonly holds: boolean; readonly loose: boolean }> =
  new Map([
    [ts.SyntaxKind.EqualsEqualsToken, { holds: true, loose: true }],
    [ts.SyntaxKind.EqualsEqualsEqualsToken, { holds: true, loose: false }],
    [ts.SyntaxKind.ExclamationEqualsToken, { holds: false, loose: true }],
    [ts.SyntaxKind.ExclamationEqualsEqualsToken, { holds: false, loose: false }],
  ]);

function isTruthy(type: ts.Type): boolean {
  if ((type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Never)) !== 0) return true;
  if (type.isStringLiteral() || type.isNumberLiteral()) return Boolean(type.value);
  return (type as { readonly intrinsicName?: string }).intrinsicName === "true";
}

/** Whether a type has one value, and that is it. */
function isValue({ checker }: Method, type: ts.Type, { parts }: CodeValue): boolean {
  const [text, more] = parts;
  if (more !== undefined || typeof text !== "string" || (type.flags & ts.TypeFlags.Unit) === 0) {
    return false;
  }
  if (parts === UNDEFINED.parts) return (type.flags & ts.TypeFlags.Undefined) !== 0;
  if (type.isStringLiteral()) return /^["']/.test(text) && text.slice(1, -1) === type.value;
  return checker.typeToString(type) === text;
}
