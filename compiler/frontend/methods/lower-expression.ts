/**
 * Reads an expression of a saga method in the order in which JavaScript evaluates it: what waits
 * becomes nodes, the rest glue or compute nodes. Calls are in `lower-call.ts`.
 */
import * as say from "../../diagnostics/catalogue/glue.js";
import * as sayMethod from "../../diagnostics/catalogue/method.js";
import { reassigned } from "../../diagnostics/catalogue/variables.js";
import type { Code } from "../../model.js";
import { classify } from "./calls.js";
import { thisMember } from "../expressions/code.js";
import { bare, shown, spanOf, untyped } from "../context.js";
import { isGlue } from "../expressions/glue.js";
import { lowerSides } from "./lower-branch.js";
import { lowerCall, promiseOfWaiting } from "./lower-call.js";
import { waitingOf } from "./lower-waiting.js";
import { NO_HOLES, type Method } from "./method.js";
import { lowerPlain, type Wanted } from "./lower-plain.js";
import { checkPlain } from "../expressions/refusals.js";
import type { Thread } from "./thread.js";
import { isPromise } from "../types/types.js";
import ts from "../typescript.cjs";
import {
  BROKEN,
  UNDEFINED,
  codeFrom,
  toCode,
  type Broken,
  type CodeValue,
  type ListValue,
  type PromiseValue,
  type Value,
} from "./values.js";

/** Reads an expression. Whatever was wrong has been reported when the answer is `BROKEN`. */
export function lowerExpression(
  method: Method,
  thread: Thread,
  written: ts.Expression,
  wanted: Wanted = {},
): Value {
  const node = bare(written);
  if (!waits(method, node)) return lowerPlain(method, thread, node, NO_HOLES, wanted);
  if (ts.isAwaitExpression(node)) return lowerAwait(method, thread, node);
  if (ts.isCallExpression(node)) {
    const call = classify(method, node);
    if (call !== undefined) return lowerCall(method, thread, node, call);
  }
  const waiting = waitingOf(method, node);
  if (waiting !== undefined) return promiseOfWaiting(method, thread, node, waiting);
  if (ts.isIdentifier(node)) return lowerName(method, node);
  if (isTypeOnly(node)) return lowerTyped(method, thread, node, wanted);
  if (ts.isArrayLiteralExpression(node)) return lowerArray(method, thread, node, wanted);
  if (ts.isElementAccessExpression(node)) {
    const element = lowerListElement(method, node);
    if (element !== undefined) return element;
  }
  if (ts.isVoidExpression(node)) return lowerExpression(method, thread, node.expression, wanted);
  if (isComma(node)) {
    lowerExpression(method, thread, node.left, { unused: true });
    return lowerExpression(method, thread, node.right, wanted);
  }
  return lowerMixed(method, thread, node, wanted);
}

/** Reads an expression whose value must be there: a promise is reported. */
export function lowerReady(
  method: Method,
  thread: Thread,
  node: ts.Expression,
  wanted: Wanted = {},
): CodeValue | Broken {
  const value = lowerExpression(method, thread, node, wanted);
  if (value.kind === "promise" || value.kind === "list" || value.kind === "many") {
    markAwaited(value);
    const what = `\`${shown(node)}\``;
    const help = `await all of it first, as in \`const values = await Promise.all(${shown(node)});\``;
    const facts = { at: spanOf(node), what, ...(value.kind !== "promise" && { help }) };
    method.context.report(say.promiseAsValue(facts));
    return BROKEN;
  }
  return value.kind === "broken" ? value : toCode(value, !isLookedInto(node));
}

/** Whether a part of the value is read where it stands, so that its own type decides. */
function isLookedInto(node: ts.Expression): boolean {
  let { parent } = node;
  while (ts.isParenthesizedExpression(parent) || ts.isNonNullExpression(parent)) {
    parent = parent.parent;
  }
  return ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent);
}

/** Everything in a value counts as awaited: because it is, or because something else was reported. */
export function markAwaited(value: Value): void {
  if (value.kind === "promise") for (const started of value.started) started.awaited = true;
  if (value.kind === "list") for (const element of value.elements) markAwaited(element);
  if (value.kind === "many") markAwaited(value.promise);
}

export function asCode(node: ts.Node, value: CodeValue): Code {
  return codeFrom(value, spanOf(node));
}

// --- what waits

/** Whether something in the expression waits, starts something, or holds what was started. */
export function waits(method: Method, node: ts.Node): boolean {
  if (ts.isAwaitExpression(node)) return true;
  if (ts.isTypeNode(node)) return false;
  if (ts.isIdentifier(node)) {
    // Nearly every name stands for a value: the checker is asked of the others only.
    const symbol = method.holds(node.text) ? method.local(node) : undefined;
    const binding = symbol && method.binding(symbol);
    return binding !== undefined && binding.kind !== "variable";
  }
  if (ts.isCallExpression(node) && classify(method, node) !== undefined) return true;
  if (waitingOf(method, node) !== undefined) return true;
  // Asynchronous and other functions are looked at when the expression is checked as a whole.
  if (ts.isFunctionLike(node)) return false;
  return ts.forEachChild(node, (child) => waits(method, child)) ?? false;
}

/** `value as T` and the like around something that waits. A promise keeps the type that it has. */
function lowerTyped(
  method: Method,
  thread: Thread,
  node: ts.AsExpression | ts.SatisfiesExpression | ts.NonNullExpression,
  wanted: Wanted,
): Value {
  const value = lowerExpression(method, thread, node.expression);
  if (value.kind === "broken") return value;
  if (value.kind === "code" || value.kind === "tuple") {
    const holes = new Map([[node.expression, toCode(value, true)]]);
    return lowerPlain(method, thread, node, holes, wanted);
  }
  if (!ts.isAsExpression(node) || ts.isConstTypeReference(node.type)) return value;
  const [from, to] = [method.typeOf(node.expression), method.typeOf(node)];
  const { checker } = method;
  if (checker.isTypeAssignableTo(from, to) && checker.isTypeAssignableTo(to, from)) return value;
  markAwaited(value);
  const what = "a cast of a promise to another type";
  const help = "await it first, and cast the value";
  method.context.report(say.expressionRefused({ at: spanOf(node), what, help }));
  return BROKEN;
}

function lowerName(method: Method, node: ts.Identifier): Value {
  const symbol = method.local(node);
  const binding = symbol && method.binding(symbol);
  return binding === undefined || binding.kind === "variable" ? BROKEN : binding;
}

function lowerAwait(method: Method, thread: Thread, node: ts.AwaitExpression): Value {
  const value = lowerExpression(method, thread, node.expression, {});
  if (value.kind === "promise") return awaitPromise(method, thread, value);
  if (value.kind === "broken") return value;
  markAwaited(value);
  const what = `\`${shown(node.expression)}\``;
  const hint =
    value.kind === "list" || value.kind === "many"
      ? "write `await Promise.all(…)` around the list"
      : "remove `await`: the value is there already";
  method.context.report(say.awaitUnknown({ at: spanOf(node), what, hint }));
  return BROKEN;
}

export function awaitPromise(method: Method, thread: Thread, promise: PromiseValue): Value {
  for (const started of promise.started) {
    started.sometimes = true;
    thread.here.pending.delete(started);
  }
  const foreign = promise.started.find(({ frame }) => frame !== thread.frame);
  if (foreign !== undefined) {
    const { node, what } = foreign;
    if (!foreign.awaited) method.context.report(sayMethod.crossing({ at: spanOf(node), what }));
    markAwaited(promise);
    return BROKEN;
  }
  method.waits += 1;
  thread.wait(promise.completions);
  return promise.value;
}

/** `[this.a(), this.b()]`: a list of promises; or a tuple, if all in it is there. */
function lowerArray(
  method: Method,
  thread: Thread,
  node: ts.ArrayLiteralExpression,
  wanted: Wanted,
): Value {
  const holds = (element: ts.Expression): boolean => {
    const inner = ts.isSpreadElement(element) ? element.expression : element;
    return waits(method, inner) && holdsPromise(method, inner);
  };
  return node.elements.some(holds)
    ? lowerElements(method, thread, node)
    : lowerMixed(method, thread, node, wanted);
}

/** The elements of a list one by one, each waiting or not. */
export function lowerElements(
  method: Method,
  thread: Thread,
  node: ts.ArrayLiteralExpression,
): Value {
  const elements: (ListValue["elements"][number] | Broken)[] = [];
  for (const element of node.elements) {
    if (ts.isSpreadElement(element)) {
      const list = lowerExpression(method, thread, element.expression);
      if (list.kind === "list" || list.kind === "tuple") elements.push(...list.elements);
      else {
        if (list.kind !== "broken") {
          const what = "spreading a list of unknown length into a list of promises";
          markAwaited(list);
          const inner = shown(element.expression);
          const help = `wait for it as one element of the list: \`Promise.all([Promise.all(${inner}), …])\``;
          method.context.report(say.expressionRefused({ at: spanOf(element), what, help }));
        }
        elements.push(BROKEN);
      }
    } else if (ts.isOmittedExpression(element)) {
      elements.push(UNDEFINED);
    } else {
      elements.push(lowerExpression(method, thread, element));
    }
  }
  const sound = elements.filter((element) => element.kind !== "broken");
  if (sound.length < elements.length) {
    for (const element of sound) markAwaited(element);
    return BROKEN;
  }
  return { kind: "list", elements: sound };
}

/** Whether an expression is a promise, or a list of promises. */
function holdsPromise(method: Method, node: ts.Expression): boolean {
  const type = method.typeOf(node);
  const element = method.checker.getIndexTypeOfType(type, ts.IndexKind.Number);
  return [type, element].some((each) => each !== undefined && isPromise(method.context, each));
}

/** `held[1]`, where `held` is a list of promises. */
function lowerListElement(method: Method, node: ts.ElementAccessExpression): Value | undefined {
  const owner = untyped(node.expression);
  const list = ts.isIdentifier(owner) ? lowerName(method, owner) : undefined;
  if (list?.kind === "broken") return list;
  if (list?.kind !== "list" || !ts.isNumericLiteral(node.argumentExpression)) return undefined;
  return list.elements[Number(node.argumentExpression.text)] ?? BROKEN;
}

// --- parts that wait beside parts that do not

/** An expression that waits somewhere inside: its parts are read in order, then it is built from them. */
function lowerMixed(method: Method, thread: Thread, node: ts.Expression, wanted: Wanted): Value {
  const sides = lowerSides(method, thread, node, wanted, (side) => waits(method, side));
  if (sides !== undefined) return sides;
  const operands = operandsOf(method, node);
  if (operands === undefined) return BROKEN;
  const holes = new Map<ts.Node, CodeValue>();
  const last = operands.findLastIndex((operand) => waits(method, operand));
  for (const [index, operand] of operands.entries()) {
    if (index > last) break;
    const value = waits(method, operand)
      ? lowerReady(method, thread, operand)
      : lowerEarly(method, thread, operand);
    if (value === undefined) continue;
    if (value.kind === "broken") return value;
    holes.set(operand, value);
  }
  return lowerPlain(method, thread, node, holes, wanted);
}

/** A part that is evaluated before another one waits. Undefined: it can as well be read later. */
function lowerEarly(
  method: Method,
  thread: Thread,
  operand: ts.Expression,
): CodeValue | Broken | undefined {
  if (isGlue(method, operand, NO_HOLES)) return undefined;
  if (isCallee(operand)) {
    if (isSteadyFunction(method, operand)) return undefined;
    method.context.report(say.splitCall({ at: spanOf(operand), text: shown(operand) }));
    return BROKEN;
  }
  return lowerReady(method, thread, operand);
}

function isCallee(node: ts.Expression): boolean {
  const { parent } = node;
  return (ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression === node;
}

/** A function that is the same whenever it is read: of a module, of a library, a method of `this`. */
function isSteadyFunction(method: Method, node: ts.Expression): boolean {
  if (ts.isIdentifier(node)) return true;
  if (!ts.isPropertyAccessExpression(node)) return false;
  const symbol = method.checker.getSymbolAtLocation(node.name);
  const isMethod =
    symbol !== undefined &&
    (symbol.flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Function)) !== 0;
  if (thisMember(node) !== undefined) return isMethod;
  const owner = bare(node.expression);
  return (
    isMethod &&
    (isGlue(method, owner, NO_HOLES) || (ts.isIdentifier(owner) && isLibObject(method, owner)))
  );
}

function isLibObject(method: Method, node: ts.Identifier): boolean {
  const source = method.checker.getSymbolAtLocation(node)?.declarations?.[0]?.getSourceFile();
  return source !== undefined && method.context.program.isSourceFileDefaultLibrary(source);
}

/** The parts of an expression in the order of evaluation; undefined: reported as not supported. */
function operandsOf(method: Method, node: ts.Expression): ts.Expression[] | undefined {
  if (ts.isPropertyAccessExpression(node) || isTypeOnly(node)) return [node.expression];
  if (ts.isElementAccessExpression(node)) return [node.expression, node.argumentExpression];
  if (ts.isPrefixUnaryExpression(node)) return [node.operand];
  if (ts.isTypeOfExpression(node)) return [node.expression];
  if (ts.isTemplateExpression(node)) return node.templateSpans.map((span) => span.expression);
  if (ts.isArrayLiteralExpression(node)) return node.elements.map(spreadOperand);
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    return [calledOn(method, node.expression), ...(node.arguments ?? []).map(spreadOperand)];
  }
  if (ts.isObjectLiteralExpression(node)) return node.properties.flatMap(propertyOperands);
  if (ts.isBinaryExpression(node)) return binaryOperands(method, node);
  if (ts.isConditionalExpression(node)) {
    return [node.condition];
  }
  // Functions, tagged templates and the like: what waits in them is reported where it stands.
  checkPlain(method, node, NO_HOLES);
  const help = "await into a variable first";
  method.context.report(
    say.expressionRefused({
      at: spanOf(node),
      what: "an expression of this kind around an `await`",
      help,
    }),
  );
  return undefined;
}

/** What is evaluated before the arguments: of a method, the value it belongs to. */
function calledOn(method: Method, callee: ts.Expression): ts.Expression {
  return ts.isPropertyAccessExpression(callee) && waits(method, callee)
    ? callee.expression
    : callee;
}

function isComma(node: ts.Expression): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.CommaToken;
}

function isTypeOnly(
  node: ts.Node,
): node is ts.AsExpression | ts.SatisfiesExpression | ts.NonNullExpression {
  return ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isNonNullExpression(node);
}

function spreadOperand(node: ts.Expression): ts.Expression {
  return ts.isSpreadElement(node) ? node.expression : node;
}

function propertyOperands(property: ts.ObjectLiteralElementLike): ts.Expression[] {
  const computed =
    property.name !== undefined && ts.isComputedPropertyName(property.name)
      ? [property.name.expression]
      : [];
  if (ts.isPropertyAssignment(property)) return [...computed, property.initializer];
  if (ts.isSpreadAssignment(property)) return [property.expression];
  return computed;
}

function binaryOperands(method: Method, node: ts.BinaryExpression): ts.Expression[] | undefined {
  const operator = node.operatorToken.kind;
  if (operator >= ts.SyntaxKind.FirstAssignment && operator <= ts.SyntaxKind.LastAssignment) {
    const name = shown(node.left);
    method.context.report(reassigned({ at: spanOf(node.left), name }));
    return undefined;
  }
  const short =
    operator === ts.SyntaxKind.AmpersandAmpersandToken ||
    operator === ts.SyntaxKind.BarBarToken ||
    operator === ts.SyntaxKind.QuestionQuestionToken;
  return short ? [node.left] : [node.left, node.right];
}
