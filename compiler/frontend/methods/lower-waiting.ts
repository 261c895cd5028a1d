/**
 * Reads what a saga waits for that is no call of its own: `await sleep("3 days")`, and an event that
 * the class declares, `await this.approval`, `await this.approval.within("2 days")`.
 */
import * as say from "../../diagnostics/catalogue/glue.js";
import { selfMember } from "../expressions/code.js";
import { bare, resolve, shown, spanOf } from "../context.js";
import { declaresHelpers } from "../classes/decorators.js";
import type { Draft } from "./graph.js";
import { lowerReady } from "./lower-expression.js";
import type { Method } from "./method.js";
import { milliseconds } from "../classes/options.js";
import type { Thread } from "./thread.js";
import { stored, type Place } from "../types/stored.js";
import ts from "../typescript.cjs";
import { codeFrom } from "./values.js";

/** What is waited for. */
export type Waiting =
  | { readonly kind: "sleep"; readonly duration: ts.Expression | undefined }
  | {
      readonly kind: "event";
      readonly event: ts.Expression;
      readonly within: ts.Expression | undefined;
    };

/** Undefined: an expression like others. */
export function waitingOf(method: Method, node: ts.Node): Waiting | undefined {
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
    const isOwner = ts.isPropertyAccessExpression(node.parent) && node.parent.expression === node;
    if (isOwner || !isEvent(method, node)) return undefined;
    return { kind: "event", event: node, within: undefined };
  }
  if (!ts.isCallExpression(node)) return undefined;
  const callee = bare(node.expression);
  if (isOurs(method, callee, "sleep")) return { kind: "sleep", duration: node.arguments[0] };
  if (!ts.isPropertyAccessExpression(callee) || callee.name.text !== "within") return undefined;
  const owner = bare(callee.expression);
  if (!isEvent(method, owner)) return undefined;
  return { kind: "event", event: owner, within: node.arguments[0] };
}

function isEvent(method: Method, node: ts.Expression): boolean {
  if (selfMember(method, node) === undefined) return false;
  const symbol = method.typeOf(node).getSymbol();
  return symbol?.name === "SagaEvent" && isDeclaredByUs(symbol);
}

/** Whether an expression names a function of steno-runtime. */
export function isOurs(method: Method, node: ts.Expression, name: string): boolean {
  const symbol = method.checker.getSymbolAtLocation(
    ts.isPropertyAccessExpression(node) ? node.name : node,
  );
  const own = symbol && resolve(method.checker, symbol);
  return own?.name === name && isDeclaredByUs(own);
}

function isDeclaredByUs(symbol: ts.Symbol): boolean {
  const file = symbol.declarations?.[0]?.getSourceFile().fileName;
  return file !== undefined && declaresHelpers(file);
}

/** The node that waits; undefined: something was reported. */
export function lowerWaiting(
  method: Method,
  thread: Thread,
  node: ts.Expression,
  waiting: Waiting,
): Draft | undefined {
  if (waiting.kind === "sleep") {
    const value = waiting.duration && lowerReady(method, thread, waiting.duration, {});
    if (value === undefined || value.kind === "broken") return undefined;
    const duration = codeFrom(value, spanOf(node));
    return method.addDraft(thread, { kind: "sleep", duration }, node, "sleep");
  }
  const event = selfMember(method, waiting.event);
  if (event === undefined) return undefined;
  const type = method.checker.getAwaitedType(method.typeOf(node));
  const place = placeOf(method, node, event.name);
  const payload = type && stored(method.context, type, place);
  if (payload === undefined) return undefined;
  const { within } = waiting;
  const timeoutMs = within && milliseconds(within);
  if (within !== undefined && timeoutMs === undefined) {
    const what = `\`${shown(within)}\`, which is no duration that is written out,`;
    const help = 'write it as a text or a number: `within("2 days")`';
    method.context.report(say.expressionRefused({ at: spanOf(within), what, help }));
    return undefined;
  }
  return method.addDraft(
    thread,
    { kind: "event", event, type: payload, timeoutMs },
    node,
    event.name,
  );
}

/** Where an event is declared; where it enters the saga is said beside that. */
function placeOf(method: Method, node: ts.Node, name: string): Place {
  const declared = method.checker.getPropertyOfType(method.info.type, name)?.valueDeclaration;
  const at = spanOf(declared ?? node);
  const others =
    declared === undefined ? [] : [{ span: spanOf(node), text: "enters the saga here" }];
  return { at, what: `the event \`${name}\``, path: name, others };
}
