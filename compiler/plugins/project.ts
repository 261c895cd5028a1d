/**
 * What the plugins of bundlers share: a project that is compiled whenever the bundler starts to build,
 * and its diagnostics as a bundler shows them. Each bundler's own form is in the files beside this one.
 */
import { compile, IncrementalBuild } from "../compile.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Places } from "../diagnostics/places.js";
import { toText } from "../diagnostics/text.js";

export interface PluginOptions {
  /** A tsconfig file, or a folder that has one. Default: the nearest, from `cwd` up. */
  readonly project?: string;
  /** Files and folders to which the compile is limited. Default: the whole project. */
  readonly paths?: readonly string[];
  /** Default: the folder of the bundler's process. */
  readonly cwd?: string;
}

/** One finding. */
export interface Finding {
  readonly severity: Diagnostic["severity"];
  /** `undo-missing: the action …`, on one line. */
  readonly title: string;
  /** The whole frame, as `steno-compile` prints it, without colours. */
  readonly frame: string;
  readonly place: FindingPlace | undefined;
}

export interface FindingPlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 0, in UTF-16 units. */
  readonly column: number;
  readonly length: number;
  readonly lineText: string;
}

export class PluginProject {
  readonly #options: PluginOptions;
  readonly #incremental = new IncrementalBuild();
  /** One compile at a time: each sees what the one before has written. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PluginOptions) {
    this.#options = options;
  }

  /** Writes the generated modules that are out of date, and answers with what there is to say. */
  compile(): Promise<Finding[]> {
    const next = this.#last.then(() => this.#compile());
    // Whoever asked hears of a failure; who asks next is not concerned.
    this.#last = next.catch(() => {});
    return next;
  }

  async #compile(): Promise<Finding[]> {
    const { cwd = process.cwd(), paths = [], project } = this.#options;
    const options = { cwd, paths, project };
    const { diagnostics, places } = await compile(options, this.#incremental);
    return diagnostics
      .filter(({ severity }) => severity !== "hint")
      .map((diagnostic) => findingOf(diagnostic, places, cwd));
  }
}

function findingOf(diagnostic: Diagnostic, places: Places, cwd: string): Finding {
  const { severity, code, message, span } = diagnostic;
  const start = span && places.start(span);
  const lineText = span && start && places.line(span.file, start.line);
  return {
    severity,
    title: `${code}: ${message}`,
    frame: toText(diagnostic, { places, cwd, colour: false }),
    place: span &&
      start && {
        file: span.file,
        line: start.line,
        column: start.column - 1,
        length: span.end - span.start,
        lineText: lineText ?? "",
      },
  };
}
