/** Diagnostics as data, for programs: lines and columns are 1-based, files relative to the folder. */
import * as path from "node:path";
import type { Span } from "../model.js";
import type { Diagnostic } from "./diagnostic.js";
import type { Places } from "./places.js";

export interface JsonPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface JsonDiagnostic extends Partial<JsonPlace> {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly labels: readonly (JsonPlace & { readonly text: string })[];
  readonly notes: readonly string[];
  readonly help?: string;
  /** What `--fix` would do: each place becomes its text. */
  readonly fix?: readonly (JsonPlace & { readonly text: string })[];
}

export function toJson(diagnostic: Diagnostic, places: Places, cwd: string): JsonDiagnostic {
  const { code, severity, message, span, label, others, notes, help, fix } = diagnostic;
  const edits = fix?.map((edit) => ({ ...place(edit.span, places, cwd), text: edit.text }));
  const main = span && label !== undefined ? [{ ...place(span, places, cwd), text: label }] : [];
  const labels = others.map((other) => ({ ...place(other.span, places, cwd), text: other.text }));
  return {
    code,
    severity,
    message,
    ...(span && place(span, places, cwd)),
    labels: [...main, ...labels],
    notes,
    ...(help !== undefined && { help }),
    ...(edits !== undefined && { fix: edits }),
  };
}

function place(span: Span, places: Places, cwd: string): JsonPlace {
  const start = places.start(span);
  const end = places.end(span);
  return {
    file: path.relative(cwd, span.file).split(path.sep).join("/"),
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
  };
}
