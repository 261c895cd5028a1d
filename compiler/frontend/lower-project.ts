/** Reads all sagas of a loaded project. How one class is read is in `read-class.ts`. */
import * as path from "node:path";
import * as sayClass from "../diagnostics/catalogue/class.js";
import * as say from "../diagnostics/catalogue/project.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { ClassModel, SagaModel, SourceModel } from "../model.js";
import { isAbstract, isConstructible } from "./classes/class-shape.js";
import { spanOf, type Context, type Marker } from "./context.js";
import { Deriver } from "./types/derive.js";
import type { Lowered } from "./index.js";
import type { Project, ProjectPart } from "./program/load.js";
import { SagaReader } from "./methods/lower-method.js";
import { ClassReader, type ClassInfo } from "./classes/read-class.js";
import ts from "./typescript.cjs";
import { typescriptErrors } from "./program/typescript-errors.js";

export function lowerProject(project: Project): Lowered {
  const state: State = {
    diagnostics: [],
    seen: new Set(),
    sources: [],
    files: new Set(),
    found: 0,
  };
  const markers: Context["markers"] = new Map();
  for (const part of project.parts) lowerPart(state, part, markers);
  checkNames(state);
  if (state.found === 0) state.diagnostics.push(say.noSaga({ where: project.where }));
  const bad = new Set(
    state.diagnostics.filter((each) => each.severity === "error").map((each) => each.span?.file),
  );
  // A source is sound only if the sagas that it embeds are, too; those of unsound ones have no model.
  const sources = state.sources.filter(({ model, sound }) => sound && !bad.has(model.file));
  const good = new Set(sources.map(({ model }) => model.file));
  return {
    sources: sources.map(({ model }) => model),
    broken: [...state.files].filter((file) => !good.has(file)),
    diagnostics: state.diagnostics,
    text: (file) => {
      for (const { program } of project.parts) {
        const source = program.getSourceFile(file);
        if (source !== undefined) return source.text;
      }
      return ts.sys.readFile(file);
    },
  };
}

interface State {
  readonly diagnostics: Diagnostic[];
  /** Diagnostics that were reported: an inherited method is read for each class that has it. */
  readonly seen: Set<string>;
  readonly sources: { readonly model: SourceModel; readonly sound: boolean }[];
  /** Files that declare a saga, or tried to. */
  readonly files: Set<string>;
  found: number;
}

function lowerPart(state: State, part: ProjectPart, markers: Context["markers"]): void {
  const report = (diagnostic: Diagnostic): void => {
    const { code, message, span } = diagnostic;
    const key = JSON.stringify([code, message, span]);
    if (!state.seen.has(key)) state.diagnostics.push(diagnostic);
    state.seen.add(key);
  };
  const { program } = part;
  const checker = program.getTypeChecker();
  const types = new Deriver(program, checker);
  const refusedErrors = new Set<string>();
  const context: Context = { program, checker, types, report, refusedErrors, markers };
  const classes = new ClassReader(context);
  const sagas = new SagaReader(context, classes);
  for (const source of part.candidates) lowerSource(state, context, classes, sagas, source);
}

function lowerSource(
  state: State,
  context: Context,
  classes: ClassReader,
  sagas: SagaReader,
  source: ts.SourceFile,
): void {
  const before = state.diagnostics.length;
  const declared = classesIn(source).filter((each) => classes.isMarked(each));
  if (declared.length === 0) {
    reportUnreadable(state, context, source, before);
    return;
  }
  const infos: ClassInfo[] = [];
  for (const each of declared) {
    if (ts.isClassDeclaration(each)) {
      const info = classes.read(each);
      if (info !== undefined) infos.push(info);
    } else {
      reportExpression(context, each);
    }
  }
  const members = infos.flatMap((info) => [...info.marked.values()]);
  const tried = members.some((marker: Marker) => marker === "saga");
  const failed = state.diagnostics.length > before;
  if (!tried && !failed) {
    reportUnreadable(state, context, source, before);
    return;
  }
  if (tried) state.found += infos.some((info) => !isAbstract(info.declaration)) ? 1 : 0;
  else if (failed) state.found += 1;
  state.files.add(source.fileName);
  const models: SagaModel[] = [];
  let sound = infos.length > 0;
  const concrete = infos.filter((info) => !isAbstract(info.declaration));
  for (const info of concrete) {
    for (const name of info.sagas.keys()) {
      const model = sagas.read(info, name, info.declaration);
      if (model === undefined) sound = false;
      else models.push(model);
    }
  }
  typescriptErrors(context, source, state.diagnostics, before);
  if (models.length === 0) return;
  const model: SourceModel = {
    file: source.fileName,
    specifier: specifierOf(context, source.fileName),
    sagas: models,
    classes: concrete.map((info) => classModel(context, info)),
  };
  state.sources.push({ model, sound });
}

/**
 * A file that cannot be parsed may have had a saga where none is found: passing it over would leave
 * what was generated for it as it was, without a word.
 */
function reportUnreadable(
  state: State,
  context: Context,
  source: ts.SourceFile,
  first: number,
): void {
  const concerned = source.statements.some(
    (each) =>
      ts.isImportDeclaration(each) &&
      ts.isStringLiteral(each.moduleSpecifier) &&
      each.moduleSpecifier.text === "steno-runtime",
  );
  if (!concerned || context.program.getSyntacticDiagnostics(source).length === 0) return;
  state.found += 1;
  state.files.add(source.fileName);
  typescriptErrors(context, source, state.diagnostics, first);
}

function classModel(context: Context, info: ClassInfo): ClassModel {
  return {
    name: info.name,
    span: spanOf(info.declaration.name ?? info.declaration),
    exportedAs: info.exportedAs,
    constructible: isConstructible(context, info.declaration),
  };
}

/** All classes of a file, wherever they stand. */
function classesIn(source: ts.SourceFile): ts.ClassLikeDeclaration[] {
  const found: ts.ClassLikeDeclaration[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isClassLike(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function reportExpression(context: Context, node: ts.ClassLikeDeclaration): void {
  const fault = "is an expression";
  const help = "declare it at the top level of its module: `export class Rooms { … }`";
  const name = node.name?.text ?? "without a name";
  const at = spanOf(node.getFirstToken() ?? node);
  context.report(sayClass.classShape({ at, name, fault, help }));
}

/** How the module beside a source imports it. */
function specifierOf({ program }: Context, file: string): string {
  const name = path.basename(file);
  if (program.getCompilerOptions().allowImportingTsExtensions === true) return `./${name}`;
  return `./${name.replace(/\.([cm]?)tsx?$/, ".$1js")}`;
}

// --- names

const RESERVED =
  /^(arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|undefined|var|void|while|with|yield)$/;

/** Two sagas of a file cannot share a name: neither as exports, nor for the runs that are stored. */
function checkNames(state: State): void {
  for (const { model } of state.sources) {
    const exports = new Map<string, SagaModel>();
    for (const saga of model.sagas) {
      const { exportName: name, span: at } = saga;
      const other = exports.get(name);
      exports.set(name, saga);
      if (other?.name === saga.name) {
        const label = { span: other.span, text: "the first one" };
        state.diagnostics.push(sayClass.sagaNameTwice({ at, name: saga.name, other: label }));
        continue;
      }
      const why = !/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
        ? "it is no identifier"
        : RESERVED.test(name)
          ? "it is a reserved word"
          : other !== undefined
            ? "another saga of this file has that name"
            : undefined;
      if (why !== undefined) state.diagnostics.push(sayClass.exportName({ at, name, why }));
    }
  }
}
