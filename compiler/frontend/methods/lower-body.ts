/**
 * Reads the statements of a saga method, or of an async block in it, in order. One function per kind
 * of statement; a kind that has none is refused by name.
 */
import * as sayGlue from "../../diagnostics/catalogue/glue.js";
import * as say from "../../diagnostics/catalogue/method.js";
import type { Code, CodePart, Span } from "../../model.js";
import { enter, type Ending } from "./arms.js";
import { codeOf } from "../expressions/code.js";
import { bare, shown, spanOf } from "../context.js";
import type { Frame } from "./graph.js";
import { declareLater, declareWith, laterVariable, lowerAssignment } from "./lower-assignment.js";
import { lowerIf, lowerSwitch } from "./lower-branch.js";
import { lowerLoop } from "./lower-iteration.js";
import { lowerTry } from "./lower-try.js";
import { meet, type Path, type Returned, type Thread } from "./thread.js";
import { awaitPromise, lowerExpression, lowerReady, markAwaited } from "./lower-expression.js";
import { NO_HOLES, type Method } from "./method.js";
import { isLiteralObject } from "./lower-plain.js";
import { bind, membersOfThis } from "./patterns.js";
import { isAny } from "../types/types.js";
import ts from "../typescript.cjs";
import { BROKEN, codeFrom, toCode, type Started, type Value } from "./values.js";
import { widened } from "../expressions/widening.js";

/** Reads the body of a function: what it returns, on which path. */
export function lowerBody(
  method: Method,
  thread: Thread,
  body: ts.ConciseBody,
): Ending<Returned>[] {
  const base = thread.here;
  const before = new Set(base.pending);
  if (ts.isBlock(body)) {
    lowerStatements(method, thread, body.statements);
  } else {
    leaveWith(method, thread, lowerResult(method, thread, body));
  }
  if (thread.path !== undefined) leaveWith(method, thread, undefined);
  const { exits } = thread;
  thread.exits = [];
  const returns = exits.filter(({ kind }) => kind === "return");
  for (const { path } of returns) checkPending(method, path, before);
  // Those that throw too: nobody goes on behind them, and so not before; what they leave is undone.
  const paths = exits.map(({ kind, path }) => {
    if (kind === "return") return path;
    return { ...path, pending: new Set([...path.pending].filter((each) => before.has(each))) };
  });
  enter(method, thread, meet(base, paths, []));
  return returns.map(({ path, value }) => ({ when: path.when.slice(base.when.length), value }));
}

function leaveWith(method: Method, thread: Thread, value: Returned): void {
  thread.leave("return", undefined, value);
  enter(method, thread, undefined);
}

/** Reports what was started and is not awaited where a path ends. */
export function checkPending(method: Method, path: Path, before: ReadonlySet<Started>): void {
  for (const started of path.pending) {
    if (before.has(started) || started.awaited) continue;
    started.awaited = true;
    const { node, what, sometimes } = started;
    method.context.report(say.floating({ at: spanOf(node), what, sometimes }));
  }
}

/** What the ways to return mean for a graph. Nothing, if none returns a value. */
export function addOutputs(frame: Frame, returns: readonly Ending<Returned>[], span: Span): void {
  if (returns.every(({ value }) => value === undefined)) return;
  for (const [index, { when, value }] of returns.entries()) {
    const last = index === returns.length - 1;
    const code =
      value === undefined || value.kind === "broken"
        ? undefined
        : codeFrom(toCode(value, true), span);
    frame.outputs.push({ when: last ? [] : when, code });
  }
}

export function lowerStatements(
  method: Method,
  thread: Thread,
  statements: readonly ts.Statement[],
): void {
  for (const statement of statements) {
    if (thread.path === undefined) {
      if (isInert(statement)) continue;
      method.context.report(say.unreachable({ at: spanOf(statement) }));
      return;
    }
    lowerStatement(method, thread, statement);
  }
}

/** Whether a statement that is not reached is no loss: the `break` after a `throw`. */
function isInert(node: ts.Statement): boolean {
  return ts.isEmptyStatement(node) || ts.isBreakStatement(node);
}

function lowerStatement(method: Method, thread: Thread, node: ts.Statement): void {
  if (ts.isVariableStatement(node)) return lowerDeclarations(method, thread, node);
  if (ts.isExpressionStatement(node)) return lowerExpressionStatement(method, thread, node);
  if (ts.isReturnStatement(node)) {
    return leaveWith(method, thread, lowerReturn(method, thread, node));
  }
  if (ts.isBlock(node)) return lowerStatements(method, thread, node.statements);
  if (ts.isEmptyStatement(node)) return;
  if (ts.isIfStatement(node)) return lowerIf(method, thread, node);
  if (ts.isSwitchStatement(node)) return lowerSwitch(method, thread, node);
  if (ts.isThrowStatement(node)) return lowerThrow(method, thread, node);
  if (ts.isForOfStatement(node)) return lowerLoop(method, thread, node);
  if (ts.isTryStatement(node)) return lowerTry(method, thread, node);
  if (ts.isBreakOrContinueStatement(node) && node.label === undefined) {
    return lowerJump(method, thread, node);
  }
  method.context.report(say.statementRefused({ at: spanOf(node), ...refused(node) }));
  // Whatever uses what it would have declared is silent.
  const { name } = node as { readonly name?: ts.Node };
  if (name !== undefined && ts.isIdentifier(name)) {
    bind(method, thread, name, { value: BROKEN, type: undefined });
  }
}

function lowerExpressionStatement(
  method: Method,
  thread: Thread,
  { expression }: ts.ExpressionStatement,
): void {
  const node = bare(expression);
  const assigned =
    ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken
      ? laterVariable(method, node.left)
      : undefined;
  if (assigned === undefined || !ts.isBinaryExpression(node)) {
    lowerExpression(method, thread, expression, { unused: true });
    return;
  }
  lowerAssignment(method, thread, node, assigned);
}

function lowerThrow(method: Method, thread: Thread, node: ts.ThrowStatement): void {
  const value = lowerReady(method, thread, node.expression, { inPlace: true });
  const error: Code =
    value.kind === "broken"
      ? { parts: ["undefined"], span: spanOf(node) }
      : codeFrom(value, spanOf(node.expression));
  thread.evaluate(method.addDraft(thread, { kind: "fail", error }, node, "throw"));
  thread.leave("throw", undefined, undefined);
  enter(method, thread, undefined);
}

/** `break` and `continue`: out of the innermost statement that can be left so. */
function lowerJump(method: Method, thread: Thread, node: ts.BreakOrContinueStatement): void {
  const kind = ts.isBreakStatement(node) ? "break" : "continue";
  const target = ts.findAncestor(
    node,
    (each) =>
      ts.isIterationStatement(each, false) || (kind === "break" && ts.isSwitchStatement(each)),
  );
  thread.leave(kind, target, undefined);
  enter(method, thread, undefined);
}

function lowerDeclarations(method: Method, thread: Thread, node: ts.VariableStatement): undefined {
  const { flags } = node.declarationList;
  if (
    (flags & ts.NodeFlags.Using) === ts.NodeFlags.Using ||
    (flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing
  ) {
    const what = "a `using` declaration";
    const help = "use the resource inside of one action";
    method.context.report(say.statementRefused({ at: spanOf(node), what, help }));
    for (const { name } of node.declarationList.declarations) {
      bind(method, thread, name, { value: BROKEN, type: undefined });
    }
    return;
  }
  for (const declaration of node.declarationList.declarations) {
    const { name, initializer } = declaration;
    if (initializer === undefined) {
      if (ts.isIdentifier(name)) declareLater(method, name, declaration);
      continue;
    }
    const members = membersOfThis(method, declaration);
    if (members !== undefined) {
      bind(method, thread, name, { value: members, type: undefined });
      continue;
    }
    const annotated = annotation(method, declaration);
    const value = annotated.broken
      ? BROKEN
      : lowerExpression(method, thread, initializer, {
          type: annotated.parts,
          declared: annotated.type,
          apart: !ts.isIdentifier(name),
        });
    bind(method, thread, name, { value, type: annotated.code });
    if (ts.isIdentifier(name)) declareWith(method, name, declaration);
  }
}

interface Annotation {
  readonly broken: boolean;
  readonly parts: readonly CodePart[] | undefined;
  readonly type: ts.Type | undefined;
  /** Only if it is another type than that of the initializer. */
  readonly code: Code | undefined;
}

function annotation(method: Method, { type, initializer }: ts.VariableDeclaration): Annotation {
  if (type === undefined || initializer === undefined) {
    return { broken: false, parts: undefined, type: undefined, code: undefined };
  }
  const parts = codeOf(method, type, NO_HOLES);
  const declared = method.typeOf(type);
  const actual = method.typeOf(initializer);
  const { checker } = method;
  // Only an awaited value has a type of its own: that of a literal is what the annotation makes it.
  const same =
    isAny(actual) ||
    (ts.isAwaitExpression(initializer) &&
      checker.isTypeAssignableTo(declared, actual) &&
      checker.isTypeAssignableTo(actual, declared));
  const code = same || parts === undefined ? undefined : { parts, span: spanOf(type) };
  return { broken: parts === undefined, parts, type: declared, code };
}

function lowerReturn(method: Method, thread: Thread, node: ts.ReturnStatement): Returned {
  return node.expression && lowerResult(method, thread, node.expression);
}

function lowerResult(method: Method, thread: Thread, node: ts.Expression): Returned {
  if (thread.body === method.declaration) {
    const type = resultType(method);
    return ready(method, thread, node, lowerExpression(method, thread, node, { type }));
  }
  const given = ready(method, thread, node, lowerExpression(method, thread, node));
  const value = given?.kind === "code" ? widened(method, node, given) : given;
  return isLiteralObject(node) ? satisfying(method, thread.body.type, value) : value;
}

/** A literal that an async block returns is put where nothing but the block's type says what it is. */
function satisfying(method: Method, type: ts.TypeNode | undefined, value: Returned): Returned {
  if (type === undefined || value?.kind !== "code") return value;
  const written = codeOf(method, type, NO_HOLES);
  if (written === undefined) return BROKEN;
  const parts = ["(", ...value.parts, ") satisfies Awaited<", ...written, ">"];
  return { ...value, parts, atom: false };
}

/** `Awaited<ReturnType<Rooms["bookRoom"]>>`, for a literal that needs to know what it is for. */
function resultType({ info, declaration }: Method): CodePart[] {
  const file = info.declaration.getSourceFile().fileName;
  const from = { kind: "export", exported: info.exportedAs } as const;
  const external = { name: info.name, typeOnly: true, file, from };
  const name = JSON.stringify(declaration.name.getText());
  return ["Awaited<ReturnType<", { external, shorthand: false }, `[${name}]>>`];
}

/** An async function that returns a promise waits for it. */
function ready(method: Method, thread: Thread, node: ts.Expression, value: Value): Returned {
  const settled = value.kind === "promise" ? awaitPromise(method, thread, value) : value;
  if (settled.kind === "code" || settled.kind === "tuple" || settled.kind === "broken")
    return settled;
  markAwaited(settled);
  method.context.report(sayGlue.promiseAsValue({ at: spanOf(node), what: `\`${shown(node)}\`` }));
  return BROKEN;
}

interface Refusal {
  readonly what: string;
  readonly help: string;
}

/** Statements that are no part of the language. */
function refused(node: ts.Statement): Refusal {
  if (ts.isForInStatement(node)) {
    return { what: "`for … in`", help: "write `for (const key of Object.keys(object))`" };
  }
  if (ts.isForStatement(node)) {
    const help =
      "go through a list: `for (const [i, item] of list.entries())`, or through numbers: `for (const i of Array.from({ length: n }, (_, i) => i))`; or loop inside of one action";
    return { what: "a loop without a list", help };
  }
  if (ts.isIterationStatement(node, false)) {
    const help =
      'go through a list of attempts, and leave it with `break`: `for (const attempt of Array.from({ length: 10 }, (_, i) => i)) { …; if (done) break; await sleep("10s"); }`; or loop inside of one action';
    return { what: "a loop without a list", help };
  }
  if (ts.isFunctionDeclaration(node)) {
    const help =
      "write it as a const with an arrow function, or at the top of the module and export it";
    return { what: "a function declaration", help };
  }
  if (ts.isClassDeclaration(node) || ts.isEnumDeclaration(node) || ts.isModuleDeclaration(node)) {
    return { what: "this declaration", help: "move it to the top of the module, and export it" };
  }
  if (ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) {
    return { what: "a type declaration", help: "move it to the top of the module, and export it" };
  }
  if (ts.isLabeledStatement(node)) {
    const help =
      "remove it; a loop in a loop is left by a test behind the inner one, `if (found !== undefined) break;`, or by `return` from a @saga method of its own";
    return { what: "a label", help };
  }
  return { what: `\`${node.getFirstToken()?.getText() ?? shown(node)}\``, help: "remove it" };
}
