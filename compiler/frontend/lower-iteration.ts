/**
 * Reads what runs for each item of a list that is known only at run time: `for … of`, one item after
 * another, and `Promise.all(xs.map(…))`, side by side. The items have a graph of their own.
 */
import { ts } from "ts-morph";
import * as sayClass from "../diagnostics/catalogue/class.js";
import * as sayGlue from "../diagnostics/catalogue/glue.js";
import * as say from "../diagnostics/catalogue/method.js";
import type { Code } from "../model.js";
import { enter } from "./arms.js";
import { bare, shown, spanOf, untyped } from "./context.js";
import type { Draft, Frontier } from "./graph.js";
import { addOutputs, checkPending, lowerBody, lowerStatements } from "./lower-body.js";
import { firstRead } from "./lower-branch.js";
import { lowerReady, waits } from "./lower-expression.js";
import { leaveContainer } from "./leave.js";
import type { Method } from "./method.js";
import { bind } from "./patterns.js";
import type { Thread } from "./thread.js";
import { isAny, notJson } from "./types.js";
import { BROKEN, codeFrom, variableValue, type PromiseValue } from "./values.js";

type Callback = ts.ArrowFunction | ts.FunctionExpression;

/** What is gone through, and what of it is named. */
interface Items {
  readonly list: ts.Expression;
  readonly item: ts.BindingName | undefined;
  readonly index: ts.BindingName | undefined;
}

// --- one after another

export function lowerLoop(method: Method, thread: Thread, node: ts.ForOfStatement): void {
  const items = loopItems(method, node);
  const list = items && lowerList(method, thread, items.list);
  if (items === undefined || list === undefined) return;
  const inner = thread.inside(thread.body);
  const { frame } = inner;
  const draft = method.addDraft(
    thread,
    { kind: "loop", items: list, key: undefined, concurrency: undefined, graph: frame },
    node.expression,
    nameOf(items.list),
  );
  const { waits: before } = method;
  enter(method, inner, inner.path);
  bindItems(method, inner, draft, items);
  lowerStatements(method, inner, [node.statement]);
  const { exits } = inner;
  const ends = [...exits.map(({ path }) => path), ...(inner.path ? [inner.path] : [])];
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
  }
  enter(method, thread, thread.path);
  thread.pass(draft, method.waits > before);
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

/** The promise of `Promise.all(xs.map(…))`. */
export function lowerMap(
  method: Method,
  thread: Thread,
  written: ts.Expression,
  callback: Callback,
): PromiseValue | typeof BROKEN {
  const node = untyped(written);
  const callee = ts.isCallExpression(node) ? bare(node.expression) : undefined;
  if (callee === undefined || !ts.isPropertyAccessExpression(callee)) return BROKEN;
  const items = mapItems(method, callee.expression, callback);
  const list = items && lowerList(method, thread, items.list);
  if (items === undefined || list === undefined) return BROKEN;
  const inner = thread.inside(callback);
  const { frame } = inner;
  const draft = method.addDraft(
    thread,
    { kind: "map", items: list, key: undefined, concurrency: undefined, graph: frame },
    node,
    nameOf(items.list),
  );
  enter(method, inner, inner.path);
  bindItems(method, inner, draft, items);
  const returns = lowerBody(method, inner, callback.body);
  addOutputs(frame, returns, spanOf(callback.body));
  enter(method, thread, thread.path);
  if (returns.some(({ value }) => value?.kind === "broken")) return BROKEN;
  const ends: Frontier = new Map([[draft, [[]]]]);
  return {
    kind: "promise",
    completions: [{ ends, covers: new Set(draft.after.keys()) }],
    value: method.valueOf(draft),
    started: [],
    origins: new Set([draft]),
  };
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
function lowerList(method: Method, thread: Thread, node: ts.Expression): Code | undefined {
  if (!isList(method, node)) {
    const type = method.checker.typeToString(method.typeOf(node));
    const what = `going through \`${shown(node)}\`, which is no array but a \`${type}\``;
    const help = "make an array of it: `[...items]`, or `Object.keys(object)`";
    method.context.report(say.statementRefused({ at: spanOf(node), what, help }));
    return undefined;
  }
  const problem = notJson(method.context, method.typeOf(node), node, "it");
  if (problem !== undefined) {
    const what = `the list \`${shown(node)}\``;
    const help = "make a list of JSON values of it in an action";
    method.context.report(sayClass.valueNotJson({ at: spanOf(node), what, ...problem, help }));
    return undefined;
  }
  const value = lowerReady(method, thread, node, { inPlace: true });
  return value.kind === "broken" ? undefined : codeFrom(value, spanOf(node));
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
