/** What diagnostics amount to: their order, once each, and the exit code. How one looks is in `text.ts`. */
import { setUpCodes } from "./catalogue/index.js";
import type { Diagnostic } from "./diagnostic.js";

export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics
    .filter(({ code, message, span }) => {
      const key = JSON.stringify([code, message, span?.file, span?.start, span?.end]);
      return !seen.has(key) && seen.add(key);
    })
    .sort(
      (a, b) =>
        compare(a.span?.file ?? "", b.span?.file ?? "") ||
        (a.span?.start ?? 0) - (b.span?.start ?? 0) ||
        (a.span?.end ?? 0) - (b.span?.end ?? 0),
    );
}

/** 0: fine; 1: the program has errors; 2: the call or the set-up is wrong. */
export function exitCode({
  diagnostics,
}: {
  readonly diagnostics: readonly Diagnostic[];
}): 0 | 1 | 2 {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return 0;
  return errors.some(({ code }) => setUpCodes.has(code)) ? 2 : 1;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
