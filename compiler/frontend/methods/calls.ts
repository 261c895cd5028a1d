/**
 * Tells what a call in a saga method means to steno: an action, a saga, `Promise.all`, an async block,
 * something to wait for; or nothing, if it is a call like others. Reading it is `lower-call.ts`.
 */
import type { Member } from "../../model.js";
import { selfMember, thisMember } from "../expressions/code.js";
import { bare, shown } from "../context.js";
import { decorationsOf } from "../classes/decorators.js";
import { mapCallback, type Callback } from "./lower-iteration.js";
import { isOurs, waitingOf, type Waiting } from "./lower-waiting.js";
import type { Method } from "./method.js";
import type { ClassInfo } from "../classes/read-class.js";
import { isPromise, mayBeNullish } from "../types/types.js";
import ts from "../typescript.cjs";

/** What to write in place of methods of promises. */
const INSTEAD = "await them all: `await Promise.all([this.a(), this.b()])`";
const INSTEAD_OF: ReadonlyMap<string, string> = new Map([
  ["resolve", "use the value itself: a list for `Promise.all` may hold values"],
  ["reject", "write `throw error`"],
  [
    "allSettled",
    "what fails is undone, and only a `catch` goes on after it; catch each on its own: `Promise.all(xs.map(async (x) => { try { return await this.a(x); } catch { return undefined; } }))`",
  ],
  [".catch", "write `try { await this.a(); } catch (error) { … }`"],
  [".finally", "write what it does after the `await`; what must be taken back is an undo"],
]);

export type AsyncFunction = ts.ArrowFunction | ts.FunctionExpression;

/** What a call means. */
export type Call =
  | { readonly kind: "action" | "undo"; readonly name: string }
  | {
      readonly kind: "saga";
      readonly name: string;
      readonly path: readonly Member[];
      readonly info: ClassInfo | undefined;
    }
  | {
      readonly kind: "misplaced";
      readonly name: string;
      readonly why: string;
      readonly help: string;
    }
  | { readonly kind: "all" }
  /** `start(…)`, with `.result()` behind it or not. */
  | { readonly kind: "start"; readonly call: ts.CallExpression; readonly wait: boolean }
  /** `each(…)`, and `xs.map(…)` where something waits in the function. */
  | { readonly kind: "each" }
  | { readonly kind: "map"; readonly callback: Callback }
  | { readonly kind: "waiting"; readonly waiting: Waiting }
  | { readonly kind: "block"; readonly body: AsyncFunction }
  | { readonly kind: "promise"; readonly what: string; readonly help: string };

/** Undefined: a call like others. */
export function classify(method: Method, node: ts.CallExpression): Call | undefined {
  const waiting = waitingOf(method, node);
  if (waiting !== undefined) return { kind: "waiting", waiting };
  const callee = bare(node.expression);
  if (ts.isArrowFunction(callee) || ts.isFunctionExpression(callee)) {
    return isAsync(callee) ? { kind: "block", body: callee } : undefined;
  }
  const own = thisMember(callee);
  if (own !== undefined) {
    const marker = method.info.marked.get(own);
    if (marker === "saga") return { kind: "saga", name: own, path: [], info: method.info };
    return marker === undefined ? undefined : { kind: marker, name: own };
  }
  if (isOurs(method, callee, "start")) return { kind: "start", call: node, wait: false };
  if (isOurs(method, callee, "each")) return { kind: "each" };
  if (!ts.isPropertyAccessExpression(callee)) return undefined;
  const started = bare(callee.expression);
  if (callee.name.text === "result" && ts.isCallExpression(started)) {
    const call = classify(method, started);
    if (call?.kind === "start") return { ...call, wait: true };
  }
  const callback = mapCallback(method, node);
  if (callback !== undefined) return { kind: "map", callback };
  return classifyPromise(method, callee) ?? classifyMember(method, callee);
}

function isAsync(node: AsyncFunction): boolean {
  return node.modifiers?.some((each) => each.kind === ts.SyntaxKind.AsyncKeyword) === true;
}

function classifyPromise(method: Method, callee: ts.PropertyAccessExpression): Call | undefined {
  const name = callee.name.text;
  const owner = bare(callee.expression);
  if (ts.isIdentifier(owner) && owner.text === "Promise" && isLib(method, owner)) {
    if (name === "all") return { kind: "all" };
    const help = INSTEAD_OF.get(name) ?? INSTEAD;
    return { kind: "promise", what: `Promise.${name}`, help };
  }
  if (!/^(then|catch|finally)$/.test(name)) return undefined;
  if (!isPromise(method.context, method.typeOf(owner))) return undefined;
  const help =
    name === "then"
      ? `await it, and go on with the value: \`const value = await ${shown(owner)};\``
      : (INSTEAD_OF.get(`.${name}`) ?? INSTEAD);
  return { kind: "promise", what: `.${name}()`, help };
}

function isLib(method: Method, node: ts.Identifier): boolean {
  const source = method.checker.getSymbolAtLocation(node)?.declarations?.[0]?.getSourceFile();
  return source !== undefined && method.context.program.isSourceFileDefaultLibrary(source);
}

/** A decorated method of another object. */
export function classifyMember(
  method: Method,
  callee: ts.PropertyAccessExpression,
): Call | undefined {
  const symbol = method.checker.getSymbolAtLocation(callee.name);
  const declared = symbol?.declarations?.find(ts.isMethodDeclaration);
  if (declared === undefined) return undefined;
  const [decoration] = decorationsOf(method.context, declared);
  if (decoration === undefined) return undefined;
  const name = shown(callee);
  if (decoration.marker !== "saga") {
    const why = `it is an ${decoration.marker} of another object`;
    const help = "call a saga of that object, or write an action in this class";
    return { kind: "misplaced", name, why, help };
  }
  const path = memberPath(method, callee.expression);
  if (path === undefined) {
    const why = "the object that it belongs to is not reached by members of `this`";
    const help =
      "hold the object in a property of the class, and call it as `this.property.saga(…)`";
    return { kind: "misplaced", name, why, help };
  }
  const type = method.checker.getNonNullableType(method.typeOf(callee.expression));
  const owner = type.getSymbol()?.declarations?.find(ts.isClassDeclaration);
  const info = owner && method.classes.read(owner);
  return { kind: "saga", name: callee.name.text, path, info };
}

/** The members from `this` to an object. */
function memberPath(method: Method, written: ts.Expression): Member[] | undefined {
  const node = bare(written);
  const first = selfMember(method, node);
  if (first !== undefined) {
    const own = method.checker.getPropertyOfType(method.info.type, first.name);
    return [maybeMissing(method, first, own)];
  }
  if (!ts.isPropertyAccessExpression(node)) return undefined;
  const before = memberPath(method, node.expression);
  const symbol = method.checker.getSymbolAtLocation(node.name);
  if (before === undefined || symbol === undefined || !ts.isIdentifier(node.name)) return undefined;
  const hidden = symbol.declarations?.some(
    (each) =>
      (ts.getCombinedModifierFlags(each) &
        (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !==
      0,
  );
  const member = { name: node.name.text, public: hidden !== true };
  return [...before, maybeMissing(method, member, symbol)];
}

function maybeMissing({ checker }: Method, member: Member, symbol: ts.Symbol | undefined): Member {
  const optional = symbol !== undefined && mayBeNullish(checker.getTypeOfSymbol(symbol));
  return optional ? { ...member, optional } : member;
}

/** What a call is made only for if it is there: `this.hall` of `this.hall?.openAll()`. */
export function askedFor(node: ts.CallExpression): ts.Expression | undefined {
  let each = bare(node.expression);
  while (ts.isPropertyAccessExpression(each)) {
    const { expression } = each;
    if (each.questionDotToken !== undefined) {
      return expression.kind === ts.SyntaxKind.ThisKeyword ? undefined : expression;
    }
    each = bare(expression);
  }
  return undefined;
}
