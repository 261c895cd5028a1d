/**
 * Reads what is decided: `if`, `switch`, and the operators of which one side is evaluated only
 * sometimes, where that side waits. How paths part and meet is in `arms.ts`.
 */
import * as say from "../../diagnostics/catalogue/method.js";
import type { Code, CodePart } from "../../model.js";
import { choose, lowerArms, type Ending } from "./arms.js";
import { bare, shown, spanOf, untyped } from "../context.js";
import { isGlue } from "../expressions/glue.js";
import type { Completion, Draft } from "./graph.js";
import { testOf, testsOf, type Test } from "../expressions/guards.js";
import { lowerStatements } from "./lower-body.js";
import { lowerExpression, lowerReady, markAwaited } from "./lower-expression.js";
import type { Wanted } from "./lower-plain.js";
import { NO_HOLES, type Method } from "./method.js";
import type { Thread } from "./thread.js";
import ts from "../typescript.cjs";
import {
  BROKEN,
  codeFrom,
  toCode,
  UNDEFINED,
  type Broken,
  type CodeValue,
  type PromiseValue,
  type ReadyValue,
  type Value,
} from "./values.js";

export const THEN = "then";
export const ELSE = "else";

export function lowerIf(method: Method, thread: Thread, node: ts.IfStatement): void {
  const test = lowerReady(method, thread, node.expression, { inPlace: true });
  const decision = decide(method, thread, node.expression, test);
  const run = (statement: ts.Statement | undefined) => (): void => {
    if (statement !== undefined) lowerStatements(method, thread, [statement]);
  };
  const tests = (holds: boolean): Test[] => testsOf(method, node.expression, holds);
  lowerArms(method, thread, decision, [
    { name: THEN, tests: tests(true), run: run(node.thenStatement) },
    { name: ELSE, tests: tests(false), run: run(node.elseStatement) },
  ]);
}

/** A node that decides between two sides by whether something is true. */
export function decide(
  method: Method,
  thread: Thread,
  node: ts.Expression,
  test: CodeValue | Broken,
): Draft {
  const { parts, guards } = test.kind === "broken" ? { parts: ["false"], guards: [] } : test;
  const text: CodePart[] = ["(", ...parts, `) ? "${THEN}" : "${ELSE}"`];
  const code = codeFrom({ parts: text, guards }, spanOf(node));
  return addDecision(method, thread, node, code, [THEN, ELSE], "if");
}

function addDecision(
  method: Method,
  thread: Thread,
  node: ts.Expression,
  code: Code,
  arms: readonly string[],
  prefix: string,
): Draft {
  const read = firstRead(node);
  const name = read === undefined ? prefix : `${prefix}:${read.replace(/[/[\]]/g, "")}`;
  const draft = method.addDraft(thread, { kind: "decision", code, arms }, node, name);
  thread.evaluate(draft);
  return draft;
}

/** The first value that an expression reads: its last name, as `paid` of `order.paid`. */
export function firstRead(written: ts.Expression): string | undefined {
  const node = untyped(written);
  if (ts.isIdentifier(node)) return node.text === "undefined" ? undefined : node.text;
  if (ts.isPropertyAccessExpression(node)) {
    const { text } = node.name;
    return text === "length" ? (firstRead(node.expression) ?? text) : text;
  }
  if (ts.isElementAccessExpression(node)) {
    const { argumentExpression: key } = node;
    return ts.isStringLiteralLike(key) ? key.text : firstRead(node.expression);
  }
  if (ts.isCallExpression(node)) return calledRead(node);
  if (ts.isFunctionLike(node)) return undefined;
  return ts.forEachChild(node, (child) => (ts.isExpression(child) ? firstRead(child) : undefined));
}

/** Of `this.check(order)` its name, of `isPaid(order)` what it is given, of `xs.some(…)` the list. */
function calledRead(node: ts.CallExpression): string | undefined {
  const callee = untyped(node.expression);
  if (ts.isPropertyAccessExpression(callee)) {
    const owner = untyped(callee.expression);
    const own = owner.kind === ts.SyntaxKind.ThisKeyword;
    return own || (ts.isIdentifier(owner) && /^[A-Z]/.test(owner.text))
      ? callee.name.text
      : (firstRead(owner) ?? callee.name.text);
  }
  for (const argument of node.arguments) {
    const read = firstRead(argument);
    if (read !== undefined) return read;
  }
  return firstRead(callee);
}

// --- expressions

/** What stands on the sides of an operator; undefined: a side that is the condition's own value. */
interface Sides {
  readonly test: ts.Expression;
  /** Makes the condition for the first side of the value that is tested. */
  readonly condition: (value: readonly CodePart[]) => readonly CodePart[];
  readonly then: ts.Expression | undefined;
  readonly else: ts.Expression | undefined;
  /** Makes the value of the side that is the condition's own: of the type that is left for it there. */
  readonly rest: (value: readonly CodePart[]) => readonly CodePart[];
  readonly holds: boolean | undefined;
}

/** Never evaluated: the decision says that the other side is the value. */
const NEVER = "undefined as never";

function sidesOf(node: ts.BinaryExpression | ts.ConditionalExpression): Sides | undefined {
  if (ts.isConditionalExpression(node)) {
    const { condition: test, whenTrue, whenFalse } = node;
    const sides = { test, then: whenTrue, else: whenFalse };
    return { ...sides, condition: (value) => value, rest: (value) => value, holds: true };
  }
  const { left: test, right: then } = node;
  const sides = { test, then, else: undefined };
  switch (node.operatorToken.kind) {
    case ts.SyntaxKind.AmpersandAmpersandToken: {
      const rest: Sides["rest"] = (value) => ["(", ...value, `) && (${NEVER})`];
      return { ...sides, condition: (value) => value, rest, holds: true };
    }
    case ts.SyntaxKind.BarBarToken: {
      const rest: Sides["rest"] = (value) => ["(", ...value, `) || (${NEVER})`];
      return { ...sides, condition: (value) => ["!(", ...value, ")"], rest, holds: false };
    }
    case ts.SyntaxKind.QuestionQuestionToken: {
      const condition: Sides["condition"] = (value) => ["(", ...value, ") == null"];
      const rest: Sides["rest"] = (value) => ["(", ...value, ")!"];
      return { ...sides, condition, rest, holds: undefined };
    }
    default:
      return undefined;
  }
}

/** `c ? await a() : b`, `a && await b()`, `a ?? await b()`; undefined: nothing of the kind. */
export function lowerSides(
  method: Method,
  thread: Thread,
  node: ts.Expression,
  wanted: Wanted,
  waits: (node: ts.Node) => boolean,
): Value | undefined {
  if (!ts.isBinaryExpression(node) && !ts.isConditionalExpression(node)) return undefined;
  const sides = sidesOf(node);
  if (sides === undefined) return undefined;
  const { test, then, else: other, holds } = sides;
  if (![then, other].some((each) => each !== undefined && waits(each))) return undefined;
  const value = lowerReady(method, thread, test, other === undefined ? {} : { inPlace: true });
  if (value.kind === "broken") return BROKEN;
  const condition = { ...value, parts: sides.condition(value.parts) };
  const decision = decide(method, thread, test, condition);
  const tests = (taken: boolean): Test[] =>
    holds !== undefined
      ? testsOf(method, test, taken === holds)
      : [testOf(method, test, taken, (parts) => ["(", ...parts, ") == null"])];
  const rest: Value = { ...value, parts: sides.rest(value.parts) };
  const run = (side: ts.Expression | undefined) => (): Value =>
    side === undefined ? rest : lowerExpression(method, thread, side, wanted);
  const endings = lowerArms<Value>(method, thread, decision, [
    { name: THEN, tests: tests(true), run: run(then) },
    { name: ELSE, tests: tests(false), run: run(other) },
  ]);
  const type = wanted.type && { parts: wanted.type, span: spanOf(node) };
  return combine(method, node, endings, type);
}

/** The values of several arms as one: a promise, if one of them is one. */
export function combine(
  method: Method,
  node: ts.Expression,
  endings: readonly Ending<Value>[],
  type: Code | undefined,
): Value {
  const ready: Ending<CodeValue>[] = [];
  const promises: PromiseValue[] = [];
  for (const { when, value } of endings) {
    if (value.kind === "broken" || value.kind === "list" || value.kind === "many") {
      if (value.kind !== "broken") {
        markAwaited(value);
        const what = `\`${shown(node)}\``;
        const help =
          value.kind === "many"
            ? "choose the list: `(c ? xs : []).map(…)`"
            : "put the choice into the list: `[this.a(), c ? this.b() : undefined]`";
        method.context.report(say.statementRefused({ at: spanOf(node), what, help }));
      }
      return BROKEN;
    }
    const inner: ReadyValue | Broken = value.kind === "promise" ? value.value : value;
    if (value.kind === "promise") promises.push(value);
    if (inner.kind === "broken") return BROKEN;
    ready.push({ when, value: toCode(inner, type !== undefined) });
  }
  const value = choose(method, ready, type);
  if (promises.length === 0) return value;
  return {
    kind: "promise",
    completions: promises.flatMap((each): readonly Completion[] => each.completions),
    value,
    started: promises.flatMap((each) => each.started),
    origins: new Set(promises.flatMap((each) => [...each.origins])),
  };
}

// --- switch

interface Clause {
  readonly name: string;
  readonly labels: readonly ts.Expression[];
  readonly statements: readonly ts.Statement[];
}

export function lowerSwitch(method: Method, thread: Thread, node: ts.SwitchStatement): void {
  const subject = lowerReady(method, thread, node.expression);
  const clauses = clausesOf(method, node);
  const cases = clauses.flatMap(({ name, labels }) => labels.map((label) => ({ name, label })));
  const isTrue = bare(node.expression).kind === ts.SyntaxKind.TrueKeyword;
  const parts: CodePart[] = [];
  const covered = coversAll(method, node);
  const fallback = covered ? (clauses.at(-1)?.name ?? DEFAULT) : DEFAULT;
  const guards = subject.kind === "broken" ? [] : [...subject.guards];
  for (const { name, label } of cases) {
    const value = lowerReady(method, thread, label, { inPlace: true });
    if (value.kind === "broken" || subject.kind === "broken" || name === fallback) continue;
    if (!isGlue(method, label, NO_HOLES)) {
      const help = "compare with `if`, or bind the value to a const before the `switch`";
      const what = "a `case` with an expression that is evaluated there";
      method.context.report(say.statementRefused({ at: spanOf(label), what, help }));
    }
    guards.push(...value.guards);
    const arm = JSON.stringify(name);
    if (isTrue) parts.push("(", ...value.parts, `) ? ${arm} : `);
    else parts.push("(", ...subject.parts, ") === (", ...value.parts, `) ? ${arm} : `);
  }
  parts.push(JSON.stringify(fallback));
  const code = codeFrom({ parts, guards }, spanOf(node.expression));
  const arms = clauses.map(({ name }) => name);
  if (!arms.includes(fallback)) arms.push(fallback);
  const decision = addDecision(method, thread, node.expression, code, arms, "switch");
  const known = (name: string): Test[] => caseTests(method, node, subject, cases, name, fallback);
  lowerArms(
    method,
    thread,
    decision,
    arms.map((name) => ({
      name,
      tests: known(name),
      run: () => {
        const clause = clauses.find((each) => each.name === name);
        lowerStatements(method, thread, clause?.statements ?? []);
      },
    })),
    node,
  );
}

const DEFAULT = "default";

/** Whether the labels are all that the type of the value allows, so that one always fits. */
function coversAll(method: Method, node: ts.SwitchStatement): boolean {
  const { clauses } = node.caseBlock;
  if (clauses.some(ts.isDefaultClause)) return false;
  const type = method.typeOf(node.expression);
  const labels = clauses.filter(ts.isCaseClause).map(({ expression }) => method.typeOf(expression));
  const { checker } = method;
  const known = (member: ts.Type): boolean =>
    (member.flags & ts.TypeFlags.Unit) !== 0 &&
    labels.some((label) => checker.isTypeAssignableTo(member, label));
  const members = type.isUnion() ? type.types : [type];
  return (type.flags & ts.TypeFlags.Never) === 0 && members.every(known);
}

/** The clauses that have statements, each with the labels that lead to it. */
function clausesOf(method: Method, node: ts.SwitchStatement): Clause[] {
  const clauses: Clause[] = [];
  const names = new Set<string>([DEFAULT]);
  let labels: ts.Expression[] = [];
  let isDefault = false;
  const list = node.caseBlock.clauses;
  for (const [index, clause] of list.entries()) {
    if (ts.isCaseClause(clause)) labels.push(clause.expression);
    else isDefault = true;
    const last = index === list.length - 1;
    if (clause.statements.length === 0 && !last) continue;
    if (!last && !ends(clause.statements)) {
      const what = "a clause of a `switch` that goes on into the next one";
      const help = "end it with `break` or `return`, or write the labels above one another";
      method.context.report(say.statementRefused({ at: spanOf(clause), what, help }));
    }
    let name = isDefault ? DEFAULT : labelText(labels[0]);
    for (let count = 2; !isDefault && names.has(name); count++) {
      name = `${labelText(labels[0])}-${count}`;
    }
    names.add(name);
    clauses.push({ name, labels, statements: clause.statements });
    labels = [];
    isDefault = false;
  }
  return clauses;
}

function labelText(label: ts.Expression | undefined): string {
  if (label === undefined) return DEFAULT;
  const node = untyped(label);
  return ts.isStringLiteralLike(node) ? node.text : shown(node);
}

/** Whether control never comes to the end of some statements. */
function ends(statements: readonly ts.Statement[]): boolean {
  const last = statements.at(-1);
  if (last === undefined) return false;
  if (ts.isBlock(last)) return ends(last.statements);
  if (ts.isIfStatement(last)) {
    return (
      ends([last.thenStatement]) && last.elseStatement !== undefined && ends([last.elseStatement])
    );
  }
  return (
    ts.isBreakStatement(last) ||
    ts.isReturnStatement(last) ||
    ts.isThrowStatement(last) ||
    ts.isContinueStatement(last)
  );
}

function caseTests(
  method: Method,
  node: ts.SwitchStatement,
  subject: CodeValue | Broken,
  cases: readonly { readonly name: string; readonly label: ts.Expression }[],
  arm: string,
  fallback: string,
): Test[] {
  if (subject.kind === "broken" || bare(node.expression).kind === ts.SyntaxKind.TrueKeyword) {
    // Of several labels it is not known which one fits.
    const own = cases.filter(({ name }) => name === arm);
    return own.length === 1 ? own.flatMap(({ label }) => testsOf(method, label, true)) : [];
  }
  const equals = (label: ts.Expression, holds: boolean): Test => {
    const made = testOf(method, label, holds, (parts) => [
      ...["(", ...subject.parts, ") === ("],
      ...[...parts, ")"],
    ]);
    const { roots } = testOf(method, node.expression, holds, (parts) => parts);
    return { ...made, roots: new Set([...roots, ...made.roots]) };
  };
  const own = cases.filter(({ name }) => name === arm);
  const others = cases.filter(({ name }) => name !== arm);
  if (arm === fallback && own.length === 0) return others.map(({ label }) => equals(label, false));
  const tests = own.map(({ label }) => equals(label, true));
  const [first] = tests;
  if (first === undefined || tests.length === 1) return tests;
  // One of several labels: what holds is that one of them does.
  const parts = tests.flatMap(({ code }, index): CodePart[] => [
    ...(index === 0 ? [] : [" || "]),
    ...(code?.parts ?? []),
  ]);
  const roots = new Set(tests.flatMap((each) => [...each.roots]));
  return [{ ...first, roots, code: first.code && { parts, span: first.code.span } }];
}

/** The value of several ways to return; undefined: nothing is returned. */
export function returned(
  method: Method,
  endings: readonly Ending<ReadyValue | Broken | undefined>[],
): ReadyValue | Broken | undefined {
  const values: Ending<CodeValue>[] = [];
  for (const { when, value } of endings) {
    if (value?.kind === "broken") return BROKEN;
    if (endings.length === 1) return value;
    values.push({ when, value: value === undefined ? UNDEFINED : toCode(value, true) });
  }
  return choose(method, values, undefined);
}
