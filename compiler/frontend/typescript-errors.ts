/** Reports TypeScript's own errors in a source that declares sagas. Other files are not looked at. */
import { ts } from "ts-morph";
import * as say from "../diagnostics/catalogue/project.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Span } from "../model.js";
import type { Context } from "./context.js";

/** Errors about decorators: ours say the same in better words. */
const OF_DECORATORS = new Set([1238, 1239, 1240, 1241, 1270, 1278, 1279, 1329]);

/** `ours`: what was found wrong with the classes of the file already. */
export function typescriptErrors(
  context: Context,
  source: ts.SourceFile,
  ours: readonly Diagnostic[],
): void {
  const { program } = context;
  const faulty = decoratedSpans(source, ours);
  const errors = [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source),
  ];
  for (const error of errors) {
    if (error.category !== ts.DiagnosticCategory.Error || error.start === undefined) continue;
    const start = error.start;
    const end = start + (error.length ?? 0);
    const known = faulty.some((span) => start >= span.start && end <= span.end);
    if (known && (OF_DECORATORS.has(error.code) || isInDecorator(source, start))) continue;
    const [text = "", ...notes] = ts
      .flattenDiagnosticMessageText(error.messageText, "\n")
      .split("\n");
    const at = { file: source.fileName, start, end };
    const trimmed = notes.map((note) => note.trim());
    context.report(say.typescript({ at, text, number: error.code, notes: trimmed }));
  }
}

/** The members of which something is wrong by our own account. */
function decoratedSpans(source: ts.SourceFile, ours: readonly Diagnostic[]): Span[] {
  const found: Span[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isClassElement(node)) {
      const { pos: start, end } = node;
      const touched = ours.some(
        ({ span }) => span?.file === source.fileName && span.start >= start && span.end <= end,
      );
      if (touched) found.push({ file: source.fileName, start, end });
    }
    ts.forEachChild(node, visit);
  };
  if (ours.length > 0) visit(source);
  return found;
}

function isInDecorator(source: ts.SourceFile, position: number): boolean {
  let inside = false;
  const visit = (node: ts.Node): void => {
    if (position < node.pos || position >= node.end) return;
    if (ts.isDecorator(node)) inside = true;
    ts.forEachChild(node, visit);
  };
  visit(source);
  return inside;
}
