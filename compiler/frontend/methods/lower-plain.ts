/**
 * An expression of which all that waits has been read: it is glue, or becomes a compute node. What
 * waits is read in `lower-expression.ts`.
 */
import * as say from "../../diagnostics/catalogue/glue.js";
import type { CodePart } from "../../model.js";
import { NOTHING, type TypeModel } from "../../type-model.js";
import { codeOf } from "../expressions/code.js";
import { shown, spanOf, untyped } from "../context.js";
import { isGlue, isTrusted } from "../expressions/glue.js";
import { guardsOf } from "../expressions/guards.js";
import type { Draft } from "./graph.js";
import type { Thread } from "./thread.js";
import type { Holes, Method } from "./method.js";
import { checkPlain } from "../expressions/refusals.js";
import { storedValue } from "../types/stored.js";
import { isAny, isPromise, isVoid } from "../types/types.js";
import ts from "../typescript.cjs";
import { BROKEN, codeFrom, type Broken, type CodeValue } from "./values.js";
import { sidesOf, widens } from "../expressions/widening.js";

/** What is wanted of an expression. */
export interface Wanted {
  /** Nobody reads the value, so that it need not be stored. */
  readonly unused?: boolean;
  /** The type that its place gives it, as text that can be written after `satisfies`. */
  readonly type?: readonly CodePart[] | undefined;
  /** It is `any`: the type of its place is all that is known of it. */
  readonly declared?: ts.Type | undefined;
  /** It is taken apart where it is declared: only what is bound of it is stored. */
  readonly apart?: boolean;
  /** The node that it is for evaluates it, so that it need not be glue. */
  readonly inPlace?: boolean;
}

/** An expression of which all that waits has been read: glue, or a compute node. */
export function lowerPlain(
  method: Method,
  thread: Thread,
  node: ts.Expression,
  holes: Holes,
  wanted: Wanted,
): CodeValue | Broken {
  if (!checkPlain(method, node, holes)) return BROKEN;
  const type = method.typeOf(node);
  if (isPromise(method.context, type)) {
    const what = `\`${shown(node)}\``;
    method.context.report(say.awaitUnknown({ at: spanOf(node), what, hint: undefined }));
    return BROKEN;
  }
  const own = guardsOf(method, thread.here.tests, node, holes);
  if (own === undefined) return BROKEN;
  const parts = codeOf(method, node, holes, own.types);
  if (parts === undefined) return BROKEN;
  const guards = [...[...holes.values()].flatMap((hole) => hole.guards), ...own.guards];
  const inPlace = wanted.inPlace === true && !isAssertion(method, node);
  if (inPlace || isGlue(method, node, holes)) {
    const origins = new Set([...holes.values()].flatMap((hole) => [...hole.origins]));
    const trusted = isTrusted(method, node, holes);
    return { kind: "code", parts, atom: isAtom(node), origins, guards, trusted };
  }
  const draft = lowerCompute(method, thread, node, { parts, guards }, wanted);
  return draft === undefined
    ? BROKEN
    : { ...method.valueOf(draft), trusted: !isAny(type) && isTrusted(method, node, holes) };
}

function lowerCompute(
  method: Method,
  thread: Thread,
  node: ts.Expression,
  { parts, guards }: Pick<CodeValue, "parts" | "guards">,
  wanted: Wanted,
): Draft | undefined {
  if (isAssertion(method, node)) return undefined;
  const type = method.typeOf(node);
  const forgets = widens(method, node);
  // What a member of an enum is called may not be known where it is read.
  const isMember = (type.flags & ts.TypeFlags.EnumLiteral) !== 0;
  const inferred = forgets && isMember ? method.checker.getBaseTypeOfLiteralType(type) : type;
  const stored = isAny(type) ? (wanted.declared ?? type) : inferred;
  let text = parts;
  let model: TypeModel | undefined = NOTHING;
  let opaque = false;
  if (wanted.unused === true && !isVoid(type)) {
    text = ["void (", ...parts, ")"];
  } else if (wanted.unused !== true) {
    const place = { at: spanOf(node), what: `the value of \`${shown(node)}\``, path: "it" };
    opaque = wanted.apart === true && method.context.types.derive(stored).problem !== undefined;
    model = opaque ? NOTHING : storedValue(method.context, stored, place);
    if (model === undefined) return undefined;
    const cast = isAny(type) ? " as " : " satisfies ";
    const typed = wanted.type !== undefined && (isAny(type) || isLiteralObject(node));
    if (forgets && !isMember) {
      text = ["(", ...parts, ") as ", method.checker.typeToString(type)];
    } else if (typed) text = ["(", ...parts, ")", cast, ...(wanted.type ?? [])];
  }
  const code = codeFrom({ parts: text, guards }, spanOf(node));
  const draft = method.addDraft(
    thread,
    { kind: "compute", code, type: model },
    node,
    computeName(node),
  );
  thread.evaluate(draft);
  if (opaque) method.opaque.add(draft);
  if (forgets && !isMember) method.literals.add(draft.variable);
  return draft;
}

/** Whether the literal's type depends on the place it stands in. */
export function isLiteralObject(written: ts.Expression): boolean {
  const node = untyped(written);
  return (
    ts.isObjectLiteralExpression(node) ||
    ts.isArrayLiteralExpression(node) ||
    ts.isConditionalExpression(node) ||
    (ts.isBinaryExpression(node) && sidesOf(node).some(isLiteralObject))
  );
}

function isAssertion(method: Method, node: ts.Expression): boolean {
  const call = untyped(node);
  if (!ts.isCallExpression(call)) return false;
  const signature = method.checker.getResolvedSignature(call);
  const predicate = signature && method.checker.getTypePredicateOfSignature(signature);
  const asserts =
    predicate?.kind === ts.TypePredicateKind.AssertsIdentifier ||
    predicate?.kind === ts.TypePredicateKind.AssertsThis;
  if (asserts) {
    method.context.report(say.assertion({ at: spanOf(call), name: shown(call.expression) }));
  }
  return asserts;
}

/** The name of the first function that is called, else the last property, else `compute`. */
function computeName(node: ts.Expression): string {
  const nameOf = (callee: ts.Expression): string | undefined => {
    const named = untyped(callee);
    if (ts.isIdentifier(named)) return named.text;
    return ts.isPropertyAccessExpression(named) && ts.isIdentifier(named.name)
      ? named.name.text
      : undefined;
  };
  const firstCall = (inner: ts.Node): string | undefined => {
    if (ts.isFunctionLike(inner)) return undefined;
    const called =
      ts.isCallExpression(inner) || ts.isNewExpression(inner)
        ? nameOf(inner.expression)
        : undefined;
    return called ?? ts.forEachChild(inner, firstCall);
  };
  let last: string | undefined;
  const lastProperty = (inner: ts.Node): void => {
    if (ts.isFunctionLike(inner)) return;
    ts.forEachChild(inner, lastProperty);
    if (ts.isPropertyAccessExpression(inner)) last = nameOf(inner);
  };
  lastProperty(node);
  return firstCall(node) ?? last ?? nameOf(node) ?? "compute";
}

/** Whether an expression can stand anywhere without parentheses. */
function isAtom(node: ts.Expression): boolean {
  return (
    ts.isIdentifier(node) ||
    ts.isPropertyAccessExpression(node) ||
    ts.isElementAccessExpression(node) ||
    ts.isStringLiteralLike(node) ||
    ts.isArrayLiteralExpression(node) ||
    ts.isParenthesizedExpression(node)
  );
}
