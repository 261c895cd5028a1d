/**
 * Reads a project again after files have changed: parses those only, and tells which candidates they
 * can matter to. What became of these before is kept by `incremental.ts`, not here.
 */
import type { Lowered } from "../index.js";
import {
  createPart,
  GENERATED,
  isInstalled,
  type FoundPart,
  type FoundProject,
  type ParsedBefore,
  type ProjectPart,
} from "./load.js";
import { lowerProject } from "../lower-project.js";
import ts from "../typescript.cjs";

/** A project that was read again. */
export interface Reread {
  /** The candidates whose meaning can be another than at the last time. */
  readonly touched: ReadonlySet<string>;
  /** Lowers those, or others of the candidates. */
  lower(only?: ReadonlySet<string>): Lowered;
}

export class Rereader {
  /** What the last project was: a change of its files or options makes all of it new. */
  #shape = "";
  #parts: ParsedBefore[] = [];
  /** What each file imports, as far as that can change. */
  readonly #imports = new WeakMap<ts.SourceFile, readonly string[]>();

  /** `suspects`: files of which something was wrong, so that whatever imports them is looked at again. */
  read(found: FoundProject, suspects: Iterable<string>): Reread {
    const shape = JSON.stringify(found.parts.map(shapeOf));
    const isNew = shape !== this.#shape;
    if (isNew) this.#parts = found.parts.map(() => ({ program: undefined, sources: new Map() }));
    this.#shape = shape;
    const touched = new Set<string>();
    const parts = found.parts.map((part, index) => {
      const before = this.#parts[index] as ParsedBefore;
      const read = createPart(part, before);
      this.#parts[index] = { program: read.program, sources: before.sources };
      const changed = changedFiles(read.program, before.program);
      const all = isNew || part.ambient.some((file) => changed.has(file));
      const reached = this.#importers(read, new Set([...changed, ...suspects]));
      for (const file of part.candidates) if (all || reached.has(file)) touched.add(file);
      return read;
    });
    return {
      touched,
      lower: (only = touched) => lowerProject({ parts: limit(parts, only), where: found.where }),
    };
  }

  /** The files themselves, and those that import one of them, directly or not. */
  #importers({ program }: ProjectPart, files: ReadonlySet<string>): Set<string> {
    const importers = new Map<string, string[]>();
    for (const source of program.getSourceFiles()) {
      if (isInstalled(source.fileName)) continue;
      for (const file of this.#importsOf(program, source)) {
        const known = importers.get(file);
        if (known === undefined) importers.set(file, [source.fileName]);
        else known.push(source.fileName);
      }
    }
    const reached = new Set(files);
    // The set grows while it is walked.
    for (const file of reached) for (const each of importers.get(file) ?? []) reached.add(each);
    return reached;
  }

  #importsOf(program: ts.Program, source: ts.SourceFile): readonly string[] {
    const known = this.#imports.get(source);
    if (known !== undefined) return known;
    const checker = program.getTypeChecker();
    const found = specifiersOf(source).flatMap(
      (each) => checker.getSymbolAtLocation(each)?.declarations ?? [],
    );
    const files = found.map((each) => each.getSourceFile().fileName);
    const imported = files.filter((file) => !isInstalled(file));
    this.#imports.set(source, imported);
    return imported;
  }
}

function shapeOf({ parsed, candidates, ambient }: FoundPart): unknown {
  // What the compiler itself writes beside the sources is no change of the project.
  const names = parsed.fileNames.filter((file) => !GENERATED.test(file));
  return [parsed.options, names, candidates, ambient];
}

function limit(parts: readonly ProjectPart[], touched: ReadonlySet<string>): ProjectPart[] {
  return parts.map(({ program, candidates }) => ({
    program,
    candidates: candidates.filter(({ fileName }) => touched.has(fileName)),
  }));
}

function changedFiles(program: ts.Program, before: ts.Program | undefined): Set<string> {
  const changed = program
    .getSourceFiles()
    .filter((source) => before?.getSourceFile(source.fileName) !== source);
  return new Set(changed.map(({ fileName }) => fileName));
}

/** All module specifiers of a file, those of `import("…")` types too. */
function specifiersOf(source: ts.SourceFile): ts.StringLiteralLike[] {
  const found: ts.StringLiteralLike[] = [];
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteralLike(node.moduleSpecifier)
    ) {
      found.push(node.moduleSpecifier);
    } else if (ts.isExternalModuleReference(node) && ts.isStringLiteralLike(node.expression)) {
      found.push(node.expression);
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteralLike(node.argument.literal)
    ) {
      found.push(node.argument.literal);
    } else if (
      ts.isCallExpression(node) &&
      node.expression.kind === ts.SyntaxKind.ImportKeyword &&
      node.arguments[0] !== undefined &&
      ts.isStringLiteralLike(node.arguments[0])
    ) {
      found.push(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
