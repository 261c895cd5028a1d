/**
 * What a pass is: a pure function on one saga with a name and the codes that it may raise.
 * The passes themselves are one to a file, and listed in `passes.ts`.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { SagaModel } from "../model.js";

export interface Pass {
  /** Kebab-case; unique in the list. */
  readonly name: string;
  /** One sentence: what it finds or changes. */
  readonly doc: string;
  /** The diagnostics that it may raise. */
  readonly codes: readonly string[];
  /** Answers with the saga, changed or as it was. Sagas embedded in it are not its business. */
  readonly run: (saga: SagaModel, report: (diagnostic: Diagnostic) => void) => SagaModel;
}
