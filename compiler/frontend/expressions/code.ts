/**
 * Takes the user's text of an expression apart: comments go, names become references. It does not
 * judge whether the expression is allowed; that is `refusals.ts` and `glue.ts`.
 */
import * as say from "../../diagnostics/catalogue/glue.js";
import { setInTry } from "../../diagnostics/catalogue/variables.js";
import type { Edit } from "../../diagnostics/diagnostic.js";
import type { CodePart, External, Member, VariableId } from "../../model.js";
import { homeOf, resolve, shown, spanOf } from "../context.js";
import { isWithin, type Holes, type Method } from "../methods/method.js";
import ts from "../typescript.cjs";
import { widenedParts } from "./widening.js";

/**
 * The parts of an expression (or type, or pattern); undefined: something in it was reported. `types`:
 * what is written behind references to give them types, `!` or ` as T`.
 */
export function codeOf(
  method: Method,
  root: ts.Node,
  holes: Holes,
  types: ReadonlyMap<ts.Node, string> = new Map(),
): CodePart[] | undefined {
  const writer = new Writer(method, root, holes, types);
  writer.write(root);
  return writer.sound ? writer.parts : undefined;
}

class Writer {
  readonly parts: CodePart[] = [];
  sound = true;
  private readonly source: ts.SourceFile;
  private last: number | undefined;

  constructor(
    private readonly method: Method,
    private readonly root: ts.Node,
    private readonly holes: Holes,
    private readonly types: ReadonlyMap<ts.Node, string>,
  ) {
    this.source = root.getSourceFile();
  }

  write(node: ts.Node): void {
    const type = this.types.get(node);
    if (type === undefined) return this.writePlain(node);
    const key = ts.isShorthandPropertyAssignment(node.parent) ? `${node.getText()}: ` : "";
    this.push(node, `${key}(`);
    this.last = node.getStart(this.source);
    this.writePlain(node);
    this.add(`${type})`);
  }

  private writePlain(node: ts.Node): void {
    const hole = this.holes.get(node);
    if (hole !== undefined) {
      const wide = widenedParts(this.method, node as ts.Expression, hole.parts);
      const parts = hole.atom ? hole.parts : ["(", ...hole.parts, ")"];
      return this.push(node, ...(wide ?? parts));
    }
    const member = selfMember(this.method, node);
    if (member !== undefined) return this.push(node, { self: member });
    if (ts.isIdentifier(node)) return this.push(node, ...this.widened(node, this.identifier(node)));
    const children = node.getChildren(this.source).filter((child) => !ts.isJSDoc(child));
    if (children.length === 0) {
      if (node.getWidth(this.source) > 0) this.push(node, node.getText(this.source));
      return;
    }
    for (const child of children) this.write(child);
  }

  /** Adds parts, and before them a space or a line break if there was something of the kind. */
  private push(node: ts.Node, ...parts: readonly CodePart[]): void {
    const start = node.getStart(this.source);
    const gap = this.last === undefined ? "" : this.source.text.slice(this.last, start);
    if (gap !== "") this.add(gap.includes("\n") ? "\n" : " ");
    for (const part of parts) this.add(part);
    this.last = node.end;
  }

  private add(part: CodePart): void {
    const before = this.parts.at(-1);
    if (typeof part === "string" && typeof before === "string") {
      this.parts[this.parts.length - 1] = before + part;
    } else {
      this.parts.push(part);
    }
  }

  private widened(node: ts.Identifier, part: CodePart): readonly CodePart[] {
    const wide = widenedParts(this.method, node, [part]);
    if (wide === undefined) return [part];
    const isNamed = !ts.isShorthandPropertyAssignment(node.parent) || this.types.has(node);
    return isNamed ? wide : [`${node.text}: `, ...wide];
  }

  private identifier(node: ts.Identifier): CodePart {
    if (!isReference(node)) return node.text;
    const inLiteral = ts.isShorthandPropertyAssignment(node.parent);
    const shorthand = inLiteral && !this.types.has(node);
    const { checker } = this.method;
    const symbol = inLiteral
      ? checker.getShorthandAssignmentValueSymbol(node.parent)
      : checker.getSymbolAtLocation(node);
    const declared = symbol?.declarations?.[0];
    if (symbol === undefined || declared === undefined) return node.text;
    if (isWithin(declared, this.root)) return node.text;
    if (isWithin(declared, this.method.declaration)) return this.local(node, symbol, shorthand);
    return this.outer(node, symbol, declared, shorthand);
  }

  private local(node: ts.Identifier, symbol: ts.Symbol, shorthand: boolean): CodePart {
    const binding = this.method.binding(symbol);
    if (binding?.kind === "variable" && !this.isSetMeanwhile(node, symbol)) {
      return { variable: binding.id, shorthand };
    }
    const unset = binding === undefined ? this.unset(node, symbol) : undefined;
    if (unset !== undefined) return { variable: unset, shorthand };
    this.sound = false;
    const at = spanOf(node);
    const unsure = binding === undefined ? this.method.unsure.get(symbol) : undefined;
    if (unsure !== undefined) {
      if (!unsure.told) {
        this.method.context.report(setInTry({ at: unsure.at, name: node.text, read: at }));
      }
      unsure.told = true;
    } else if (binding === undefined || binding.kind === "variable") {
      this.method.context.report(say.notReady({ at, name: node.text }));
    } else if (binding.kind !== "broken") {
      this.method.context.report(say.promiseAsValue({ at, what: `\`${node.text}\`` }));
    }
    return node.text;
  }

  /** Of a variable that is set later and not set on this path: one that is `undefined`, and of its type. */
  private unset(node: ts.Identifier, symbol: ts.Symbol): VariableId | undefined {
    const { method } = this;
    if (!method.letTypes.has(symbol) || method.unsure.has(symbol)) return undefined;
    if (homeOf(node) !== homeOf(symbol.valueDeclaration)) return undefined;
    return method.unset(symbol, spanOf(node));
  }

  /** Whether a function that reads a variable may still run when that is set to another value. */
  private isSetMeanwhile(node: ts.Identifier, symbol: ts.Symbol): boolean {
    if (!this.method.defaults.has(symbol) || this.method.lets.has(symbol)) return false;
    const home = homeOf(node);
    if (home === undefined || home === homeOf(symbol.valueDeclaration)) return false;
    return this.method.assignmentsTo(symbol).some(({ end }) => end > home.pos);
  }

  /** A name from outside of the method: of the module, or global. */
  private outer(
    node: ts.Identifier,
    symbol: ts.Symbol,
    declared: ts.Declaration,
    shorthand: boolean,
  ): CodePart {
    const external = externalOf(this.method.checker, node, symbol, declared);
    if (external !== undefined) return { external, shorthand };
    if (isGlobal(declared)) return node.text;
    this.sound = false;
    const generic = ts.isTypeParameterDeclaration(declared);
    const facts = { at: spanOf(node), name: shown(node), other: spanOf(declared) };
    this.method.context.report(
      generic ? say.typeParameter(facts) : say.notExported({ ...facts, fix: exportIt(declared) }),
    );
    return node.text;
  }
}

/** What exports a declaration at the top level of its module. */
export function exportIt(declared: ts.Declaration): Edit[] | undefined {
  const statement = ts.findAncestor(declared, (each) => ts.isSourceFile(each.parent));
  if (statement === undefined) return undefined;
  const { file, start } = spanOf(statement);
  return [{ span: { file, start, end: start }, text: "export " }];
}

/** `this.member`, or `this["member"]`. */
export function selfMember(method: Method, node: ts.Node): Member | undefined {
  const name = thisMember(node);
  return name === undefined ? undefined : memberOf(method, name);
}

export function memberOf(method: Method, name: string): Member {
  const symbol = method.checker.getPropertyOfType(method.info.type, name);
  const hidden = symbol?.declarations?.some(
    (declaration) =>
      (ts.getCombinedModifierFlags(declaration) &
        (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !==
      0,
  );
  return { name, public: hidden !== true };
}

/** The name in `this.name`, `this["name"]`. */
export function thisMember(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node) && node.expression.kind === ts.SyntaxKind.ThisKeyword) {
    return ts.isIdentifier(node.name) ? node.name.text : undefined;
  }
  if (ts.isElementAccessExpression(node) && node.expression.kind === ts.SyntaxKind.ThisKeyword) {
    const argument = node.argumentExpression;
    return ts.isStringLiteralLike(argument) ? argument.text : undefined;
  }
  return undefined;
}

/** Whether an identifier stands for something, and is not the name of a property or the like. */
export function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent)) return parent.left === node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isNamedTupleMember(parent)) return parent.type === (node as ts.Node);
  if (ts.isTypePredicateNode(parent)) return true;
  if (ts.isImportTypeNode(parent)) return false;
  if (ts.isMetaProperty(parent)) return false;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false;
  const named = parent as ts.Node & { readonly name?: ts.Node };
  return named.name !== node;
}

function isTypeQuery(node: ts.Node): boolean {
  return ts.findAncestor(node, (each) => ts.isTypeQueryNode(each)) !== undefined;
}

/** How generated code gets at what a name of a module stands for; undefined: not at all. */
export function externalOf(
  checker: ts.TypeChecker,
  node: ts.Identifier,
  symbol: ts.Symbol,
  declared: ts.Declaration,
): External | undefined {
  const from = importOf(declared) ?? exportOf(checker, symbol, declared);
  if (from === undefined) return undefined;
  const typeOnly = ts.isPartOfTypeNode(node) || isTypeQuery(node);
  return { name: node.text, typeOnly, file: declared.getSourceFile().fileName, from };
}

/** How a declaration imports a name, if it does. */
function importOf(declared: ts.Declaration): External["from"] | undefined {
  const clause = ts.findAncestor(declared, ts.isImportDeclaration);
  if (clause === undefined || !ts.isStringLiteral(clause.moduleSpecifier)) return undefined;
  const imported = ts.isImportSpecifier(declared)
    ? (declared.propertyName ?? declared.name).text
    : ts.isNamespaceImport(declared)
      ? "*"
      : "default";
  const module = clause.moduleSpecifier.text;
  return { kind: "import", module, imported, attributes: clause.attributes?.getText() };
}

/** Under which name the source exports a thing that it declares at its top level. */
function exportOf(
  checker: ts.TypeChecker,
  symbol: ts.Symbol,
  declared: ts.Declaration,
): External["from"] | undefined {
  const source = declared.getSourceFile();
  const module = checker.getSymbolAtLocation(source);
  if (module === undefined) return undefined;
  const exported = checker
    .getExportsOfModule(module)
    .filter((each) => resolve(checker, each).declarations?.includes(declared));
  const found = exported.find((each) => each.name === symbol.name) ?? exported[0];
  return found && { kind: "export", exported: found.name };
}

/** Whether a declaration is seen everywhere: of a script, of a library, or in `declare global`. */
function isGlobal(declared: ts.Declaration): boolean {
  const source = declared.getSourceFile();
  if (!ts.isExternalModule(source)) return true;
  return (
    ts.findAncestor(
      declared,
      (node) =>
        ts.isModuleDeclaration(node) && (node.flags & ts.NodeFlags.GlobalAugmentation) !== 0,
    ) !== undefined
  );
}
