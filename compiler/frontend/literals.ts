/** Literals of the syntax, without any types. What they are good for is decided in `glue.ts`. */
import { bare } from "./context.js";
import ts from "./typescript.cjs";

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
