/** The pipeline: load, build (lower, analyse, emit), then write or check, then bundle. It prints nothing. */
import * as path from "node:path";
import type { Manifest, Position } from "steno-runtime/manifest";
import { analyseProject, build, nothing, type Analysed } from "./build.js";
import type { BundleResult } from "./bundle.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import type { Places } from "./diagnostics/places.js";
import { exitCode, inOrder } from "./diagnostics/report.js";
import { jsonSchemaOf, type JsonSchema } from "./emit/json-schema.js";
import { manifestOf } from "./emit/manifest.js";
import { applyFixes, type Fixed } from "./fix.js";
import { load, type FrontendOptions } from "./frontend/index.js";
import { noSaga } from "./diagnostics/catalogue/project.js";
import type { IncrementalBuild } from "./incremental.js";
import type { SourceModel, Span } from "./model.js";
import { buildInShares } from "./shares.js";
import { Threads } from "./threads.js";
import {
  checkLeftOver,
  checkModule,
  checkSourceNames,
  writeModule,
  type Written,
} from "./write.js";

export { analyseProject, type Analysed } from "./build.js";
export { IncrementalBuild } from "./incremental.js";

export interface CompileOptions extends FrontendOptions {
  /** Writes nothing; what is out of date is an error. */
  readonly check?: boolean | undefined;
  /** The folder for bundles. */
  readonly bundle?: string | undefined;
  /** Packages that bundles leave out. */
  readonly external?: readonly string[] | undefined;
}

export interface Compiled extends Analysed {
  readonly modules: readonly Written[];
  readonly bundles: readonly Written[];
  /** Sources without a bundle of their own: other sagas embed theirs. */
  readonly skipped: readonly string[];
}

/**
 * Compiles a project: generated modules beside their sources, and bundles if asked for. Whoever
 * compiles the same project again hands in the same `incremental`; who guesses at once that there is
 * much to build, `threads` that have been started.
 */
export async function compile(
  options: CompileOptions,
  incremental?: IncrementalBuild,
  threads = new Threads(),
): Promise<Compiled> {
  const { program, diagnostics: setUp } = load(options);
  const built =
    program === undefined
      ? nothing(setUp)
      : ((await incremental?.build(program)) ??
        (await buildInShares(options, program, threads)) ??
        (await build(program)));
  threads.close();
  const { sources, places, outputs } = built;
  const found: Diagnostic[] = [];
  const report = (diagnostic: Diagnostic): void => void found.push(diagnostic);
  for (const part of program?.parts ?? []) checkSourceNames(part, options.cwd, report);
  // Where all sagas are in such files, that is why none was found.
  const isSaid = found.length > 0;
  found.push(...built.diagnostics.filter(({ code }) => !isSaid || code !== noSaga.code));
  if (options.check === true) {
    for (const output of outputs) checkModule(output, options.cwd, report);
    for (const part of program?.parts ?? []) checkLeftOver(part, options.cwd, report);
    return { diagnostics: inOrder(found), sources, places, modules: [], bundles: [], skipped: [] };
  }
  const modules = outputs.map((output) => writeModule(output, options.cwd, report));
  const usable = exitCode({ diagnostics: found }) === 0;
  const { bundles, skipped } = usable
    ? await bundleAll(options, sources, places, report)
    : { bundles: [], skipped: [] };
  return { diagnostics: inOrder(found), sources, places, modules, bundles, skipped };
}

/** No edit makes room for another this often; it is a loop that must end. */
const MOST_ROUNDS = 10;

/** Mends in the sources what is certain. Writes nothing else. */
export function fix(options: FrontendOptions): Fixed {
  const files = new Set<string>();
  let count = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const fixed = applyFixes(analyseProject(options).diagnostics);
    if (fixed.count === 0) break;
    count += fixed.count;
    for (const file of fixed.files) files.add(file);
  }
  return { count, files: [...files] };
}

/** The manifests of all sagas, with positions relative to the folder. */
export function manifests({ sources, places }: Analysed, cwd: string): Manifest[] {
  return sources.flatMap(({ sagas }) => sagas.map((saga) => manifestOf(saga, locate(places, cwd))));
}

/** A manifest, and what values outside of TypeScript look like. */
export interface Described extends Manifest {
  /** JSON Schemas of what is stored; `--params` takes the same. A saga without params has none. */
  readonly schemas: { readonly params?: JsonSchema; readonly result: JsonSchema };
}

/** As `manifests`, each with the JSON Schemas of its params and result. */
export function described({ sources, places }: Analysed, cwd: string): Described[] {
  return sources.flatMap(({ sagas }) =>
    sagas.map((saga) => ({
      ...manifestOf(saga, locate(places, cwd)),
      schemas: {
        ...(saga.hasParams && { params: jsonSchemaOf(saga.params) }),
        result: jsonSchemaOf(saga.result),
      },
    })),
  );
}

async function bundleAll(
  options: CompileOptions,
  sources: readonly SourceModel[],
  places: Places,
  report: (diagnostic: Diagnostic) => void,
): Promise<BundleResult> {
  if (options.bundle === undefined) return { bundles: [], skipped: [] };
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
