/**
 * Binds the names of a declaration to what its initializer gave: a node's result, a promise, or a
 * glue statement that generated code repeats.
 */
import type { Code, CodePart, GlueStatement, Pattern } from "../../model.js";
import { codeOf, memberOf } from "../expressions/code.js";
import { bare, spanOf, untyped } from "../context.js";
import { isGlue } from "../expressions/glue.js";
import { guardsOfPattern } from "../expressions/guards.js";
import type { Draft } from "./graph.js";
import type { Thread } from "./thread.js";
import { NO_HOLES, type Method } from "./method.js";
import { isLiteralObject } from "./lower-plain.js";
import { checkPlain } from "../expressions/refusals.js";
import type { PropertyType, TypeModel } from "../../type-model.js";
import { stored } from "../types/stored.js";
import { isAny, mayBeNullish } from "../types/types.js";
import ts from "../typescript.cjs";
import {
  BROKEN,
  UNDEFINED,
  codeFrom,
  toCode,
  type Binding,
  type CodeValue,
  type ReadyValue,
  type Value,
} from "./values.js";
import { literalText, sidesOf } from "../expressions/widening.js";

/** What a glue variable holds; all names of one pattern share it. */
interface Holds {
  readonly kind: "glue";
  statement: GlueStatement | undefined;
}

/** What stands on the right of a declaration, and what its type annotation adds. */
export interface Bound {
  readonly value: Value;
  /** An annotation that is not the type of the value itself. */
  readonly type: Code | undefined;
}

export function bind(method: Method, thread: Thread, name: ts.BindingName, bound: Bound): void {
  const { value, type } = bound;
  if (value.kind === "broken") return bindAll(method, name, BROKEN);
  if (value.kind === "promise" || value.kind === "list" || value.kind === "many") {
    if (ts.isIdentifier(name)) return bindPromise(method, name, value);
    if (value.kind === "list" && ts.isArrayBindingPattern(name) && isFlat(name)) {
      return bindElements(method, thread, name, value.elements);
    }
    return bindAll(method, name, BROKEN);
  }
  if (ts.isIdentifier(name)) return bindName(method, name, value, type);
  const elements = value.kind === "tuple" && type === undefined ? value.elements : undefined;
  if (elements !== undefined && ts.isArrayBindingPattern(name) && isFlat(name)) {
    return bindElements(method, thread, name, elements);
  }
  bindPattern(method, thread, name, toCode(value, type !== undefined), type);
}

/** Whether each element of an array pattern can be bound on its own. */
function isFlat(pattern: ts.ArrayBindingPattern): boolean {
  return pattern.elements.every(
    (each) =>
      ts.isOmittedExpression(each) ||
      (each.initializer === undefined &&
        (each.dotDotDotToken === undefined || ts.isIdentifier(each.name))),
  );
}

function bindElements(
  method: Method,
  thread: Thread,
  pattern: ts.ArrayBindingPattern,
  values: readonly Value[],
): void {
  for (const [index, element] of pattern.elements.entries()) {
    if (ts.isOmittedExpression(element)) continue;
    const value: Value | undefined =
      element.dotDotDotToken === undefined ? values[index] : restOf(values.slice(index));
    bind(method, thread, element.name, { value: value ?? UNDEFINED, type: undefined });
  }
}

function restOf(values: readonly Value[]): Value {
  const ready = values.filter(
    (value): value is ReadyValue => value.kind === "code" || value.kind === "tuple",
  );
  if (ready.length === values.length) return { kind: "tuple", elements: ready };
  const held = values.filter((value) => value.kind !== "broken");
  return held.length === values.length ? { kind: "list", elements: held } : BROKEN;
}

function setBinding(method: Method, name: ts.Identifier, binding: Binding): void {
  const symbol = method.checker.getSymbolAtLocation(name);
  if (symbol !== undefined) method.bindings.set(symbol, binding);
}

function bindAll(method: Method, name: ts.BindingName, binding: Binding): void {
  for (const each of namesOf(name)) setBinding(method, each, binding);
}

function bindPromise(
  method: Method,
  name: ts.Identifier,
  value: Extract<Value, { kind: "promise" | "list" | "many" }>,
): void {
  const promise = value.kind === "many" ? value.promise : value;
  if (promise.kind === "promise") {
    const [origin, other] = promise.origins;
    if (origin !== undefined && other === undefined) origin.held.add(name.text);
  }
  setBinding(method, name, value);
}

/** `const payment = …`: the variable of the node itself, if the value is just its result. */
function bindName(
  method: Method,
  name: ts.Identifier,
  value: ReadyValue,
  type: Code | undefined,
): void {
  namePattern(name, value);
  const code = toCode(value, type !== undefined);
  const [part, more] = code.parts;
  if (typeof part === "object" && "variable" in part && more === undefined && type === undefined) {
    const variable = method.variable(part.variable);
    const { trusted } = code;
    if (!variable.named) {
      variable.name = name.text;
      variable.named = true;
      return setBinding(method, name, { kind: "variable", id: variable.id, trusted });
    }
  }
  const holds: Holds = { kind: "glue", statement: undefined };
  const variable = method.addVariable(name.text, true, holds);
  const init = codeFrom(code, spanOf(name));
  const isSame = typeof part === "object" && "variable" in part && more === undefined;
  if (isSame && method.literals.has(part.variable)) method.literals.add(variable.id);
  holds.statement = { pattern: { kind: "variable", variable: variable.id }, type, init };
  setBinding(method, name, { kind: "variable", id: variable.id, trusted: code.trusted });
}

/** The node whose result is bound gets the name, if there is one node and one name. */
function namePattern(name: ts.BindingName, value: ReadyValue): void {
  const [only, second] = namesOf(name);
  if (only !== undefined && second === undefined) nameOrigins(only.text, value);
}

/** On each path the node whose result it is gets the name. */
export function nameOrigins(name: string, value: ReadyValue): void {
  const code = toCode(value, true);
  for (const [origin, other] of code.branches ?? [code.origins]) {
    if (origin !== undefined && other === undefined) origin.bound.add(name);
  }
}

function namesOf(name: ts.BindingName): ts.Identifier[] {
  if (ts.isIdentifier(name)) return [name];
  return name.elements.flatMap((each) => (ts.isOmittedExpression(each) ? [] : namesOf(each.name)));
}

/**
 * `{ mode: this.mode, … }` for `const { mode, … } = this`: the members that are named, which are read
 * once, there and then; undefined: it is something else.
 */
export function membersOfThis(
  method: Method,
  { name, initializer, type }: ts.VariableDeclaration,
): CodeValue | undefined {
  if (initializer === undefined || bare(initializer).kind !== ts.SyntaxKind.ThisKeyword) {
    return undefined;
  }
  if (!ts.isObjectBindingPattern(name) || name.elements.length === 0 || type !== undefined) {
    return undefined;
  }
  const parts: CodePart[] = [];
  for (const { propertyName, name: target, dotDotDotToken } of name.elements) {
    const key = propertyName ?? target;
    if (dotDotDotToken !== undefined || !ts.isIdentifier(key)) return undefined;
    if (method.info.marked.has(key.text)) return undefined;
    const self = memberOf(method, key.text);
    parts.push(`${parts.length === 0 ? "{ " : ", "}${key.text}: `, { self });
  }
  return { ...UNDEFINED, parts: [...parts, " }"], trusted: false };
}

/** `const { id } = …`: repeated as it is if it cannot throw, else evaluated once. */
function bindPattern(
  method: Method,
  thread: Thread,
  name: ts.BindingPattern,
  value: CodeValue,
  type: Code | undefined,
): void {
  if (!checkPlain(method, name, NO_HOLES)) return bindAll(method, name, BROKEN);
  const safe = value.trusted && isSafePattern(method, name) && !isShapedBy(method, name, value);
  if (safe) namePattern(name, value);
  const init = safe ? value : takeApart(method, thread, name, value, type);
  if (init === undefined) return bindAll(method, name, BROKEN);
  const holds: Holds = { kind: "glue", statement: undefined };
  const pattern = safe
    ? patternOf(method, name, holds, value.trusted)
    : flatPattern(method, name, holds);
  if (pattern === undefined) return bindAll(method, name, BROKEN);
  holds.statement = {
    pattern,
    type: safe ? type : undefined,
    ...(safe && isWritten(name) && { literal: true }),
    init: codeFrom(
      {
        ...init,
        guards: [...init.guards, ...guardsOfPattern(method, thread.here.tests, init.parts)],
      },
      spanOf(name),
    ),
  };
}

/** Whether it is evaluated once, and is a literal, whose type rests on the pattern, or cannot be stored whole: so they stay together. */
function isShapedBy(method: Method, pattern: ts.BindingPattern, value: CodeValue): boolean {
  const { parent } = pattern;
  const fresh = freshCompute(method, value);
  if (fresh === undefined) return false;
  if (method.opaque.has(fresh)) return true;
  if (!ts.isVariableDeclaration(parent) || parent.initializer === undefined) return false;
  return isLiteralObject(parent.initializer);
}

/** Whether what a pattern takes apart is a literal, or may be. */
function isWritten({ parent }: ts.BindingPattern): boolean {
  if (!ts.isVariableDeclaration(parent) || parent.initializer === undefined) return false;
  const has = (written: ts.Expression): boolean => {
    const node = untyped(written);
    if (ts.isConditionalExpression(node)) return has(node.whenTrue) || has(node.whenFalse);
    if (ts.isBinaryExpression(node)) return sidesOf(node).some(has);
    return ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node);
  };
  return has(parent.initializer);
}

function declare(method: Method, name: ts.Identifier, holds: Holds, trusted: boolean): number {
  const variable = method.addVariable(name.text, true, holds);
  setBinding(method, name, { kind: "variable", id: variable.id, trusted });
  return variable.id;
}

/** Whether taking a trusted value apart cannot throw and runs no code of its own. */
function isSafePattern(method: Method, pattern: ts.BindingPattern): boolean {
  const type = method.typeOf(pattern);
  const { checker } = method;
  if (isAny(type) || mayBeNullish(type)) return false;
  if (
    ts.isArrayBindingPattern(pattern) &&
    !checker.isArrayType(type) &&
    !checker.isTupleType(type)
  ) {
    return false;
  }
  return pattern.elements.every((element) => {
    if (ts.isOmittedExpression(element)) return true;
    const { name, propertyName, initializer, dotDotDotToken } = element;
    if (propertyName !== undefined && ts.isComputedPropertyName(propertyName)) return false;
    if (initializer !== undefined && !isGlue(method, initializer, NO_HOLES)) return false;
    if (ts.isIdentifier(name)) return true;
    // An element of an array may be missing, whatever its type says.
    return (
      dotDotDotToken === undefined &&
      !(ts.isArrayBindingPattern(pattern) && checker.isArrayType(type)) &&
      isSafePattern(method, name)
    );
  });
}

function patternOf(
  method: Method,
  pattern: ts.BindingPattern,
  holds: Holds,
  trusted: boolean,
): Pattern | undefined {
  let sound = true;
  const target = (name: ts.BindingName, safe: boolean): Pattern => {
    if (ts.isIdentifier(name))
      return { kind: "variable", variable: declare(method, name, holds, safe) };
    const inner = patternOf(method, name, holds, safe);
    if (inner === undefined) sound = false;
    return inner ?? { kind: "array", elements: [], rest: undefined };
  };
  const fallback = (element: ts.BindingElement): Code | undefined => {
    if (element.initializer === undefined) return undefined;
    const parts = codeOf(method, element.initializer, NO_HOLES);
    if (parts === undefined) sound = false;
    return { parts: parts ?? [], span: spanOf(element.initializer) };
  };
  const restName = pattern.elements.find(
    (each) => !ts.isOmittedExpression(each) && each.dotDotDotToken !== undefined,
  );
  const rest =
    restName !== undefined && !ts.isOmittedExpression(restName) && ts.isIdentifier(restName.name)
      ? declare(method, restName.name, holds, trusted)
      : undefined;
  const own = [...pattern.elements].filter((each) => each !== restName);
  if (ts.isObjectBindingPattern(pattern)) {
    const properties = own.filter(ts.isBindingElement).map((each) => ({
      key: (each.propertyName ?? each.name).getText(),
      fallback: fallback(each),
      target: target(each.name, trusted),
    }));
    return sound ? { kind: "object", properties, rest } : undefined;
  }
  const unchecked = method.context.program.getCompilerOptions().noUncheckedIndexedAccess !== true;
  const certain = !unchecked || method.checker.isTupleType(method.typeOf(pattern));
  const elements = own.map((each) =>
    ts.isOmittedExpression(each)
      ? undefined
      : { fallback: fallback(each), target: target(each.name, trusted && certain) },
  );
  return sound ? { kind: "array", elements, rest } : undefined;
}

/** `{ id, name }` for whatever the names are: what a pattern that is evaluated once leaves. */
function flatPattern(method: Method, pattern: ts.BindingPattern, holds: Holds): Pattern {
  const properties = namesOf(pattern).map((name) => ({
    key: name.text,
    fallback: undefined,
    target: { kind: "variable", variable: declare(method, name, holds, true) } as const,
  }));
  return { kind: "object", properties, rest: undefined };
}

/** Takes a value apart in a compute node of its own, since doing so may throw or run other code. */
function takeApart(
  method: Method,
  thread: Thread,
  pattern: ts.BindingPattern,
  value: CodeValue,
  type: Code | undefined,
): CodeValue | undefined {
  const names = namesOf(pattern);
  const properties: PropertyType[] = [];
  for (const name of names) {
    const place = { at: spanOf(name), what: `the variable \`${name.text}\``, path: name.text };
    const found = stored(method.context, method.typeOf(name), place);
    if (found === undefined) return undefined;
    properties.push({ name: name.text, optional: false, type: found });
  }
  const taken: TypeModel = { kind: "object", properties, index: undefined };
  const text = codeOf(method, pattern, NO_HOLES);
  if (text === undefined) return undefined;
  const fresh = freshCompute(method, value);
  const init = fresh?.content.kind === "compute" ? fresh.content.code.parts : value.parts;
  const annotation = type === undefined ? [] : [": ", ...type.parts];
  const list = names.map((name) => keepingType(method, name)).join(", ");
  const parts = [
    ...["(() => { const ", ...text, ...annotation, " = ", ...init],
    `; return { ${list} }; })()`,
  ];
  const code = codeFrom({ parts, guards: value.guards }, spanOf(pattern));
  const content = { kind: "compute", code, type: taken } as const;
  const [only, second] = names;
  const draft = fresh ?? method.addDraft(thread, content, pattern, "compute");
  if (fresh === undefined) thread.evaluate(draft);
  draft.content = content;
  if (only !== undefined && second === undefined) draft.bound.add(only.text);
  return method.valueOf(draft);
}

/** A variable as a property of a literal, in which it keeps the type that it has. */
function keepingType(method: Method, name: ts.Identifier): string {
  const known = method.typeOf(name);
  const isSame = method.checker.getBaseTypeOfLiteralType(known) === known;
  const type = isSame ? undefined : literalText(method, known);
  return type === undefined ? name.text : `${name.text}: ${name.text} as ${type}`;
}

/** The compute node that the value has just been made by, if nothing else can refer to it. */
function freshCompute(method: Method, value: CodeValue): Draft | undefined {
  const [part, more] = value.parts;
  const draft = method.drafts.at(-1);
  if (draft?.content.kind !== "compute" || more !== undefined) return undefined;
  if (typeof part !== "object" || !("variable" in part)) return undefined;
  const own = part.variable === draft.variable && !method.variable(draft.variable).named;
  return own ? draft : undefined;
}
