/**
 * Reads what runs for each item of a list that is known only at run time: `for … of`, one item after
 * another, and `Promise.all(xs.map(…))`, side by side. The items have a graph of their own.
 */
import * as sayGlue from "../../diagnostics/catalogue/glue.js";
import * as say from "../../diagnostics/catalogue/method.js";
import { NOTHING, type TypeModel } from "../../type-model.js";
import type { Code } from "../../model.js";
import { enter } from "./arms.js";
import { bare, shown, spanOf, untyped } from "../context.js";
import { classify } from "./calls.js";
import { leaveWithVariables } from "./carried.js";
import type { Draft, DraftContent, Frame, Frontier } from "./graph.js";
import { addOutputs, checkPending, lowerBody, lowerStatements } from "./lower-body.js";
import { firstRead } from "./lower-branch.js";
import { lowerReady, waits } from "./lower-expression.js";
import { leaveContainer } from "./leave.js";
import type { Method } from "./method.js";
import { bind } from "./patterns.js";
import type { Thread } from "./thread.js";
import { storedItem, storedReturns, storedValue } from "../types/stored.js";
import { awaited, isAny } from "../types/types.js";
import ts from "../typescript.cjs";
import { BROKEN, codeFrom, variableValue, type PromiseValue } from "./values.js";

type IterationContent = Extract<DraftContent, { readonly kind: "map" | "loop" }>;
export type Callback = ts.ArrowFunction | ts.FunctionExpression;

/** What is gone through, and what of it is named. */
interface Items {
  readonly list: ts.Expression;
  readonly item: ts.BindingName | undefined;
  readonly index: ts.BindingName | undefined;
}

// --- one after another

export function lowerLoop(method: Method, thread: Thread, node: ts.ForOfStatement): void {
  const items = loopItems(method, node);
  const list = items && lowerList(method, thread, items.list, true);
  if (items === undefined || list === undefined) return;
  const inner = thread.inside(thread.body);
  const { frame } = inner;
  const draft = method.addDraft(
    thread,
    {
      kind: "loop",
      items: list.code,
      key: undefined,
      concurrency: undefined,
      graph: frame,
      item: list.item,
      result: NOTHING,
    },
    node.expression,
    nameOf(items.list),
  );
  const { waits: before } = method;
  enter(method, inner, inner.path);
  bindItems(method, inner, draft, items);
  lowerStatements(method, inner, [node.statement]);
  const { exits } = inner;
  // What an item that throws leaves is undone.
  const left = exits.filter(({ kind }) => kind !== "throw").map(({ path }) => path);
  const ends = [...left, ...(inner.path ? [inner.path] : [])];
  for (const path of ends) checkPending(method, path, new Set());
  for (const { kind, path, target } of exits) {
    if (kind === "return" || (kind === "break" && target === node)) {
      frame.exits.push({ to: kind, when: path.when });
    }
  }
  const returns = exits.filter(({ kind }) => kind === "return");
  if (returns.some(({ value }) => value !== undefined)) {
    const endings = returns.map(({ path, value }) => ({ when: path.when, value }));
    addOutputs(frame, [...endings, { when: [], value: undefined }], spanOf(node));
    const what = `what \`${shown(node.expression)}\` is left with`;
    const result = storedReturns(method.context, node.statement, true, { what, path: "it" });
    if (result === undefined) return;
    draft.content = { ...draft.content, result } as IterationContent;
  }
  enter(method, thread, thread.path);
  thread.pass(draft, method.waits > before);
  const breaks = exits.filter(({ kind, target }) => kind === "break" && target === node);
  const nexts = exits.filter(({ kind }) => kind === "continue").map(({ path }) => path);
  const itemEnds = [...nexts, ...(inner.path ? [inner.path] : [])];
  const threads = { outer: thread, inner };
  leaveWithVariables(method, threads, draft, node, { breaks, ends: itemEnds });
  if (returns.length === 0) return;
  const valued = returns.some(({ value }) => value !== undefined);
  // It is there where the loop was left by `return`; its type is that of every item's output.
  const value = { ...method.valueOf(draft), parts: [...method.valueOf(draft).parts, ".value!"] };
  leaveContainer(method, thread, draft, [
    { kind: "return", target: undefined, value: valued ? value : undefined },
  ]);
}

function loopItems(method: Method, node: ts.ForOfStatement): Items | undefined {
  const { initializer } = node;
  const first = ts.isVariableDeclarationList(initializer) ? initializer.declarations[0] : undefined;
  if (node.awaitModifier !== undefined || first === undefined) {
    const what =
      node.awaitModifier === undefined ? "`for (x of …)` without `const`" : "`for await`";
    const help =
      node.awaitModifier === undefined
        ? "write `for (const x of …)`"
        : "collect the items in an action, and loop over the list";
    method.context.report(say.statementRefused({ at: spanOf(initializer), what, help }));
    return undefined;
  }
  const { name } = first;
  const call = untyped(node.expression);
  const entries =
    ts.isCallExpression(call) &&
    ts.isPropertyAccessExpression(call.expression) &&
    call.expression.name.text === "entries" &&
    call.arguments.length === 0 &&
    isList(method, call.expression.expression);
  if (!entries || !ts.isArrayBindingPattern(name)) {
    return { list: node.expression, item: name, index: undefined };
  }
  const [index, item] = name.elements.map((each) =>
    ts.isOmittedExpression(each) ? undefined : each.name,
  );
  const { expression } = call.expression;
  return { list: expression, item, index };
}

// --- side by side

/** `xs.map((x) => this.a(x))`, in which something waits; undefined: no such call. */
export function mapCallback(method: Method, written: ts.Expression): Callback | undefined {
  const node = untyped(written);
  if (!ts.isCallExpression(node) || node.arguments.length !== 1) return undefined;
  const callee = bare(node.expression);
  if (!ts.isPropertyAccessExpression(callee) || callee.name.text !== "map") return undefined;
  if (!isList(method, callee.expression)) return undefined;
  const [argument] = node.arguments;
  const callback = argument && untyped(argument);
  if (!callback || !(ts.isArrowFunction(callback) || ts.isFunctionExpression(callback))) {
    return undefined;
  }
  return isAsync(callback) || waits(method, callback.body) ? callback : undefined;
}

function isAsync(node: Callback): boolean {
  return node.modifiers?.some((each) => each.kind === ts.SyntaxKind.AsyncKeyword) === true;
}

/** The promise of all that `xs.map(…)` starts. */
export function lowerMap(
  method: Method,
  thread: Thread,
  node: ts.CallExpression,
  callback: Callback,
): PromiseValue | typeof BROKEN {
  const callee = bare(node.expression);
  if (!ts.isPropertyAccessExpression(callee)) return BROKEN;
  return lowerItems(method, thread, node, { list: callee.expression, callback });
}

/** What is gone through side by side, and how. */
export interface Side {
  readonly list: ts.Expression;
  readonly callback: Callback;
  readonly concurrency?: number | undefined;
  /** It is `each()`, in which all runs asynchronously. */
  readonly isEach?: true;
  /** Gives an item its name. */
  readonly key?: ts.ArrowFunction | undefined;
}

export function lowerItems(
  method: Method,
  thread: Thread,
  node: ts.CallExpression,
  { list: listed, callback, concurrency, key, isEach }: Side,
): PromiseValue | typeof BROKEN {
  const items = mapItems(method, listed, callback);
  const atOnce = isAwaitedAtOnce(method, node);
  const list = items && lowerList(method, thread, items.list, atOnce);
  if (items === undefined || list === undefined) return BROKEN;
  const inner = thread.inside(callback);
  const { frame } = inner;
  const draft = method.addDraft(
    thread,
    {
      kind: "map",
      items: list.code,
      key: undefined,
      concurrency,
      graph: frame,
      item: list.item,
      result: NOTHING,
    },
    node,
    nameOf(items.list),
  );
  enter(method, inner, inner.path);
  if (key !== undefined && !lowerKey(method, inner, draft, key)) return BROKEN;
  bindItems(method, inner, draft, items);
  const returns = lowerBody(method, inner, callback.body);
  addOutputs(frame, returns, spanOf(callback.body));
  if (!atOnce && !isAsync(callback) && !isEach && computes(frame)) {
    const what = "a function that computes something for each item, and is not `async`,";
    const help = "write `async (item) => …`: what it throws is then the failure of its item alone";
    method.context.report(sayGlue.expressionRefused({ at: spanOf(callback), what, help }));
  }
  enter(method, thread, thread.path);
  if (returns.some(({ value }) => value?.kind === "broken")) return BROKEN;
  const result = mapResult(
    method,
    callback,
    returns.some(({ value }) => value === undefined),
  );
  if (result === undefined) return BROKEN;
  draft.content = { ...draft.content, result } as IterationContent;
  const ends: Frontier = new Map([[draft, [[]]]]);
  return {
    kind: "promise",
    completions: [{ ends, covers: new Set(draft.after.keys()) }],
    value: method.valueOf(draft),
    started: [],
    origins: new Set([draft]),
  };
}

/**
 * Whether nothing runs beside what is started here, until it is awaited. Else it matters when
 * something throws that is computed on the spot: before what follows begins, or beside it.
 */
function isAwaitedAtOnce(method: Method, node: ts.Expression): boolean {
  let { parent } = node;
  for (;;) {
    const isAll = ts.isCallExpression(parent) && classify(method, parent)?.kind === "all";
    if (isAll || ts.isParenthesizedExpression(parent) || ts.isAsExpression(parent)) {
      parent = parent.parent;
    } else {
      return (
        ts.isAwaitExpression(parent) || ts.isReturnStatement(parent) || ts.isArrowFunction(parent)
      );
    }
  }
}

/** Whether something in a graph is computed as soon as it is begun. */
function computes({ drafts }: Frame): boolean {
  return drafts.some(
    ({ content }) =>
      /^(compute|decision|fail|loop|scope)$/.test(content.kind) ||
      (content.kind === "map" && computes(content.graph)),
  );
}

/** What an item is called; false: something was reported. */
function lowerKey(method: Method, inner: Thread, draft: Draft, key: ts.ArrowFunction): boolean {
  const items = mapItems(method, key, key);
  if (items === undefined || draft.content.kind !== "map" || ts.isBlock(key.body)) return false;
  bindItems(method, inner, draft, items);
  const value = lowerReady(method, inner, key.body, { inPlace: true });
  if (value.kind === "broken") return false;
  if (inner.frame.drafts.length > 0) {
    const what = "a key that needs a node of its own";
    const help = "write one expression of the item: `key: (item) => item.name`";
    method.context.report(sayGlue.expressionRefused({ at: spanOf(key), what, help }));
    return false;
  }
  draft.content = { ...draft.content, key: codeFrom(value, spanOf(key.body)) };
  return true;
}

/** What an item of a map gives. A type that is written for it may be wider than what it returns. */
function mapResult(
  { context }: Method,
  callback: Callback,
  mayEnd: boolean,
): TypeModel | undefined {
  const place = { what: "what an item gives", path: "it" };
  if (callback.type !== undefined) {
    return storedReturns(context, callback.body, mayEnd, place);
  }
  const signature = context.checker.getSignatureFromDeclaration(callback);
  const given = signature && awaited(context, signature.getReturnType());
  const at = spanOf(callback.body);
  return given === undefined ? NOTHING : storedValue(context, given, { ...place, at });
}

function mapItems(method: Method, list: ts.Expression, callback: Callback): Items | undefined {
  const [item, index, third] = callback.parameters;
  const odd = callback.parameters.find(
    (each) => each.initializer !== undefined || each.dotDotDotToken !== undefined,
  );
  if (callback.asteriskToken === undefined && third === undefined && odd === undefined) {
    return { list, item: item?.name, index: index?.name };
  }
  const what = "a function for `map` with other parameters than an item and its index";
  const help = "write `list.map(async (item, index) => …)`";
  method.context.report(sayGlue.expressionRefused({ at: spanOf(third ?? callback), what, help }));
  return undefined;
}

// --- both

/** The list, which is evaluated once and recorded. */
function lowerList(
  method: Method,
  thread: Thread,
  node: ts.Expression,
  inPlace: boolean,
): { readonly code: Code; readonly item: TypeModel } | undefined {
  if (!isList(method, node)) {
    const type = method.checker.typeToString(method.typeOf(node));
    const what = `going through \`${shown(node)}\`, which is no array but a \`${type}\``;
    const help = "make an array of it: `[...items]`, or `Object.keys(object)`";
    method.context.report(say.statementRefused({ at: spanOf(node), what, help }));
    return undefined;
  }
  const place = { at: spanOf(node), what: `the list \`${shown(node)}\``, path: "it" };
  const item = storedItem(method.context, method.typeOf(node), place);
  if (item === undefined) return undefined;
  const value = lowerReady(method, thread, node, { inPlace });
  return value.kind === "broken" ? undefined : { code: codeFrom(value, spanOf(node)), item };
}

function isList(method: Method, node: ts.Expression): boolean {
  const type = method.typeOf(node);
  const { checker } = method;
  const members = type.isUnion() ? type.types : [type];
  return (
    isAny(type) || members.every((each) => checker.isArrayType(each) || checker.isTupleType(each))
  );
}

function bindItems(method: Method, thread: Thread, draft: Draft, { item, index }: Items): void {
  const name = (kind: "item" | "index", target: ts.BindingName | undefined): void => {
    if (target === undefined) return;
    const { id } = method.addVariable(kind, false, { kind, draft });
    bind(method, thread, target, { value: variableValue(id, undefined), type: undefined });
  };
  name("item", item);
  name("index", index);
}

/** The last name of the list: `nics` of `params.nics`, also if the list is made of them. */
function nameOf(node: ts.Expression): string {
  return firstRead(node)?.replace(/[/[\]]/g, "") ?? "items";
}
