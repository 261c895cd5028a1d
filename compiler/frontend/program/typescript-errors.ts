/** Reports TypeScript's own errors in a source that declares sagas. Other files are not looked at. */
import * as say from "../../diagnostics/catalogue/project.js";
import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import type { Span } from "../../model.js";
import type { Context } from "../context.js";
import ts from "../typescript.cjs";

/** Errors about decorators: ours say the same in better words. */
const OF_DECORATORS = new Set([1238, 1239, 1240, 1241, 1270, 1278, 1279, 1329]);

/** Errors of ours that an unknown type alone can cause. */
const FOLLOWS = new Set(["value-not-storable", "await-unknown", "not-async"]);

/** Errors about a name that is not there: what we say of its type follows from that. */
const NO_SUCH_NAME = new Set([2304, 2552]);

/**
 * `diagnostics`: what was found already, that of this source from `first` on. One cause gives one
 * error: where TypeScript and we speak of the same place we say it, and where TypeScript sees an
 * error inside of what we refuse, ours goes, since it follows from types that are not known.
 */
export function typescriptErrors(
  context: Context,
  source: ts.SourceFile,
  diagnostics: Diagnostic[],
  first: number,
): void {
  const { program } = context;
  const errors = [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source),
  ].filter((error) => error.category === ts.DiagnosticCategory.Error && !error.reportsUnnecessary);
  if (errors.length === 0) return;
  const ours = diagnostics.slice(first).filter(({ severity }) => severity === "error");
  const faulty = decoratedSpans(source, ours);
  const dropped = new Set<Diagnostic>();
  for (const error of errors) {
    if (error.start === undefined) continue;
    const start = error.start;
    const end = start + (error.length ?? 0);
    const known = faulty.some((span) => start >= span.start && end <= span.end);
    if (known && (OF_DECORATORS.has(error.code) || isInDecorator(source, start))) continue;
    const isCause = NO_SUCH_NAME.has(error.code);
    const saysSo = ({ code, span }: Diagnostic): boolean =>
      isAt(source, span, start, end) && !(isCause && FOLLOWS.has(code));
    if (ours.some(saysSo)) continue;
    for (const each of ours) {
      const { span } = each;
      const around = span?.file === source.fileName && span.start <= start && span.end >= end;
      if (around && FOLLOWS.has(each.code)) dropped.add(each);
    }
    const [text = "", ...notes] = ts
      .flattenDiagnosticMessageText(error.messageText, "\n")
      .split("\n");
    const at = { file: source.fileName, start, end };
    const trimmed = notes.map((note) => note.trim());
    context.report(say.typescript({ at, text, number: error.code, notes: trimmed }));
  }
  diagnostics.splice(
    first,
    Infinity,
    ...diagnostics.slice(first).filter((each) => !dropped.has(each)),
  );
}

function isAt(source: ts.SourceFile, span: Span | undefined, start: number, end: number): boolean {
  return span?.file === source.fileName && span.start === start && span.end === end;
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
