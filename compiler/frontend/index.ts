/**
 * The frontend: from a TypeScript project to models of its sagas. The only folder that imports
 * ts-morph; what it hands over is plain data. It writes no file and prints nothing.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { SourceModel } from "../model.js";
import { loadProject, type Project } from "./load.js";
import { lowerProject } from "./lower-project.js";

export interface FrontendOptions {
  /** `--project`: a tsconfig file, or a folder that has one. Absent: the nearest, from `cwd` up. */
  readonly project?: string | undefined;
  /** Files and folders to which the compile is limited; none: the whole project. */
  readonly paths: readonly string[];
  readonly cwd: string;
}

/** A project that is loaded, parsed and bound, but not yet checked. Opaque outside of this folder. */
export type Program = Project;

export interface Loaded {
  /** Absent if the call or the set-up is wrong: `diagnostics` says how. */
  readonly program: Program | undefined;
  /** Faults of the call and of the set-up (exit code 2). */
  readonly diagnostics: readonly Diagnostic[];
}

export interface Lowered {
  /** The sources of which nothing is broken, by file name. */
  readonly sources: readonly SourceModel[];
  /** Files that declare a saga, or tried to, and have an error: what they had generated is left alone. */
  readonly broken: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  /** The text of a file that a span names. */
  readonly text: (file: string) => string | undefined;
}

/** Finds and loads the project. Never throws on what a user can get wrong. */
export function load(options: FrontendOptions): Loaded {
  return loadProject(options);
}

/** Reads every saga of the project. Never throws on what a user can write. */
export function lower(program: Program): Lowered {
  return lowerProject(program);
}
