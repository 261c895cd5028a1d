/**
 * Bundles each saga source with esbuild into one ESM file for `steno run`. The bundle holds the
 * definitions with source positions, and as its default export the bound sagas.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { build, type BuildFailure, type Message, type Plugin } from "esbuild";
import * as say from "./diagnostics/catalogue/output.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import type { Locate } from "./emit/manifest.js";
import { generatedPath, printModule } from "./emit/module.js";
import { entryOf, needsObjects } from "./bundle-entry.js";
import type { GraphModel, SourceModel } from "./model.js";
import { writeOutput, type Written } from "./write.js";

export interface BundleOptions {
  readonly sources: readonly SourceModel[];
  readonly cwd: string;
  /** Absolute. */
  readonly folder: string;
  readonly external: readonly string[];
  readonly locate: Locate;
  readonly report: (diagnostic: Diagnostic) => void;
}

export interface BundleResult {
  readonly bundles: readonly Written[];
  /** Sources that need no bundle of their own, since other sagas embed theirs. */
  readonly skipped: readonly string[];
}

/** The format of bundles: a runtime refuses one of another number. */
const FORMAT = 1;
/** The oldest Node that runs bundles; it has no decorators, so that esbuild lowers them. */
const TARGET = "node20";

export async function bundle(options: BundleOptions): Promise<BundleResult> {
  const generated = new Map(
    options.sources.map((source) => [
      generatedPath(source.file),
      printModule(source, options.locate),
    ]),
  );
  const bundles: Written[] = [];
  const skipped: string[] = [];
  for (const [source, name] of bundleNames(options.sources)) {
    if (needsObjects(source) && isEmbedded(source, options.sources)) {
      skipped.push(source.file);
      continue;
    }
    const entry = entryOf(source, options.cwd, options.report);
    if (entry === undefined) continue;
    bundles.push(...(await bundleSource(source, name, entry, generated, options)));
  }
  return { bundles, skipped };
}

/** Whether sagas of other sources embed every saga of this one. */
function isEmbedded(source: SourceModel, all: readonly SourceModel[]): boolean {
  const embedded = new Set(
    all.filter((other) => other !== source).flatMap((other) => other.sagas.flatMap(subsagas)),
  );
  return source.sagas.every(({ name }) => embedded.has(name));
}

/** The names of all sagas that are inside of one. */
function subsagas({ nodes }: GraphModel): string[] {
  return nodes.flatMap((node) => {
    if (node.kind === "subsaga") return [node.saga.name, ...subsagas(node.saga)];
    if (node.kind === "scope") return [...subsagas(node.graph), ...subsagas(node.handler)];
    return node.kind === "map" || node.kind === "loop" ? subsagas(node.graph) : [];
  });
}

/** Sources of one base name get the folders that tell them apart. */
function bundleNames(sources: readonly SourceModel[]): Map<SourceModel, string> {
  const bare = (file: string): string => file.replace(/\.[cm]?tsx?$/, "");
  const named = new Map<string, SourceModel[]>();
  for (const source of sources) {
    const name = path.basename(bare(source.file));
    named.set(name, [...(named.get(name) ?? []), source]);
  }
  const names = new Map<SourceModel, string>();
  for (const [name, group] of named) {
    const root = commonFolder(group.map(({ file }) => file));
    for (const source of group) {
      names.set(source, group.length === 1 ? name : path.relative(root, bare(source.file)));
    }
  }
  return names;
}

function commonFolder(files: readonly string[]): string {
  const [first = "", ...rest] = files.map(path.dirname);
  let folder = first;
  while (!rest.every((other) => `${other}${path.sep}`.startsWith(`${folder}${path.sep}`))) {
    folder = path.dirname(folder);
  }
  return folder;
}

async function bundleSource(
  source: SourceModel,
  name: string,
  entry: string,
  generated: ReadonlyMap<string, string>,
  options: BundleOptions,
): Promise<Written[]> {
  const outfile = path.join(options.folder, `${name}.js`);
  const natives: string[] = [];
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: entry,
        resolveDir: path.dirname(source.file),
        sourcefile: `${path.basename(name)}.bundle.ts`,
        loader: "ts",
      },
      absWorkingDir: options.cwd,
      outfile,
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: TARGET,
      sourcemap: "linked",
      external: ["steno-runtime", "steno-runtime/*", ...options.external],
      banner: { js: banner() },
      logLevel: "silent",
      plugins: [withPositions(generated), withoutNatives(natives)],
    });
    return outputFiles.map(({ path: file, text }) =>
      writeOutput({ file, text }, options.cwd, options.report),
    );
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    for (const file of new Set(natives)) options.report(nativeDiagnostic(file, options.cwd));
    const others = error.errors.filter((message) => message.detail !== NATIVE);
    for (const message of others) options.report(failure(message, options.cwd));
    return [];
  }
}

/** Marks esbuild's messages that `nativeDiagnostic` says better. */
const NATIVE = "native";

/** Generated modules are bundled as they are with positions, which the files do not have. */
function withPositions(generated: ReadonlyMap<string, string>): Plugin {
  return {
    name: "steno-positions",
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.saga\.[cm]?ts$/ }, ({ path: file }) => {
        const contents = generated.get(file);
        return contents === undefined ? undefined : { contents, loader: "ts" };
      });
    },
  };
}

function withoutNatives(found: string[]): Plugin {
  return {
    name: "steno-natives",
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.node$/ }, ({ path: file }) => {
        found.push(file);
        return { errors: [{ text: `${file} is native`, detail: NATIVE }] };
      });
    },
  };
}

function nativeDiagnostic(file: string, cwd: string): Diagnostic {
  const shown = path.relative(cwd, file).split(path.sep).join("/");
  const inside = file.split(`${path.sep}node_modules${path.sep}`).at(-1) ?? file;
  const [scope = "", name = ""] = inside.split(path.sep);
  const owner = scope.startsWith("@") ? `${scope}/${name}` : scope;
  return say.nativeModule({ file: shown, name: inside === file ? `"*.node"` : owner });
}

function failure({ text, location, notes }: Message, cwd: string): Diagnostic {
  return say.bundleFailed({
    at: location ? spanOf(location, cwd) : undefined,
    text,
    // Our own advice is about external packages, too.
    notes: notes.map((note) => note.text).filter((note) => !note.includes("as external")),
  });
}

function spanOf(
  location: NonNullable<Message["location"]>,
  cwd: string,
): Diagnostic["span"] | undefined {
  const file = path.resolve(cwd, location.file);
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, "utf8").split("\n");
  const before = lines.slice(0, location.line - 1).join("\n").length;
  // esbuild counts columns in bytes.
  const line = Buffer.from(lines[location.line - 1] ?? "");
  const lead = line.subarray(0, location.column).toString().length;
  const marked = line.subarray(location.column, location.column + location.length).toString();
  const start = before + (location.line > 1 ? 1 : 0) + lead;
  return { file, start, end: start + marked.length };
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error;
}

/**
 * The first line says what the file is. The rest gives CommonJS dependencies the `require` that
 * they need for Node's own modules; esbuild keeps the name free.
 */
function banner(): string {
  const manifest = createRequire(import.meta.url)("steno-runtime/package.json") as {
    readonly version: string;
  };
  const facts = JSON.stringify({ format: FORMAT, runtime: manifest.version });
  return [
    `/* steno-bundle ${facts} */`,
    'import { createRequire as __stenoCreateRequire } from "node:module";',
    "const require = __stenoCreateRequire(import.meta.url);",
  ].join("\n");
}
