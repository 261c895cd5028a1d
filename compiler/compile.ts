/** The pipeline: load, lower, analyse, emit, then write or check, then bundle. It prints nothing. */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { Manifest, Position } from "steno-runtime/manifest";
import { analyse } from "./analysis/passes.js";
import type { BundleResult } from "./bundle.js";
import { internal } from "./diagnostics/catalogue/project.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import { Places } from "./diagnostics/places.js";
import { exitCode, inOrder } from "./diagnostics/report.js";
import { formatAll } from "./emit/format.js";
import { manifestOf } from "./emit/manifest.js";
import { generatedPath, printModule } from "./emit/module.js";
import { load, lower, type FrontendOptions, type Lowered } from "./frontend/index.js";
import type { SourceModel, Span } from "./model.js";
import { checkModule, writeModule, type OutputFile, type Written } from "./write.js";

export interface CompileOptions extends FrontendOptions {
  /** Writes nothing; what is out of date is an error. */
  readonly check?: boolean | undefined;
  /** The folder for bundles. */
  readonly bundle?: string | undefined;
  /** Packages that bundles leave out. */
  readonly external?: readonly string[] | undefined;
}

export interface Analysed {
  /** In source order, each once. */
  readonly diagnostics: readonly Diagnostic[];
  /** The sources of which nothing is broken. */
  readonly sources: readonly SourceModel[];
  readonly places: Places;
}

export interface Compiled extends Analysed {
  readonly modules: readonly Written[];
  readonly bundles: readonly Written[];
}

/** Compiles a project: generated modules beside their sources, and bundles if asked for. */
export async function compile(options: CompileOptions): Promise<Compiled> {
  const { diagnostics, sources, places } = analyseProject(options);
  const found = [...diagnostics];
  const report = (diagnostic: Diagnostic): void => void found.push(diagnostic);
  const outputs = await emit(sources, report);
  if (options.check === true) {
    for (const output of outputs) checkModule(output, options.cwd, report);
    return { diagnostics: inOrder(found), sources, places, modules: [], bundles: [] };
  }
  const modules = outputs.map((output) => writeModule(output, options.cwd, report));
  const usable = exitCode({ diagnostics: found }) === 0;
  const { bundles } = usable ? await bundleAll(options, sources, places, report) : { bundles: [] };
  return { diagnostics: inOrder(found), sources, places, modules, bundles };
}

/** The first half: everything that is known before anything is emitted. */
export function analyseProject(options: FrontendOptions): Analysed {
  const loaded = load(options);
  const lowered = loaded.program === undefined ? NOTHING : lower(loaded.program);
  const found = [...loaded.diagnostics, ...lowered.diagnostics];
  const broken = new Set(lowered.broken);
  const sources = analyse(lowered.sources, (diagnostic) => {
    found.push(diagnostic);
    if (diagnostic.span) broken.add(diagnostic.span.file);
  }).filter(({ file }) => !broken.has(file));
  const text = (file: string): string | undefined => lowered.text(file) ?? readText(file);
  return { diagnostics: inOrder(found), sources, places: new Places(text) };
}

/** The manifests of all sagas, with positions relative to the folder. */
export function manifests({ sources, places }: Analysed, cwd: string): Manifest[] {
  return sources.flatMap(({ sagas }) => sagas.map((saga) => manifestOf(saga, locate(places, cwd))));
}

const NOTHING: Lowered = { sources: [], broken: [], diagnostics: [], text: () => undefined };

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
  const formatted = await formatAll(printed.map(({ text }) => text));
  return printed.flatMap(({ source }, index) => {
    const result = formatted[index];
    if (result !== undefined && "text" in result) {
      return [{ file: generatedPath(source.file), text: result.text }];
    }
    fault(source, result?.error ?? "no answer");
    return [];
  });
}

async function bundleAll(
  options: CompileOptions,
  sources: readonly SourceModel[],
  places: Places,
  report: (diagnostic: Diagnostic) => void,
): Promise<BundleResult> {
  if (options.bundle === undefined) return { bundles: [] };
  // esbuild is loaded only by who needs it.
  const { bundle } = await import("./bundle.js");
  return bundle({
    sources,
    cwd: options.cwd,
    folder: path.resolve(options.cwd, options.bundle),
    external: options.external ?? [],
    locate: locate(places, options.cwd),
    report,
  });
}

function locate(places: Places, cwd: string): (span: Span) => Position {
  return (span) => {
    const file = path.relative(cwd, span.file).split(path.sep).join("/");
    return { file, ...places.start(span) };
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
