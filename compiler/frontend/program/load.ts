/**
 * Loads a TypeScript project: tsconfig, program, and which files can have a saga. It reads no class.
 * Files without a decorator are parsed only if a saga source imports them, which is what makes a
 * compile of a large project fast.
 */
import * as path from "node:path";
import getLibFiles from "../lib-files.cjs";
import * as say from "../../diagnostics/catalogue/project.js";
import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import { declaresDecorators } from "../classes/decorators.js";
import type { FrontendOptions, Loaded } from "../index.js";
import { slimDecorators } from "./slim-decorators.js";
import ts from "../typescript.cjs";

/** A project whose files are known; none but those with a decorator was looked at any closer. */
export interface FoundProject {
  readonly parts: readonly FoundPart[];
  /** The files of all parts that are asked for and have a decorator. */
  readonly candidates: readonly string[];
  /** What was asked for, in words: for the message that no saga is there. */
  readonly where: string;
}

export interface FoundPart {
  readonly parsed: ts.ParsedCommandLine;
  readonly candidates: readonly string[];
  /** Files that are named as generated modules are. */
  readonly generated: readonly string[];
  /** Files that matter to others without being imported. */
  readonly ambient: readonly string[];
  /** What was read on the way. */
  readonly texts: Map<string, string | undefined>;
  readonly read: Read;
}

/** The text of a file; `undefined`: there is none. */
type Read = (file: string) => string | undefined;

/** One tsconfig with its program. */
export interface ProjectPart {
  readonly program: ts.Program;
  /** Files that are asked for and have a decorator. */
  readonly candidates: readonly ts.SourceFile[];
}

export interface Project {
  readonly parts: readonly ProjectPart[];
  /** What was asked for, in words: for the message that no saga is there. */
  readonly where: string;
}

/** Some decorator, or a JSDoc tag; the parser tells them apart. */
const DECORATOR = /@[\w$(]/;
export const GENERATED = /\.saga\.[cm]?tsx?$/;
const SOURCE = /(?<!\.d)\.[cm]?tsx?$/;
const DECLARATION = /\.d\.([^.]+\.)?[cm]?ts$/;
/** What makes a file matter to others without being imported. */
const AMBIENT = /\bdeclare\s+(global|module)\b/;
const MODULE = /^\s*(import|export)\b/m;

/** "No inputs were found": which is fine for a solution that only has references. */
const NO_INPUTS = new Set([18002, 18003]);
/** "Unknown compiler option": one of a later TypeScript than the one inside the compiler. */
const UNKNOWN_OPTION = new Set([5023, 5025]);

export function findProject(options: FrontendOptions): Loaded {
  const missing = options.paths.filter((name) => {
    const full = path.resolve(options.cwd, name);
    return !ts.sys.fileExists(full) && !ts.sys.directoryExists(full);
  });
  if (missing.length > 0) {
    return failed(missing.map((name) => say.pathNotFound({ path: name })));
  }
  const config = findConfig(options);
  if (config === undefined) {
    const wanted = options.project ?? "tsconfig.json in this folder or above";
    return failed([say.projectNotFound({ wanted })]);
  }
  const diagnostics: Diagnostic[] = [];
  const configs = readConfigs(config, diagnostics, new Set());
  if (diagnostics.length > 0) return failed(diagnostics);
  const wanted = options.paths.map((name) => path.resolve(options.cwd, name));
  const taken = new Set<string>();
  const { read: edited } = options;
  const read: Read = (file) => edited?.(file) ?? ts.sys.readFile(file);
  const parts = configs.map((parsed) => findPart(parsed, wanted, taken, read));
  const candidates = parts.flatMap((part) => part.candidates);
  const where =
    options.paths.length > 0
      ? options.paths.join(", ")
      : `the project ${short(config, options.cwd)}`;
  return { program: { parts, candidates, where }, diagnostics };
}

/** Parses the files of a project; of those with a decorator, only those in `only`, if it is given. */
export function createProject(found: FoundProject, only?: ReadonlySet<string>): Project {
  const wanted = (file: string): boolean => only === undefined || only.has(file);
  const parts = found.parts.map((part) =>
    createPart({ ...part, candidates: part.candidates.filter(wanted) }),
  );
  return { parts, where: found.where };
}

/** A tsconfig as it was parsed before: what has not changed since is taken from it. */
export interface ParsedBefore {
  readonly program: ts.Program | undefined;
  /** By file name. */
  readonly sources: Map<string, ts.SourceFile>;
}

function failed(diagnostics: readonly Diagnostic[]): Loaded {
  return { program: undefined, diagnostics };
}

function short(file: string, cwd: string): string {
  return path.relative(cwd, file) || file;
}

function findConfig(options: FrontendOptions): string | undefined {
  if (options.project !== undefined) {
    const named = path.resolve(options.cwd, options.project);
    const file = ts.sys.directoryExists(named) ? path.join(named, "tsconfig.json") : named;
    return ts.sys.fileExists(file) ? file : undefined;
  }
  const above = (from: string): string | undefined =>
    ts.findConfigFile(from, ts.sys.fileExists, "tsconfig.json");
  const first = options.paths[0];
  return (
    above(options.cwd) ??
    (first === undefined ? undefined : above(path.dirname(path.resolve(options.cwd, first))))
  );
}

/** The config itself; or, if it has no files of its own, those it refers to. */
function readConfigs(
  file: string,
  diagnostics: Diagnostic[],
  seen: Set<string>,
): ts.ParsedCommandLine[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const errors: ts.Diagnostic[] = [];
  const parsed = ts.getParsedCommandLineOfConfigFile(
    file,
    // `composite` would ask for all files of the project, of which only some are loaded.
    { noEmit: true, skipLibCheck: true, composite: false, incremental: false },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (error) => void errors.push(error) },
  );
  const references = parsed?.projectReferences ?? [];
  const found = parsed === undefined ? [] : ts.getConfigFileParsingDiagnostics(parsed);
  const serious = [...errors, ...found].filter(
    (error) => !NO_INPUTS.has(error.code) && !UNKNOWN_OPTION.has(error.code),
  );
  if (parsed === undefined || serious.length > 0) {
    const texts = serious.map((error) => ts.flattenDiagnosticMessageText(error.messageText, " "));
    diagnostics.push(say.projectBroken({ file: path.basename(file), errors: texts }));
    return [];
  }
  if (parsed.fileNames.length === 0 && references.length > 0) {
    return references.flatMap((reference) =>
      readConfigs(ts.resolveProjectReferencePath(reference), diagnostics, seen),
    );
  }
  const name = path.basename(file);
  if (parsed.options.experimentalDecorators === true) {
    diagnostics.push(say.experimentalDecorators({ file: name }));
  }
  if (!(parsed.options.strictNullChecks ?? parsed.options.strict ?? true)) {
    diagnostics.push(say.notStrict({ file: name }));
  }
  return [parsed];
}

function findPart(
  parsed: ts.ParsedCommandLine,
  wanted: readonly string[],
  taken: Set<string>,
  read: Read,
): FoundPart {
  const texts = new Map<string, string | undefined>();
  const textOf = (file: string): string => {
    if (!texts.has(file)) texts.set(file, read(file));
    return texts.get(file) ?? "";
  };
  const within = (file: string): boolean =>
    wanted.length === 0 ||
    wanted.some((place) => file === place || file.startsWith(place + path.sep));
  const extra = wanted.filter((file) => SOURCE.test(file) && ts.sys.fileExists(file));
  const names = [...new Set([...parsed.fileNames.map((file) => path.resolve(file)), ...extra])];
  const isCandidate = (file: string): boolean =>
    SOURCE.test(file) &&
    !GENERATED.test(file) &&
    !taken.has(file) &&
    within(file) &&
    DECORATOR.test(textOf(file));
  const candidates = names.filter(isCandidate);
  for (const file of candidates) taken.add(file);
  const isAmbient = (file: string): boolean => {
    if (DECLARATION.test(file)) return true;
    const text = SOURCE.test(file) && !GENERATED.test(file) ? textOf(file) : "";
    return text !== "" && (AMBIENT.test(text) || !MODULE.test(text));
  };
  const generated = names.filter((file) => GENERATED.test(file) && within(file));
  return { parsed, candidates, generated, ambient: names.filter(isAmbient), texts, read };
}

/** Parses the files of one tsconfig; with `before`, only those that have changed since. */
export function createPart(
  { parsed, candidates, ambient, texts, read }: FoundPart,
  before?: ParsedBefore,
): ProjectPart {
  const host = createHost(parsed.options, texts, read);
  if (before !== undefined) takeFrom(before, host);
  // What editors do: another project of the repository is read from its sources, built or not.
  Object.assign(host, { useSourceOfProjectReferenceRedirect: () => true });
  const program = ts.createProgram({
    rootNames: [...new Set([...candidates, ...ambient])],
    options: parsed.options,
    host,
    ...(before?.program && { oldProgram: before.program }),
    ...(parsed.projectReferences ? { projectReferences: parsed.projectReferences } : {}),
  });
  const sources = candidates.map((file) => program.getSourceFile(file));
  return { program, candidates: sources.filter((source) => source !== undefined) };
}

function takeFrom({ sources }: ParsedBefore, host: ts.CompilerHost): void {
  host.getSourceFile = (file, options) => {
    const before = sources.get(file);
    if (before !== undefined && isInstalled(file)) return before;
    const text = host.readFile(file);
    if (text === before?.text) return before;
    if (text === undefined) return undefined;
    const source = ts.createSourceFile(file, text, options);
    sources.set(file, source);
    return source;
  };
}

/** Packages and TypeScript's libraries: they change with an installation only. */
export function isInstalled(file: string): boolean {
  return file.includes("/node_modules/") || declaresDecorators(file);
}

/** Where the host says that TypeScript's libraries are; ts-morph holds them as strings. */
const LIB_FOLDER = "/node_modules/typescript/lib";

function createHost(
  options: ts.CompilerOptions,
  texts: Map<string, string | undefined>,
  read: Read,
): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const libs = new Map(getLibFiles().map((lib) => [`${LIB_FOLDER}/${lib.fileName}`, lib.text]));
  host.getDefaultLibLocation = () => LIB_FOLDER;
  host.getDefaultLibFileName = () => `${LIB_FOLDER}/${ts.getDefaultLibFileName(options)}`;
  // As `tsc` does: comments are parsed only where they can hold an error.
  host.jsDocParsingMode = ts.JSDocParsingMode.ParseForTypeErrors;
  const { fileExists } = host;
  host.fileExists = (file) => libs.has(file) || fileExists(file);
  host.readFile = (file) => {
    const known = libs.get(file) ?? texts.get(file);
    // Each file is parsed once: its text need not be kept beside its source file.
    texts.delete(file);
    const text = known ?? read(file);
    return text !== undefined && declaresDecorators(file) ? slimDecorators(file, text) : text;
  };
  return host;
}
