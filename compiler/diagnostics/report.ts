/** Puts diagnostics in source order, once each. */
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

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
