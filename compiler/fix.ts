/** Applies what diagnostics say is certain to mend them. Which edits those are is the frontend's business. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Diagnostic, Edit } from "./diagnostics/diagnostic.js";

export interface Fixed {
  /** How many diagnostics were mended. */
  readonly count: number;
  /** The files that were changed. */
  readonly files: readonly string[];
}

/**
 * Changes the sources. Of edits that overlap the first is made; the rest can be had by compiling again.
 * @throws Error of the file system, if a source cannot be written
 */
export function applyFixes(diagnostics: readonly Diagnostic[]): Fixed {
  const byFile = new Map<string, Edit[]>();
  let count = 0;
  for (const { fix } of diagnostics) {
    if (fix === undefined || fix.some((edit) => overlaps(byFile.get(edit.span.file) ?? [], edit))) {
      continue;
    }
    count += 1;
    for (const edit of fix) {
      const edits = byFile.get(edit.span.file);
      if (edits === undefined) byFile.set(edit.span.file, [edit]);
      else if (!edits.some((other) => isSame(other, edit))) edits.push(edit);
    }
  }
  for (const [file, edits] of byFile)
    writeFileSync(file, edited(readFileSync(file, "utf8"), edits));
  return { count, files: [...byFile.keys()] };
}

/** The text with all edits made; none overlaps another. */
export function edited(text: string, edits: readonly Edit[]): string {
  // From the end, so that the places of those before it stay true.
  const backwards = [...edits].sort((a, b) => b.span.start - a.span.start);
  return backwards.reduce(
    (before, { span, text: inserted }) =>
      before.slice(0, span.start) + inserted + before.slice(span.end),
    text,
  );
}

/** One thing can be missed in two places: it is inserted once. */
function isSame(a: Edit, b: Edit): boolean {
  return a.span.start === b.span.start && a.span.end === b.span.end && a.text === b.text;
}

function overlaps(edits: readonly Edit[], edit: Edit): boolean {
  const { start, end } = edit.span;
  return edits.some(
    (other) =>
      !isSame(other, edit) &&
      (start === other.span.start || (start < other.span.end && end > other.span.start)),
  );
}
