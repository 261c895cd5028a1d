/**
 * From the files of a project to the texts of its modules: lower, analyse, print, format. All in one
 * thread, for all sources or for some; it writes nothing. Who shares them out is in `shares.ts`.
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { analyse } from "./analysis/passes.js";
import { internal } from "./diagnostics/catalogue/project.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import { Places } from "./diagnostics/places.js";
import { inOrder } from "./diagnostics/report.js";
import { formatEach } from "./emit/format.js";
import { generatedPath, printModule } from "./emit/module.js";
import { load, lower, type FrontendOptions, type Lowered, type Program } from "./frontend/index.js";
import type { SourceModel } from "./model.js";
import type { OutputFile } from "./write.js";

export interface Analysed {
  /** In source order, each once. */
  readonly diagnostics: readonly Diagnostic[];
  /** The sources of which nothing is broken. */
  readonly sources: readonly SourceModel[];
  readonly places: Places;
}

export interface Built extends Analysed {
  /** The modules of the sources, in their order. */
  readonly outputs: readonly OutputFile[];
}

/** Everything that is known before anything is emitted. */
export function analyseProject(options: FrontendOptions): Analysed {
  const { program, diagnostics } = load(options);
  return program === undefined ? nothing(diagnostics) : analyseLowered(lower(program));
}

/** What there is to say if there is nothing to build. */
export function nothing(diagnostics: readonly Diagnostic[]): Built {
  return { diagnostics, sources: [], places: new Places(readText), outputs: [] };
}

/** Builds the sources of a program, or those in `only`. */
export async function build(program: Program, only?: ReadonlySet<string>): Promise<Built> {
  return buildLowered(lower(program, only));
}

/** Builds what was lowered. */
export async function buildLowered(lowered: Lowered): Promise<Built> {
  const { diagnostics, sources, places } = analyseLowered(lowered);
  const found = [...diagnostics];
  const outputs = await emit(sources, (diagnostic) => void found.push(diagnostic));
  return { diagnostics: inOrder(found), sources, places, outputs };
}

/** What is known of what was lowered, before anything is emitted. */
export function analyseLowered(lowered: Lowered): Analysed {
  const found = [...lowered.diagnostics];
  const broken = new Set(lowered.broken);
  const sources = analyse(lowered.sources, (diagnostic) => {
    found.push(diagnostic);
    if (diagnostic.severity === "error" && diagnostic.span) broken.add(diagnostic.span.file);
  }).filter(({ file }) => !broken.has(file));
  const text = (file: string): string | undefined => lowered.text(file) ?? readText(file);
  return { diagnostics: inOrder(found), sources, places: new Places(text) };
}

async function emit(
  sources: readonly SourceModel[],
  report: (diagnostic: Diagnostic) => void,
): Promise<OutputFile[]> {
  const fault = (source: SourceModel, trace: string): void => {
    const what = `emitting the module of ${path.basename(source.file)}`;
    report(internal({ at: source.sagas[0]?.span, what, trace }));
  };
  const printed = sources.flatMap((source) => {
    try {
      return [{ source, text: printModule(source) }];
    } catch (error) {
      fault(source, error instanceof Error ? (error.stack ?? error.message) : String(error));
      return [];
    }
  });
  const formatted = await formatEach(printed.map(({ text }) => text));
  return printed.flatMap(({ source }, index) => {
    const result = formatted[index];
    if (result !== undefined && "text" in result) {
      return [{ file: generatedPath(source.file), text: result.text }];
    }
    fault(source, result?.error ?? "no answer");
    return [];
  });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
