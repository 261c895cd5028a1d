/**
 * What a diagnostic is, and how the catalogue makes one. The words are in `catalogue/`, the frame
 * is in `text.ts`, the JSON in `json.ts`.
 */
import type { Span } from "../model.js";

export type Severity = "error" | "warning" | "hint";

export interface Label {
  readonly span: Span;
  readonly text: string;
}

/** A change of a source: what is in the span becomes the text. */
export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** One finding, complete with its prose. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, in the user's own names; one line, no advice. */
  readonly message: string;
  /** Where; absent for what has no place in a file (a missing tsconfig). */
  readonly span: Span | undefined;
  /** Text under the primary span. */
  readonly label: string | undefined;
  /** Other places that matter. */
  readonly others: readonly Label[];
  readonly notes: readonly string[];
  /** What to do; never a question. */
  readonly help: string | undefined;
  /** What `--fix` does about it; absent where more than one thing could be meant. */
  readonly fix: readonly Edit[] | undefined;
}

/** What a message function says; the rest comes from its entry. */
export interface Message {
  readonly message: string;
  readonly span?: Span | undefined;
  readonly label?: string;
  readonly others?: readonly Label[];
  readonly notes?: readonly string[];
  readonly help?: string;
  readonly fix?: readonly Edit[] | undefined;
}

/** The page of a code: for `explain` and for `docs/ERRORS.md`. */
export interface Page {
  /** Why this is refused: two to five sentences that teach the model. */
  readonly reason: string;
  /** A source that fails with this code (a whole file), or, for set-up errors, the command line. */
  readonly bad: string;
  /** The same, mended. */
  readonly good: string;
}

/** An entry of the catalogue: call it with the facts and it answers with the diagnostic. */
export interface Entry<Facts> {
  (facts: Facts): Diagnostic;
  readonly code: string;
  readonly severity: Severity;
  readonly page: Page;
}

/** Makes an entry. `code` is kebab-case and stands in five places: see the test that holds them equal. */
export function entry<Facts>(
  code: string,
  severity: Severity,
  page: Page,
  say: (facts: Facts) => Message,
): Entry<Facts> {
  const make = (facts: Facts): Diagnostic => {
    const { message, span, label, others = [], notes = [], help, fix } = say(facts);
    return { code, severity, message, span, label, others, notes, help, fix };
  };
  return Object.assign(make, { code, severity, page });
}
