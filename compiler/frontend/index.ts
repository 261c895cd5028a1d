/**
 * The frontend: from a TypeScript project to models of its sagas. The only folder that imports
 * ts-morph; what it hands over is plain data. It writes no file and prints nothing.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { SourceModel } from "../model.js";
import { createProject, findProject, type FoundProject } from "./program/load.js";
import { lowerProject } from "./lower-project.js";

export { Rereader, type Reread } from "./program/reread.js";

export interface FrontendOptions {
  /** `--project`: a tsconfig file, or a folder that has one. Absent: the nearest, from `cwd` up. */
  readonly project?: string | undefined;
  /** Files and folders to which the compile is limited; none: the whole project. */
  readonly paths: readonly string[];
  readonly cwd: string;
  /** The text of a file that differs from what the disk has, as in an editor. Default: the disk's. */
  readonly read?: ((file: string) => string | undefined) | undefined;
}

/** A project of which the files are known, but not yet parsed. Opaque but for `candidates`. */
export type Program = FoundProject;

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

/** Finds the project and its files. Never throws on what a user can get wrong. */
export function load(options: FrontendOptions): Loaded {
  return findProject(options);
}

/**
 * Reads every saga of the project, or only of some of its `candidates`: then what is said of all
 * files together, such as that there is no saga, is said of these. Never throws on what a user can write.
 */
export function lower(program: Program, only?: ReadonlySet<string>): Lowered {
  return lowerProject(createProject(program, only));
}
