/** Literals of the syntax, and constants that are such. What they are good for is decided in `glue.ts`. */
import { bare } from "../context.js";
import ts from "../typescript.cjs";

/** A literal by itself. */
export function isLiteral(node: ts.Node): boolean {
  return (
    ts.isStringLiteralLike(node) ||
    ts.isNumericLiteral(node) ||
    ts.isBigIntLiteral(node) ||
    ts.isRegularExpressionLiteral(node) ||
    node.kind === ts.SyntaxKind.TrueKeyword ||
    node.kind === ts.SyntaxKind.FalseKeyword ||
    node.kind === ts.SyntaxKind.NullKeyword
  );
}

/** A literal, or an array or object of such. */
export function isData(written: ts.Expression): boolean {
  const node = bare(written);
  if (isLiteral(node)) return !ts.isRegularExpressionLiteral(node);
  if (ts.isPrefixUnaryExpression(node)) return isData(node.operand);
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isData);
  return (
    ts.isObjectLiteralExpression(node) &&
    node.properties.every((each) => ts.isPropertyAssignment(each) && isData(each.initializer))
  );
}

/** A constant of a module or a class whose value is a literal: it is the same whenever it is read. */
export function isConstant(symbol: ts.Symbol): boolean {
  const declared = symbol.valueDeclaration;
  if (declared === undefined) return false;
  if (ts.isEnumMember(declared)) return true;
  const isKept = ts.isVariableDeclaration(declared)
    ? (ts.getCombinedNodeFlags(declared) & ts.NodeFlags.Const) !== 0
    : (ts.getCombinedModifierFlags(declared) & CONSTANT) === CONSTANT;
  if (!isKept || !hasInitializer(declared)) return false;
  const value = bare(declared.initializer);
  if (ts.isAsExpression(value) && ts.isConstTypeReference(value.type))
    return isData(value.expression);
  return isLiteral(value) && !ts.isRegularExpressionLiteral(value);
}

const CONSTANT = ts.ModifierFlags.Static | ts.ModifierFlags.Readonly;

function hasInitializer(
  node: ts.Declaration,
): node is (ts.VariableDeclaration | ts.PropertyDeclaration) & { initializer: ts.Expression } {
  const isOne = ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node);
  return isOne && node.initializer !== undefined;
}
