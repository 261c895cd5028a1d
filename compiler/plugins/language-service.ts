/**
 * The plugin of TypeScript's language service: shows our diagnostics in the editor as one types. The
 * editor's TypeScript may be another than ours, so this reads the project by itself, with the texts
 * that the editor has. `language-service.cts` is what the editor loads.
 */
import * as path from "node:path";
import { analyseLowered } from "../build.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { load, Rereader, type Program } from "../frontend/index.js";

/** What this uses of the editor's `typescript`: it may be any version that loads plugins. */
export interface EditorTypeScript {
  forEachChild(node: EditorNode, visit: (child: EditorNode) => void): void;
  isClassElement(node: EditorNode): boolean;
}

interface EditorNode {
  readonly pos: number;
  readonly end: number;
}

interface EditorDiagnostic {
  readonly file: unknown;
  readonly start: number | undefined;
  readonly length: number | undefined;
  readonly messageText: unknown;
  readonly category: number;
  readonly code: number;
  readonly source?: string;
  readonly relatedInformation?: readonly unknown[];
}

export interface EditorService {
  getSemanticDiagnostics(file: string): EditorDiagnostic[];
  getProgram(): { getSourceFile(file: string): EditorNode | undefined } | undefined;
}

export interface EditorPlugin {
  readonly languageService: EditorService;
  readonly languageServiceHost: {
    getScriptSnapshot(
      file: string,
    ): { getText(start: number, end: number): string; getLength(): number } | undefined;
  };
  readonly project: {
    getProjectName(): string;
    getCurrentDirectory(): string;
    readonly projectService: { readonly logger: { info(text: string): void } };
  };
}

/** As TypeScript numbers them. */
const CATEGORY = { warning: 0, error: 1, hint: 2 } as const;

/** "Unable to resolve signature of … decorator": ours say the same in better words. */
const OF_DECORATORS = new Set([1238, 1239, 1240, 1241, 1270]);

/** The files of a project are listed again after this long, to find new ones. */
const LIST_AGAIN_MS = 3000;

/** The language service with our diagnostics among its own. */
export function decorate(typescript: EditorTypeScript, info: EditorPlugin): EditorService {
  const { languageService: service, project } = info;
  const checker = new ProjectChecker(info);
  const decorated: EditorService = Object.create(service) as EditorService;
  decorated.getSemanticDiagnostics = (file) => {
    const theirs = service.getSemanticDiagnostics(file);
    try {
      const found = checker.diagnosticsOf(file);
      const ours = found.map((each) => translate(each, file, service));
      const source = service.getProgram()?.getSourceFile(file);
      const others = theirs.filter(
        (each) => source === undefined || !isSaidBetter(typescript, source, each, found),
      );
      return [...others, ...ours];
    } catch (error) {
      // An editor goes on without us; its log says why.
      project.projectService.logger.info(`steno: ${String(error)}`);
      return theirs;
    }
  };
  return decorated;
}

class ProjectChecker {
  readonly #info: EditorPlugin;
  readonly #rereader = new Rereader();
  /** Of the files that were asked for and have not changed since. */
  readonly #known = new Map<string, readonly Diagnostic[]>();
  #program: Program | undefined;
  #listedAt = -Infinity;

  constructor(info: EditorPlugin) {
    this.#info = info;
  }

  diagnosticsOf(file: string): readonly Diagnostic[] {
    if (!/@[\w$(]/.test(this.#edited(file) ?? "")) return [];
    const program = this.#list();
    if (program === undefined || !program.candidates.includes(file)) return [];
    const { touched, lower } = this.#rereader.read(program, []);
    for (const each of touched) this.#known.delete(each);
    const known = this.#known.get(file);
    if (known !== undefined) return known;
    // Of this file alone: the others are asked for when they are looked at.
    const { diagnostics } = analyseLowered(lower(new Set([file])));
    const own = diagnostics.filter(
      ({ code, span }) => span?.file === file && code !== "typescript",
    );
    this.#known.set(file, own);
    return own;
  }

  #list(): Program | undefined {
    if (performance.now() - this.#listedAt < LIST_AGAIN_MS) return this.#program;
    const { project } = this.#info;
    const name = project.getProjectName();
    // A project without a configuration has a made-up name: then the nearest one is looked for.
    const config = path.isAbsolute(name) && name.endsWith(".json") ? name : undefined;
    const read = (file: string): string | undefined => this.#edited(file);
    const cwd = project.getCurrentDirectory();
    this.#program = load({ cwd, paths: [], project: config, read }).program;
    this.#listedAt = performance.now();
    return this.#program;
  }

  #edited(file: string): string | undefined {
    const snapshot = this.#info.languageServiceHost.getScriptSnapshot(file);
    return snapshot?.getText(0, snapshot.getLength());
  }
}

function translate(diagnostic: Diagnostic, file: string, service: EditorService): EditorDiagnostic {
  const { code, severity, message, span, label, others, notes, help } = diagnostic;
  const program = service.getProgram();
  const remarks = [label, ...notes, help === undefined ? undefined : `help: ${help}`];
  const lines = [`${code}: ${message}`, ...remarks.filter((each) => each !== undefined)];
  const category = CATEGORY[severity];
  return {
    file: program?.getSourceFile(file),
    start: span?.start ?? 0,
    length: span === undefined ? 0 : span.end - span.start,
    messageText: lines.join("\n"),
    category,
    code: 0,
    source: "steno",
    relatedInformation: others.flatMap(({ span: place, text }) => {
      const source = program?.getSourceFile(place.file);
      const { start, end } = place;
      return source === undefined
        ? []
        : [{ file: source, start, length: end - start, messageText: text, category, code: 0 }];
    }),
  };
}

/** Whether one of ours is about the same decorated member. */
function isSaidBetter(
  typescript: EditorTypeScript,
  source: EditorNode,
  { code, start = 0 }: EditorDiagnostic,
  ours: readonly Diagnostic[],
): boolean {
  if (!OF_DECORATORS.has(code)) return false;
  let member: EditorNode | undefined;
  const visit = (node: EditorNode): void => {
    if (start < node.pos || start >= node.end) return;
    if (typescript.isClassElement(node)) member = node;
    typescript.forEachChild(node, visit);
  };
  visit(source);
  const { pos = 0, end = 0 } = member ?? {};
  return ours.some(({ span }) => span !== undefined && span.start >= pos && span.end <= end);
}
