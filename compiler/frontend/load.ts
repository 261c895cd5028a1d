/**
 * Loads a TypeScript project: tsconfig, program, and which files can have a saga. It reads no class.
 */
import { ts } from "ts-morph";
import type { FrontendOptions, Loaded } from "./index.js";

/** One tsconfig with its program. */
export interface ProjectPart {
  readonly program: ts.Program;
  /** Files that are asked for and may declare a saga. */
  readonly candidates: readonly ts.SourceFile[];
}

export interface Project {
  readonly parts: readonly ProjectPart[];
}

export function loadProject(_options: FrontendOptions): Loaded {
  return { program: { parts: [] }, diagnostics: [] };
}
