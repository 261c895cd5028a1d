/**
 * Quick fixes in editors: what `--fix` does, for the message that the cursor is on, or for all of a
 * file. Which edits are certain is the frontend's business.
 */
import type { Diagnostic, Edit } from "../diagnostics/diagnostic.js";
import { editsOf } from "../fix.js";

/** Of all our messages in an editor; TypeScript's own end before a hundred thousand. */
export const OUR_CODE = 100_001;

/** By which an editor asks for all fixes of a kind at once. */
const FIX_ID = "steno";

interface FileChanges {
  readonly fileName: string;
  readonly textChanges: readonly {
    readonly span: { readonly start: number; readonly length: number };
    readonly newText: string;
  }[];
}

interface CodeFix {
  readonly fixName: string;
  readonly description: string;
  readonly changes: readonly FileChanges[];
  readonly fixId?: unknown;
  readonly fixAllDescription?: string;
}

interface CombinedFixes {
  readonly changes: readonly FileChanges[];
}

/** The part of a language service that mends. What an older TypeScript does not have is left out. */
export interface FixingService {
  getSupportedCodeFixes?(file?: string): readonly string[];
  getCodeFixesAtPosition(
    file: string,
    start: number,
    end: number,
    codes: readonly number[],
    ...more: unknown[]
  ): readonly CodeFix[];
  getCombinedCodeFix(
    scope: { readonly fileName: string },
    fixId: unknown,
    ...more: unknown[]
  ): CombinedFixes;
}

/** `diagnosticsOf`: what we say of a file now. */
export function addQuickFixes(
  decorated: FixingService,
  service: FixingService,
  diagnosticsOf: (file: string) => readonly Diagnostic[],
): void {
  decorated.getSupportedCodeFixes = (file) => [
    ...(service.getSupportedCodeFixes?.(file) ?? []),
    String(OUR_CODE),
  ];
  decorated.getCodeFixesAtPosition = (file, start, end, codes, ...more) => {
    const others = codes.filter((code) => code !== OUR_CODE);
    const theirs = service.getCodeFixesAtPosition(file, start, end, others, ...more);
    if (others.length === codes.length) return theirs;
    const ours = diagnosticsOf(file).filter(
      ({ fix, span }) =>
        fix !== undefined && span !== undefined && span.start <= end && span.end >= start,
    );
    return [...theirs, ...ours.map(toCodeFix)];
  };
  decorated.getCombinedCodeFix = (scope, fixId, ...more) =>
    fixId === FIX_ID
      ? { changes: changesOf(diagnosticsOf(scope.fileName)) }
      : service.getCombinedCodeFix(scope, fixId, ...more);
}

function toCodeFix(diagnostic: Diagnostic): CodeFix {
  return {
    fixName: FIX_ID,
    description: diagnostic.help ?? diagnostic.message,
    changes: changesOf([diagnostic]),
    fixId: FIX_ID,
    fixAllDescription: "Fix all that steno is certain of",
  };
}

function changesOf(diagnostics: readonly Diagnostic[]): FileChanges[] {
  return [...editsOf(diagnostics).byFile].map(([fileName, edits]) => ({
    fileName,
    textChanges: edits.map(toTextChange),
  }));
}

function toTextChange({ span: { start, end }, text }: Edit): FileChanges["textChanges"][number] {
  return { span: { start, length: end - start }, newText: text };
}
