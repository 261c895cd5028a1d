/**
 * Literal types that TypeScript forgets: what is declared by a literal (`readonly mode = "fast"`) keeps
 * its type only until it is put where another value could be. Generated code has it as the output of a
 * node, of which TypeScript forgets nothing; so it is told to, in the same places.
 */
import type { CodePart } from "../../model.js";
import { resolve, untyped } from "../context.js";
import type { Method } from "../methods/method.js";
import { awaited, isAny } from "../types/types.js";
import ts from "../typescript.cjs";
import type { CodeValue } from "../methods/values.js";

/** Whether an expression is a literal, or names what is declared by one: a function that gives it forgets which. */
export function widens(method: Method, written: ts.Expression): boolean {
  if (!isOne(method.typeOf(written))) return false;
  const node = untyped(written);
  if (ts.isBinaryExpression(node)) return sidesOf(node).some((side) => widens(method, side));
  if (ts.isConditionalExpression(node)) {
    return widens(method, node.whenTrue) || widens(method, node.whenFalse);
  }
  if (ts.isPrefixUnaryExpression(node)) return widens(method, node.operand);
  if (ts.isLiteralExpression(node) || WORDS.has(node.kind)) return true;
  if (!(ts.isPropertyAccessExpression(node) || ts.isIdentifier(node))) return false;
  const found = method.checker.getSymbolAtLocation(node);
  const declared = found && resolve(method.checker, found).valueDeclaration;
  return (
    declared !== undefined &&
    (ts.isPropertyDeclaration(declared) || ts.isVariableDeclaration(declared)) &&
    declared.type === undefined
  );
}

const WORDS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.TrueKeyword,
  ts.SyntaxKind.FalseKeyword,
]);

/** The text of a type that is made of values, and names nothing; undefined: it is another. */
export function literalText({ checker }: Method, type: ts.Type): string | undefined {
  const { EnumLiteral, Unit, Literal } = ts.TypeFlags;
  const members = type.isUnion() ? type.types : [type];
  const named = members.some(({ flags }) => (flags & EnumLiteral) !== 0);
  const isWritten = !named && members.every(({ flags }) => (flags & (Unit | Literal)) !== 0);
  return isWritten ? checker.typeToString(type, undefined, NO_TRUNCATION) : undefined;
}

/** The text of a type that is made of primitive types, and names nothing; undefined: it is another. */
export function plainText({ checker }: Method, type: ts.Type): string | undefined {
  const { String, Number, BigInt, BooleanLike, Undefined, Null, EnumLike } = ts.TypeFlags;
  const members = type.isUnion() ? type.types : [type];
  const plain = String | Number | BigInt | BooleanLike | Undefined | Null;
  const isPlain = members.every(({ flags }) => (flags & plain) !== 0 && (flags & EnumLike) === 0);
  return isPlain ? checker.typeToString(type, undefined, NO_TRUNCATION) : undefined;
}

const NO_TRUNCATION = ts.TypeFormatFlags.NoTruncation;

/** A value as it is where it stands: without the literal type that TypeScript forgets there. */
export function widened(method: Method, node: ts.Expression, value: CodeValue): CodeValue {
  const parts = widenedParts(method, node, value.parts);
  return parts === undefined ? value : { ...value, parts, atom: true };
}

/** The same for the parts of a value; undefined: it keeps its type. */
export function widenedParts(
  method: Method,
  node: ts.Expression,
  parts: readonly CodePart[],
): readonly CodePart[] | undefined {
  const [part, more] = parts;
  if (typeof part !== "object" || !("variable" in part) || more !== undefined) return undefined;
  if (!method.literals.has(part.variable)) return undefined;
  const type = typeOf(method, node);
  const place = isOne(type) ? placeOf(method, node) : undefined;
  if (place === undefined || isAny(place)) return undefined;
  const { checker } = method;
  const base = checker.getBaseTypeOfLiteralType(type);
  if (!checker.isTypeAssignableTo(base, place)) return undefined;
  return ["(", { ...part, shorthand: false }, ` as ${checker.typeToString(base)})`];
}

/** The type that a value has before it is put somewhere. */
function typeOf(method: Method, node: ts.Expression): ts.Type {
  const symbol = ts.isShorthandPropertyAssignment(node.parent)
    ? method.checker.getShorthandAssignmentValueSymbol(node.parent)
    : undefined;
  return symbol ? method.checker.getTypeOfSymbolAtLocation(symbol, node) : method.typeOf(node);
}

/** Whether it is the type of one value. */
function isOne({ flags }: ts.Type): boolean {
  return (flags & ts.TypeFlags.Literal) !== 0;
}

/** The operands of which one is the value; none, if it is made of them. */
export function sidesOf({ left, operatorToken, right }: ts.BinaryExpression): ts.Expression[] {
  switch (operatorToken.kind) {
    case ts.SyntaxKind.BarBarToken:
    case ts.SyntaxKind.QuestionQuestionToken:
      return [left, right];
    case ts.SyntaxKind.AmpersandAmpersandToken:
    case ts.SyntaxKind.CommaToken:
      return [right];
    default:
      return [];
  }
}

/** The type of what an expression is put into: a property or an element of a literal, what a function gives. */
function placeOf(method: Method, node: ts.Expression): ts.Type | undefined {
  const { parent } = node;
  if (ts.isParenthesizedExpression(parent)) return placeOf(method, parent);
  if (ts.isConditionalExpression(parent)) {
    return parent.condition === node ? undefined : placeOf(method, parent);
  }
  if (ts.isBinaryExpression(parent)) {
    if (sidesOf(parent).includes(node)) return placeOf(method, parent);
    if (!isAssigned(method, parent, node)) return undefined;
    return method.checker.getBaseTypeOfLiteralType(method.typeOf(node));
  }
  if (ts.isShorthandPropertyAssignment(parent) || ts.isPropertyAssignment(parent)) {
    return propertyType(method, parent);
  }
  if (ts.isArrayLiteralExpression(parent)) return elementType(method, parent, node);
  const home = ts.findAncestor(node, ts.isFunctionLike);
  const isResult = ts.isReturnStatement(parent) || (ts.isArrowFunction(parent) && parent === home);
  if (!isResult || home === undefined || home === method.declaration) return undefined;
  const signature = method.checker.getSignatureFromDeclaration(home);
  return signature && awaited(method.context, signature.getReturnType());
}

/** Whether a variable without a type of its own is set. */
function isAssigned(
  method: Method,
  { left, operatorToken }: ts.BinaryExpression,
  node: ts.Expression,
): boolean {
  if (operatorToken.kind !== ts.SyntaxKind.EqualsToken || node === left) return false;
  const declared = ts.isIdentifier(left) ? method.local(left)?.valueDeclaration : undefined;
  return (
    declared !== undefined && ts.isVariableDeclaration(declared) && declared.type === undefined
  );
}

function propertyType(
  method: Method,
  { name, parent }: ts.PropertyAssignment | ts.ShorthandPropertyAssignment,
): ts.Type | undefined {
  if (ts.isComputedPropertyName(name)) return undefined;
  const property = method.checker.getPropertyOfType(method.typeOf(parent), name.text);
  return property && method.checker.getTypeOfSymbolAtLocation(property, parent);
}

function elementType(
  method: Method,
  list: ts.ArrayLiteralExpression,
  node: ts.Expression,
): ts.Type | undefined {
  const { checker } = method;
  const type = method.typeOf(list);
  if (!checker.isTupleType(type)) return checker.getIndexTypeOfType(type, ts.IndexKind.Number);
  return checker.getTypeArguments(type as ts.TypeReference)[list.elements.indexOf(node)];
}
