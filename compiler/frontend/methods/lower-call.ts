/**
 * Reads the calls that mean something to steno: actions, sagas, `Promise.all`, async blocks. Which
 * call means what is in `calls.ts`.
 */
import * as sayGlue from "../../diagnostics/catalogue/glue.js";
import * as say from "../../diagnostics/catalogue/method.js";
import type { Code, CodePart } from "../../model.js";
import { enter } from "./arms.js";
import { askedFor, type AsyncFunction, type Call } from "./calls.js";
import { shown, spanOf, untyped } from "../context.js";
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
import { lowerEach } from "./lower-each.js";
import { lowerMap } from "./lower-iteration.js";
import { lowerIfThere } from "./lower-optional.js";
import { lowerStart } from "./lower-start.js";
import type { Method } from "./method.js";
import { lowerWaiting, type Waiting } from "./lower-waiting.js";
import ts from "../typescript.cjs";
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

export function lowerCall(
  method: Method,
  thread: Thread,
  node: ts.CallExpression,
  call: Call,
): Value {
  const at = spanOf(node);
  const asked = askedFor(node);
  if (asked !== undefined && call.kind === "saga") {
    return lowerIfThere(method, thread, node, asked, () =>
      lowerSubsaga(method, thread, node, call),
    );
  }
  switch (call.kind) {
    case "action":
      return lowerAction(method, thread, node, call.name);
    case "saga":
      return lowerSubsaga(method, thread, node, call);
    case "all":
      return lowerAll(method, thread, node);
    case "start":
      return lowerStart(method, thread, node, call);
    case "each":
      return lowerEach(method, thread, node);
    case "map": {
      const map = lowerMap(method, thread, node, call.callback);
      if (map.kind === "broken") return map;
      return { kind: "many", promise: { ...map, started: [start(method, thread, node)] } };
    }
    case "waiting":
      return promiseOfWaiting(method, thread, node, call.waiting);
    case "block":
      return lowerBlock(method, thread, node, call.body);
    case "undo":
      method.context.report(say.undoCalled({ at, name: call.name }));
      return BROKEN;
    case "misplaced":
      // What the object is called by may be what was refused.
      if (!isBroken(method, node.expression))
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

export function lowerArgument(
  method: Method,
  thread: Thread,
  argument: ts.Expression,
  type: readonly CodePart[],
): Code | undefined {
  const spread = ts.isSpreadElement(argument);
  const node = spread ? argument.expression : argument;
  // Of an input that cannot be stored was told where it is declared.
  const unused = !spread && isRefused(method, node);
  const value = lowerReady(method, thread, node, spread ? {} : { type, unused });
  if (value.kind === "broken") return undefined;
  const { parts } = value;
  return asCode(
    argument,
    spread ? { ...value, parts: ["...", ...(value.atom ? parts : ["(", ...parts, ")"])] } : value,
  );
}

function isRefused({ checker, context }: Method, argument: ts.Expression): boolean {
  const type = checker.getContextualType(argument);
  return type !== undefined && context.types.derive(type).problem !== undefined;
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
  // It was said where the other saga is; this one has no model without it.
  if (call.info !== undefined && saga === undefined) method.sound = false;
  if (saga === undefined || (argument !== undefined && params === undefined)) return BROKEN;
  const content = { kind: "subsaga", saga, path: call.path, params } as const;
  return promiseOf(method, thread, node, method.addDraft(thread, content, node, call.name));
}

/** `Parameters<Rooms["hall"]["openAll"]>[0]`. */
export function memberType(
  method: Method,
  { path, name }: Pick<Extract<Call, { kind: "saga" }>, "path" | "name">,
): CodePart[] {
  const sure = path.filter(({ optional }) => optional).map(() => "NonNullable<");
  const members = path.map((each) => `[${JSON.stringify(each.name)}]${each.optional ? ">" : ""}`);
  const owner: CodePart[] = [...sure, classPart(method), members.join("")];
  return ["Parameters<", ...owner, `[${JSON.stringify(name)}]>[0]`];
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

export function promiseOf(
  method: Method,
  thread: Thread,
  node: ts.Node,
  draft: Draft,
): PromiseValue {
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

export function start(method: Method, thread: Thread, node: ts.Node): Started {
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
  const literal = untyped(argument);
  // Element by element also if nothing in it waits: as one computed list it would be no tuple.
  const value =
    ts.isArrayLiteralExpression(literal) && !literal.elements.some(ts.isSpreadElement)
      ? lowerElements(method, thread, literal)
      : lowerExpression(method, thread, argument);
  if (value.kind === "many") return value.promise;
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
    if (element.kind === "list" || element.kind === "many") {
      markAwaited(element);
      const what = "a list of promises inside of a list";
      const help = "wait for it in the list: `Promise.all([Promise.all(inner), …])`";
      method.context.report(sayGlue.promiseAsValue({ at: spanOf(node), what, help }));
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

/** Whether it begins with a variable of which something was reported. */
function isBroken(method: Method, node: ts.Expression): boolean {
  if (ts.isPropertyAccessExpression(node)) return isBroken(method, node.expression);
  const symbol = ts.isIdentifier(node) ? method.local(node) : undefined;
  return symbol !== undefined && method.binding(symbol)?.kind === "broken";
}
