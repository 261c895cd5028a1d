/**
 * Conditions that narrow types. Code is moved out of the branch that it stands in, so whatever
 * TypeScript knew there from a test is told again in front of it.
 */
import * as say from "../../diagnostics/catalogue/glue.js";
import type { Code, CodePart, Guard, VariableId } from "../../model.js";
import { codeOf } from "./code.js";
import { bare, shown, spanOf, untyped } from "../context.js";
import { isGlue } from "./glue.js";
import { NO_HOLES, type Holes, type Method } from "../methods/method.js";
import ts from "../typescript.cjs";
import { literalText } from "./widening.js";

/** A condition that holds on a path, or does not. */
export interface Test {
  readonly node: ts.Expression;
  /** Undefined: it is no glue, and cannot be evaluated again. */
  readonly code: Code | undefined;
  readonly holds: boolean;
  /** The recorded values that it reads. */
  readonly roots: ReadonlySet<VariableId>;
}

/** What is known where a condition holds, or where it does not: `a && b` tells of both. */
export function testsOf(method: Method, written: ts.Expression, holds: boolean): Test[] {
  const node = bare(written);
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return testsOf(method, node.operand, !holds);
  }
  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.kind;
    const both = holds
      ? operator === ts.SyntaxKind.AmpersandAmpersandToken
      : operator === ts.SyntaxKind.BarBarToken;
    if (both) return [...testsOf(method, node.left, holds), ...testsOf(method, node.right, holds)];
  }
  return [testOf(method, node, holds, (parts) => parts)];
}

/** `make`: the whole condition, if the node is only a part of it. */
export function testOf(
  method: Method,
  node: ts.Expression,
  holds: boolean,
  make: (parts: readonly CodePart[]) => readonly CodePart[],
): Test {
  const quiet = waits(node) || !isGlue(method, node, NO_HOLES);
  const parts = quiet ? undefined : codeOf(method, node, NO_HOLES);
  const code = parts && { parts: make(parts), span: spanOf(node) };
  return { node, code, holds, roots: rootsOf(method, node) };
}

function waits(node: ts.Node): boolean {
  return ts.isAwaitExpression(node) || (ts.forEachChild(node, waits) ?? false);
}

/** The recorded values that an expression reads, through the variables made of them. */
function rootsOf(method: Method, node: ts.Node): Set<VariableId> {
  const roots = new Set<VariableId>();
  const visit = (inner: ts.Node): void => {
    if (ts.isIdentifier(inner)) {
      const symbol = method.local(inner);
      const binding = symbol && method.binding(symbol);
      if (binding?.kind === "variable") for (const id of method.rootsOf(binding.id)) roots.add(id);
    }
    ts.forEachChild(inner, visit);
  };
  visit(node);
  return roots;
}

/** What an expression needs to have its types in another place. */
export interface Told {
  /** Tests that are repeated in front of it. */
  readonly guards: readonly Guard[];
  /** What is written behind references whose types rest on tests that are evaluated once. */
  readonly types: ReadonlyMap<ts.Node, string>;
}

/** What an expression needs for its types; undefined: it needs a test that cannot be told again. */
export function guardsOf(
  method: Method,
  tests: readonly Test[],
  node: ts.Node,
  holes: Holes,
): Told | undefined {
  const types = new Map<ts.Node, string>();
  if (tests.length === 0) return { guards: [], types };
  const narrowed = new Map<ts.Expression, ts.Type>();
  const visit = (inner: ts.Node): void => {
    if (holes.has(inner) || ts.isTypeNode(inner)) return;
    const from = narrowedFrom(method, inner);
    if (from !== undefined) narrowed.set(inner as ts.Expression, from);
    ts.forEachChild(inner, visit);
  };
  visit(node);
  if (narrowed.size === 0) return { guards: [], types };
  const roots = new Set([...narrowed.keys()].flatMap((each) => [...rootsOf(method, each)]));
  const guards: Guard[] = [];
  // From the last: what a test reads may itself be narrowed, by tests before it.
  for (const { node: test, code, holds, roots: read } of tests.toReversed()) {
    const lost = code === undefined ? test : evaluatedOnce(method, test);
    for (const [each, from] of lost === undefined ? [] : narrowed) {
      if (!narrows(method, lost ?? test, new Set([textOf(each)]))) continue;
      const type = typeText(method, each, from);
      if (type !== undefined) {
        types.set(each, type);
        continue;
      }
      const facts = { at: spanOf(each), name: shown(each), test: shown(test) };
      method.context.report(say.narrowingLost({ ...facts, other: spanOf(test) }));
      return undefined;
    }
    if (code === undefined) continue;
    if (![...read].some((root) => roots.has(root))) continue;
    guards.push({ test: code, holds });
    for (const root of read) roots.add(root);
  }
  return { guards: guards.reverse(), types };
}

/** What gives a reference the type that it has at its place; undefined: that cannot be written down. */
function typeText(method: Method, node: ts.Expression, from: ts.Type): string | undefined {
  const { checker } = method;
  const type = method.typeOf(node);
  if (type.flags & ts.TypeFlags.Never) return " as never";
  const text = literalText(method, type);
  if (text !== undefined) return ` as ${text}`;
  return checker.isTypeAssignableTo(checker.getNonNullableType(from), type) ? "!" : undefined;
}

function textOf(node: ts.Node): string {
  return node.getText().replace(/\s+/g, "");
}

/** `const dear = isDear(room)`, in place of which TypeScript knows what it tests; undefined: no such. */
function evaluatedOnce(method: Method, test: ts.Expression): ts.Expression | undefined {
  const declared = ts.isIdentifier(test) ? method.local(test)?.valueDeclaration : undefined;
  if (declared === undefined || !ts.isVariableDeclaration(declared)) return undefined;
  const { initializer, type } = declared;
  if (initializer === undefined || type !== undefined) return undefined;
  return isGlue(method, initializer, NO_HOLES) ? undefined : initializer;
}

/** The type that a reference is declared with, if the checker knows more of it at its place. */
function narrowedFrom(method: Method, node: ts.Node): ts.Type | undefined {
  const { checker } = method;
  const unless = (known: boolean, declared: ts.Type): ts.Type | undefined =>
    known ? undefined : declared;
  if (ts.isIdentifier(node)) {
    const symbol = method.local(node);
    const declared = symbol?.valueDeclaration;
    if (symbol === undefined || declared === undefined || declared === node.parent) {
      return undefined;
    }
    const type = checker.getTypeOfSymbol(symbol);
    return unless(checker.isTypeAssignableTo(type, method.typeOf(node)), type);
  }
  if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) {
    return undefined;
  }
  const owner = method.typeOf(node.expression);
  const name = ts.isPropertyAccessExpression(node)
    ? node.name.text
    : ts.isStringLiteralLike(node.argumentExpression) ||
        ts.isNumericLiteral(node.argumentExpression)
      ? node.argumentExpression.text
      : undefined;
  const property =
    name === undefined
      ? undefined
      : checker.getPropertyOfType(checker.getNonNullableType(owner), name);
  const declared =
    property === undefined
      ? (checker.getIndexTypeOfType(owner, ts.IndexKind.Number) ??
        checker.getIndexTypeOfType(owner, ts.IndexKind.String))
      : checker.getTypeOfSymbol(property);
  if (declared === undefined) return undefined;
  const unchecked =
    property === undefined &&
    method.context.program.getCompilerOptions().noUncheckedIndexedAccess === true;
  const actual = method.typeOf(node);
  return unless(
    unchecked ? acceptsUndefined(checker, actual) : checker.isTypeAssignableTo(declared, actual),
    declared,
  );
}

function acceptsUndefined(checker: ts.TypeChecker, type: ts.Type): boolean {
  return checker.isTypeAssignableTo(checker.getUndefinedType(), type);
}

/** Whether a test that is no glue may be what narrowed one of some expressions. */
function narrows(method: Method, test: ts.Expression, texts: ReadonlySet<string>): boolean {
  const isOne = (node: ts.Node): boolean => texts.has(textOf(node));
  const mentions = (node: ts.Node): boolean =>
    isOne(node) || (ts.forEachChild(node, mentions) ?? false);
  const visit = (written: ts.Expression): boolean => {
    const node = untyped(written);
    if (isOne(node)) return true;
    if (ts.isCallExpression(node)) {
      const signature = method.checker.getResolvedSignature(node);
      const predicate = signature && method.checker.getTypePredicateOfSignature(signature);
      return (predicate !== undefined && mentions(node)) || visit(node.expression);
    }
    // `x.kind === "a"` and `x?.id` tell of `x`.
    if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
      return visit(node.expression);
    }
    if (ts.isPrefixUnaryExpression(node)) {
      return node.operator === ts.SyntaxKind.ExclamationToken && visit(node.operand);
    }
    if (ts.isTypeOfExpression(node)) return visit(node.expression);
    if (!ts.isBinaryExpression(node)) return false;
    return NARROWING.has(node.operatorToken.kind) && (visit(node.left) || visit(node.right));
  };
  return visit(test);
}

/** The operators through which TypeScript learns of what they are given. */
const NARROWING: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.CommaToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.InKeyword,
  ts.SyntaxKind.InstanceOfKeyword,
]);

/** The tests that what a pattern takes out of a value may rest on. */
export function guardsOfPattern(
  method: Method,
  tests: readonly Test[],
  parts: readonly CodePart[],
): Guard[] {
  const roots = new Set(
    parts.flatMap((part) =>
      typeof part === "object" && "variable" in part ? [...method.rootsOf(part.variable)] : [],
    ),
  );
  return tests.flatMap(({ code, holds, roots: read }) =>
    code !== undefined && [...read].some((root) => roots.has(root)) ? [{ test: code, holds }] : [],
  );
}
