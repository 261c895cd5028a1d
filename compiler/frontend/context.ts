/** What every part of the frontend needs at hand: the checker, where to report, and spans. */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Span } from "../model.js";
import type { Deriver } from "./types/derive.js";
import ts from "./typescript.cjs";

/** Which of steno's decorators something is. */
export type Marker = "action" | "undo" | "saga";

export interface Context {
  readonly program: ts.Program;
  readonly checker: ts.TypeChecker;
  readonly report: (diagnostic: Diagnostic) => void;
  /** What is stored of the program's types. */
  readonly types: Deriver;
  /** Classes of errors that were declared and refused, by their keys: nothing more is said of them. */
  readonly refusedErrors: Set<string>;
  /** Answers by file; made once for a project, since reading package.json files takes time. */
  readonly markers: Map<ts.Symbol, Marker | undefined>;
}

export function spanOf(node: ts.Node): Span {
  const source = node.getSourceFile();
  return { file: source.fileName, start: node.getStart(source), end: node.getEnd() };
}

/** The symbol that a name stands for, through imports and re-exports. */
export function resolve(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** The expression without parentheses. */
export function bare(node: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(node) ? bare(node.expression) : node;
}

/** The expression without anything that changes only its type. */
export function untyped(node: ts.Expression): ts.Expression {
  if (
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isNonNullExpression(node)
  ) {
    return untyped(node.expression);
  }
  return node;
}

/** The function that a node is in. */
export function homeOf(node: ts.Node | undefined): ts.Node | undefined {
  return node && ts.findAncestor(node, ts.isFunctionLike);
}

/** The text of a node on one line, cut to be part of a message. */
export function shown(node: ts.Node): string {
  const text = node.getText().replace(/\s+/g, " ");
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
