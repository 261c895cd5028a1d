/**
 * Reads `start(this.other.saga, params, { id })`, with `.result()` behind it or not: a run of its own,
 * which is no part of this one. Subsagas are in `lower-call.ts`.
 */
import * as sayGlue from "../../diagnostics/catalogue/glue.js";
import * as say from "../../diagnostics/catalogue/method.js";
import type { Code } from "../../model.js";
import { NOTHING } from "../../type-model.js";
import { classifyMember, type Call } from "./calls.js";
import { thisMember } from "../expressions/code.js";
import { bare, shown, spanOf, untyped } from "../context.js";
import { lowerArgument, memberType, promiseOf } from "./lower-call.js";
import { asCode, lowerReady } from "./lower-expression.js";
import type { Method } from "./method.js";
import { paramsOf } from "../types/stored.js";
import type { Thread } from "./thread.js";
import ts from "../typescript.cjs";
import { BROKEN, type Broken, type Value } from "./values.js";

export function lowerStart(
  method: Method,
  thread: Thread,
  node: ts.CallExpression,
  { call, wait }: Extract<Call, { kind: "start" }>,
): Value {
  const [named, given, options] = call.arguments;
  const target = named && targetOf(method, named);
  if (named === undefined || target === undefined) return BROKEN;
  const { path, name, info } = target;
  const hasParams = (info?.sagas.get(name)?.declaration.parameters.length ?? 0) > 0;
  const params =
    hasParams && given !== undefined
      ? lowerArgument(method, thread, given, memberType(method, target))
      : undefined;
  const id = options === undefined ? undefined : lowerId(method, thread, options);
  if (info === undefined || (id !== undefined && "kind" in id)) return BROKEN;
  if (hasParams && given !== undefined && params === undefined) return BROKEN;
  if (!info.sound) method.sound = false;
  const full = info.sagas.get(name)?.name ?? `${info.name}.${name}`;
  const types = info.sagas.get(name)?.types;
  const saga = {
    name: full,
    method: name,
    path,
    params: types === undefined ? NOTHING : paramsOf(types),
    result: types?.output ?? NOTHING,
  };
  const content = { kind: "spawn", saga, params, id, wait } as const;
  return promiseOf(method, thread, node, method.addDraft(thread, content, node, name));
}

/** The saga that is named; undefined: it was reported that it is none. */
function targetOf(
  method: Method,
  written: ts.Expression,
): Extract<Call, { kind: "saga" }> | undefined {
  const node = bare(written);
  const own = thisMember(node);
  if (own !== undefined && method.info.marked.get(own) === "saga") {
    return { kind: "saga", name: own, path: [], info: method.info };
  }
  const isChain = ts.isPropertyAccessExpression(node) && !ts.isOptionalChain(node);
  const found = isChain && own === undefined ? classifyMember(method, node) : undefined;
  if (found?.kind === "saga") return found;
  const facts =
    found?.kind === "misplaced"
      ? found
      : {
          name: shown(node),
          why: "it is no saga that is reached by members of `this`",
          help: "name the saga as it would be called: `start(this.other.saga, params)`",
        };
  method.context.report(say.subsagaPlace({ at: spanOf(node), ...facts }));
  return undefined;
}

function lowerId(
  method: Method,
  thread: Thread,
  written: ts.Expression,
): Code | undefined | Broken {
  const node = untyped(written);
  const [only, other] = ts.isObjectLiteralExpression(node) ? node.properties : [];
  const isId = only?.name !== undefined && ts.isIdentifier(only.name) && only.name.text === "id";
  const value =
    isId && ts.isPropertyAssignment(only)
      ? only.initializer
      : isId && ts.isShorthandPropertyAssignment(only)
        ? only.name
        : undefined;
  if (value === undefined || other !== undefined) {
    const what = "options of `start` that are not written out";
    const help = "write `start(this.other.saga, params, { id: … })`";
    method.context.report(sayGlue.expressionRefused({ at: spanOf(written), what, help }));
    return BROKEN;
  }
  const id = lowerReady(method, thread, value);
  return id.kind === "broken" ? BROKEN : asCode(value, id);
}
