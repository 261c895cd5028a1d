/**
 * Reads the calls that mean something to steno: actions, sagas, `Promise.all`, async blocks. All
 * other calls are expressions like others.
 */
import { ts } from "ts-morph";
import * as sayGlue from "../diagnostics/catalogue/glue.js";
import * as say from "../diagnostics/catalogue/method.js";
import type { Code, CodePart, Member } from "../model.js";
import { enter } from "./arms.js";
import { selfMember, thisMember } from "./code.js";
import { bare, shown, spanOf, untyped } from "./context.js";
import { decorationsOf } from "./decorators.js";
import type { Completion, Draft, Frontier } from "./graph.js";
import type { Thread } from "./thread.js";
import { lowerBody } from "./lower-body.js";
import { returned } from "./lower-branch.js";
import {
  asCode,
  lowerElements,
  lowerExpression,
  lowerReady,
  markAwaited,
} from "./lower-expression.js";
import { lowerMap, mapCallback } from "./lower-iteration.js";
import type { Method } from "./method.js";
import { lowerWaiting, waitingOf, type Waiting } from "./lower-waiting.js";
import type { ClassInfo } from "./read-class.js";
import { isPromise } from "./types.js";
import {
  BROKEN,
  UNDEFINED,
  toCode,
  type Broken,
  type ListValue,
  type PromiseValue,
  type ReadyValue,
  type Started,
  type Value,
} from "./values.js";

type AsyncFunction = ts.ArrowFunction | ts.FunctionExpression;

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
  if (!ts.isPropertyAccessExpression(callee)) return undefined;
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
    const help =
      name === "resolve"
        ? "use the value itself"
        : "await the actions one by one, or all of them with Promise.all";
    return { kind: "promise", what: `Promise.${name}`, help };
  }
  if (!/^(then|catch|finally)$/.test(name)) return undefined;
  if (!isPromise(method.context, method.typeOf(owner))) return undefined;
  const help =
    name === "then"
      ? "await the promise into a variable, and go on with that"
      : "let it fail: what ran is undone";
  return { kind: "promise", what: `.${name}()`, help };
}

function isLib(method: Method, node: ts.Identifier): boolean {
  const source = method.checker.getSymbolAtLocation(node)?.declarations?.[0]?.getSourceFile();
  return source !== undefined && method.context.program.isSourceFileDefaultLibrary(source);
}

/** A decorated method of another object. */
function classifyMember(method: Method, callee: ts.PropertyAccessExpression): Call | undefined {
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
  if (first !== undefined) return [first];
  if (!ts.isPropertyAccessExpression(node) || node.questionDotToken) return undefined;
  const before = memberPath(method, node.expression);
  const symbol = method.checker.getSymbolAtLocation(node.name);
  if (before === undefined || symbol === undefined || !ts.isIdentifier(node.name)) return undefined;
  const hidden = symbol.declarations?.some(
    (each) =>
      (ts.getCombinedModifierFlags(each) &
        (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !==
      0,
  );
  return [...before, { name: node.name.text, public: hidden !== true }];
}

// --- reading them

export function lowerCall(
  method: Method,
  thread: Thread,
  node: ts.CallExpression,
  call: Call,
): Value {
  const at = spanOf(node);
  if (node.questionDotToken !== undefined || ts.isOptionalChain(node)) {
    const what = "a call that is made only if something is there";
    const help = "make the property one that is always there";
    method.context.report(say.notYet({ at, what, help }));
    return BROKEN;
  }
  switch (call.kind) {
    case "action":
      return lowerAction(method, thread, node, call.name);
    case "saga":
      return lowerSubsaga(method, thread, node, call);
    case "all":
      return lowerAll(method, thread, node);
    case "waiting":
      return promiseOfWaiting(method, thread, node, call.waiting);
    case "block":
      return lowerBlock(method, thread, node, call.body);
    case "undo":
      method.context.report(say.undoCalled({ at, name: call.name }));
      return BROKEN;
    case "misplaced":
      method.context.report(say.subsagaPlace({ at, ...call }));
      return BROKEN;
    case "promise":
      method.context.report(say.promiseMethod({ at, what: call.what, help: call.help }));
      return BROKEN;
  }
}

function lowerAction(method: Method, thread: Thread, node: ts.CallExpression, name: string): Value {
  const inputs: Code[] = [];
  let sound = true;
  for (const [index, argument] of node.arguments.entries()) {
    const input = lowerArgument(method, thread, argument, inputType(method, name, index));
    if (input === undefined) sound = false;
    else inputs.push(input);
  }
  const action = method.info.actions.get(name);
  if (!sound || action === undefined) return BROKEN;
  const draft = method.addDraft(thread, { kind: "action", action, inputs }, node, name);
  return promiseOf(method, thread, node, draft);
}

/** `Parameters<Rooms["book"]>[0]`, for a literal that needs to know what it is for. */
function inputType(method: Method, name: string, index: number): CodePart[] {
  return ["Parameters<", classPart(method), `[${JSON.stringify(name)}]>[${index}]`];
}

function classPart({ info }: Method): CodePart {
  const file = info.declaration.getSourceFile().fileName;
  const from = { kind: "export", exported: info.exportedAs } as const;
  return { external: { name: info.name, typeOnly: true, file, from }, shorthand: false };
}

function lowerArgument(
  method: Method,
  thread: Thread,
  argument: ts.Expression,
  type: readonly CodePart[],
): Code | undefined {
  const spread = ts.isSpreadElement(argument);
  const node = spread ? argument.expression : argument;
  const value = lowerReady(method, thread, node, spread ? {} : { type });
  if (value.kind === "broken") return undefined;
  const { parts } = value;
  return asCode(
    argument,
    spread ? { ...value, parts: ["...", ...(value.atom ? parts : ["(", ...parts, ")"])] } : value,
  );
}

function lowerSubsaga(
  method: Method,
  thread: Thread,
  node: ts.CallExpression,
  call: Extract<Call, { kind: "saga" }>,
): Value {
  const argument = node.arguments[0];
  const type: CodePart[] | undefined =
    call.path.length === 0 ? inputType(method, call.name, 0) : undefined;
  const params =
    argument && lowerArgument(method, thread, argument, type ?? memberType(method, call));
  const saga = call.info && method.embed(call.info, call.name, node);
  if (saga === undefined || (argument !== undefined && params === undefined)) return BROKEN;
  const content = { kind: "subsaga", saga, path: call.path, params } as const;
  return promiseOf(method, thread, node, method.addDraft(thread, content, node, call.name));
}

/** `Parameters<Rooms["hall"]["openAll"]>[0]`. */
function memberType(method: Method, call: Extract<Call, { kind: "saga" }>): CodePart[] {
  const members = call.path.map((member) => `[${JSON.stringify(member.name)}]`).join("");
  return ["Parameters<", classPart(method), `${members}[${JSON.stringify(call.name)}]>[0]`];
}

/** `sleep(…)`, `this.approval`: started where it stands. */
export function promiseOfWaiting(
  method: Method,
  thread: Thread,
  node: ts.Expression,
  waiting: Waiting,
): Value {
  const draft = lowerWaiting(method, thread, node, waiting);
  return draft === undefined ? BROKEN : promiseOf(method, thread, node, draft);
}

function promiseOf(method: Method, thread: Thread, node: ts.Node, draft: Draft): PromiseValue {
  const started = start(method, thread, node);
  const ends: Frontier = new Map([[draft, [[]]]]);
  const completion: Completion = { ends, covers: new Set(draft.after.keys()) };
  const origins = new Set([draft]);
  return {
    kind: "promise",
    completions: [completion],
    value: method.valueOf(draft),
    started: [started],
    origins,
  };
}

function start(method: Method, thread: Thread, node: ts.Node): Started {
  const what = `\`${shown(node)}\``;
  const started = { node, what, frame: thread.frame, awaited: false, sometimes: false };
  thread.here.pending.add(started);
  return started;
}

function lowerBlock(
  method: Method,
  thread: Thread,
  node: ts.CallExpression,
  body: AsyncFunction,
): Value {
  const fault =
    body.asteriskToken !== undefined
      ? "an async generator"
      : body.parameters.length > 0 || node.arguments.length > 0
        ? "an async block with parameters"
        : undefined;
  if (fault !== undefined) {
    const help = "write `(async () => { … })()` and use the variables of the method in it";
    method.context.report(sayGlue.expressionRefused({ at: spanOf(node), what: fault, help }));
    return BROKEN;
  }
  let result: ReadyValue | Broken | undefined;
  const completion = thread.fork(body, (inner) => {
    enter(method, inner, inner.path);
    result = returned(method, lowerBody(method, inner, body.body));
  });
  enter(method, thread, thread.path);
  const value: ReadyValue | Broken = result ?? UNDEFINED;
  const origins = value.kind === "broken" ? new Set<Draft>() : toCode(value, true).origins;
  return {
    kind: "promise",
    completions: [completion],
    value,
    started: [start(method, thread, node)],
    origins,
  };
}

function lowerAll(method: Method, thread: Thread, node: ts.CallExpression): Value {
  const argument = node.arguments[0];
  if (argument === undefined || node.arguments.length > 1 || ts.isSpreadElement(argument)) {
    const help = "give it one list: `Promise.all([…])`";
    method.context.report(
      sayGlue.expressionRefused({
        at: spanOf(node),
        what: "Promise.all with other arguments",
        help,
      }),
    );
    return BROKEN;
  }
  const callback = mapCallback(method, argument);
  if (callback !== undefined) {
    const map = lowerMap(method, thread, argument, callback);
    return map.kind === "broken" ? map : { ...map, started: [start(method, thread, node)] };
  }
  const literal = untyped(argument);
  // Element by element also if nothing in it waits: as one computed list it would be no tuple.
  const value =
    ts.isArrayLiteralExpression(literal) && !literal.elements.some(ts.isSpreadElement)
      ? lowerElements(method, thread, literal)
      : lowerExpression(method, thread, argument);
  if (value.kind === "list") return promiseOfAll(method, thread, node, value);
  if (value.kind === "tuple") {
    return promiseOfAll(method, thread, node, { kind: "list", elements: value.elements });
  }
  if (value.kind === "code" && ts.isArrayLiteralExpression(untyped(argument))) {
    return promiseOfAll(method, thread, node, value);
  }
  if (value.kind !== "broken") {
    markAwaited(value);
    const what = `\`${shown(argument)}\``;
    const hint = "give Promise.all a list that is written out: `Promise.all([…])`";
    method.context.report(sayGlue.awaitUnknown({ at: spanOf(argument), what, hint }));
  }
  return BROKEN;
}

function promiseOfAll(
  method: Method,
  thread: Thread,
  node: ts.CallExpression,
  list: ListValue | (ReadyValue & { kind: "code" }),
): Value {
  const started = start(method, thread, node);
  if (list.kind === "code") {
    return {
      kind: "promise",
      completions: [],
      value: list,
      started: [started],
      origins: list.origins,
    };
  }
  const completions: Completion[] = [];
  const all = [started];
  const elements: ReadyValue[] = [];
  const origins = new Set<Draft>();
  for (const element of list.elements) {
    if (element.kind === "list") {
      markAwaited(element);
      const what = "a list of promises inside of a list";
      method.context.report(sayGlue.promiseAsValue({ at: spanOf(node), what }));
      return BROKEN;
    }
    if (element.kind === "promise") {
      completions.push(...element.completions);
      all.push(...element.started);
      if (element.value.kind === "broken") {
        for (const each of all) each.awaited = true;
        return BROKEN;
      }
      elements.push(element.value);
    } else {
      elements.push(element);
    }
    const ready = elements.at(-1);
    if (ready !== undefined) for (const origin of toCode(ready, true).origins) origins.add(origin);
  }
  return {
    kind: "promise",
    completions,
    value: { kind: "tuple", elements },
    started: all,
    origins,
  };
}
