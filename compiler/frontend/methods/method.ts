/** What is known of one saga method while it is read: its variables, its drafts, its promises. */
import type { Code, GlueStatement, SagaModel, Span, VariableId } from "../../model.js";
import { bare, spanOf, type Context } from "../context.js";
import type { Draft, DraftAlternative, DraftContent } from "./graph.js";
import type { ClassInfo, ClassReader } from "../classes/read-class.js";
import type { Thread } from "./thread.js";
import ts from "../typescript.cjs";
import { UNDEFINED, variableValue, type Binding, type CodeValue } from "./values.js";

/** Holes in an expression: parts of it that have been read already. */
export type Holes = ReadonlyMap<ts.Node, CodeValue>;
export const NO_HOLES: Holes = new Map();

/** A `try` in which a variable is set, with something after that which may fail. */
export interface Unsure {
  readonly at: Span;
  /** Once is enough. */
  told: boolean;
}

export interface VariableDraft {
  readonly id: VariableId;
  name: string;
  /** Whether the user named it. */
  named: boolean;
  readonly holds:
    | { readonly kind: "params" }
    | { readonly kind: "node" }
    | { readonly kind: "item" | "index" | "error"; draft: Draft | undefined }
    | {
        readonly kind: "choice";
        readonly alternatives: readonly DraftAlternative[];
        readonly type: Code | undefined;
      }
    | { readonly kind: "glue"; statement: GlueStatement | undefined };
}

/** Embeds a saga: answers with its model, or with nothing if that has errors. */
export type Embed = (info: ClassInfo, method: string, at: ts.Node) => SagaModel | undefined;

export class Method {
  readonly bindings = new Map<ts.Symbol, Binding>();
  readonly variables: VariableDraft[] = [];
  readonly drafts: Draft[] = [];
  /** False: a saga that it embeds or starts is broken, which was reported where that is. */
  sound = true;
  /** Variables that are set after their declaration, as they are on the path that is being read. */
  lets = new Map<ts.Symbol, Binding>();
  /** Those that were set in a `try`, while its `catch` is read: whether they are, nobody knows. */
  unsure = new Map<ts.Symbol, Unsure>();
  /** How often something was waited for so far. */
  waits = 0;
  /** Their declared types. */
  readonly letTypes = new Map<ts.Symbol, Code | undefined>();
  /** Those that are declared with a value, which they have on paths that set no other. */
  readonly defaults = new Map<ts.Symbol, CodeValue>();
  private readonly unsets = new Map<ts.Symbol, VariableId>();
  private assignments: Map<ts.Symbol, ts.Node[]> | undefined;

  /** Values that keep a literal type which TypeScript forgets: see `widening.ts`. */
  readonly literals = new Set<VariableId>();
  /** Nodes whose value cannot be stored: it is taken apart in them. */
  readonly opaque = new Set<Draft>();

  constructor(
    readonly context: Context,
    readonly classes: ClassReader,
    readonly info: ClassInfo,
    readonly declaration: ts.MethodDeclaration,
    readonly embed: Embed,
  ) {}

  get checker(): ts.TypeChecker {
    return this.context.checker;
  }

  /** What a local stands for at the place that is being read. */
  binding(symbol: ts.Symbol): Binding | undefined {
    const set = this.lets.get(symbol);
    return set ?? (this.unsure.has(symbol) ? undefined : this.bindings.get(symbol));
  }

  /** What a variable stands for on a path on which this is what it was set to, or nothing. */
  valueOfLet(symbol: ts.Symbol, set: Binding | undefined): CodeValue {
    if (set?.kind === "variable") return variableValue(set.id, undefined, set.trusted);
    return this.defaults.get(symbol) ?? UNDEFINED;
  }

  /** What stands for a variable that is declared without a value and not set: of its type, all the same. */
  unset(symbol: ts.Symbol, span: Span): VariableId {
    let id = this.unsets.get(symbol);
    if (id === undefined) {
      const type = this.letTypes.get(symbol);
      const init: Code = { parts: ["undefined", ...(type ? [" as ", ...type.parts] : [])], span };
      const holds: { kind: "glue"; statement: GlueStatement | undefined } = {
        kind: "glue",
        statement: undefined,
      };
      ({ id } = this.addVariable(symbol.name, true, holds));
      holds.statement = { pattern: { kind: "variable", variable: id }, type: undefined, init };
      this.unsets.set(symbol, id);
    }
    return id;
  }

  /** Everything in the method that sets a variable after its declaration. */
  assignmentsTo(symbol: ts.Symbol): readonly ts.Node[] {
    this.assignments ??= assignmentsIn(this.declaration, (node) => this.local(node));
    return this.assignments.get(symbol) ?? [];
  }

  /** Whether a local of this name holds something that was started, or was refused. Asks no checker. */
  holds(name: string): boolean {
    const held = ([symbol, { kind }]: readonly [ts.Symbol, Binding]): boolean =>
      kind !== "variable" && symbol.name === name;
    return [...this.bindings].some(held) || [...this.lets].some(held);
  }

  /** The recorded values that a variable is made of. */
  rootsOf(id: VariableId, found = new Set<VariableId>()): Set<VariableId> {
    if (found.has(id)) return found;
    found.add(id);
    const { holds } = this.variable(id);
    const codes =
      holds.kind === "choice"
        ? holds.alternatives.map(({ code }) => code)
        : holds.kind === "glue"
          ? [holds.statement?.init]
          : [];
    for (const part of codes.flatMap((code) => code?.parts ?? [])) {
      if (typeof part === "object" && "variable" in part) this.rootsOf(part.variable, found);
    }
    return found;
  }

  typeOf(node: ts.Node): ts.Type {
    return this.checker.getTypeAtLocation(node);
  }

  addVariable(name: string, named: boolean, holds: VariableDraft["holds"]): VariableDraft {
    const variable = { id: this.variables.length, name, named, holds };
    this.variables.push(variable);
    return variable;
  }

  variable(id: VariableId): VariableDraft {
    const found = this.variables[id];
    if (found === undefined) throw new Error(`no variable ${id}`);
    return found;
  }

  /** Makes a node that starts here. */
  addDraft(thread: Thread, content: DraftContent, node: ts.Node, fallback: string): Draft {
    const variable = this.addVariable(fallback, false, { kind: "node" });
    const draft: Draft = {
      content,
      span: spanOf(node),
      frame: thread.frame,
      when: thread.here.when,
      after: thread.ended(),
      variable: variable.id,
      bound: new Set(),
      held: new Set(),
      fallback,
    };
    this.drafts.push(draft);
    thread.frame.drafts.push(draft);
    thread.expose();
    return draft;
  }

  valueOf(draft: Draft): CodeValue {
    return variableValue(draft.variable, draft);
  }

  /** The local that an identifier stands for; undefined: it is none of this method. */
  local(node: ts.Identifier): ts.Symbol | undefined {
    const symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? this.checker.getShorthandAssignmentValueSymbol(node.parent)
      : this.checker.getSymbolAtLocation(node);
    const declared = symbol?.declarations?.[0];
    return declared !== undefined && isWithin(declared, this.declaration) ? symbol : undefined;
  }
}

function assignmentsIn(
  root: ts.Node,
  symbolOf: (node: ts.Identifier) => ts.Symbol | undefined,
): Map<ts.Symbol, ts.Node[]> {
  const found = new Map<ts.Symbol, ts.Node[]>();
  const visit = (node: ts.Node): void => {
    if (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
      ts.isIdentifier(bare(node.left))
    ) {
      const symbol = symbolOf(bare(node.left) as ts.Identifier);
      if (symbol !== undefined) found.set(symbol, [...(found.get(symbol) ?? []), node]);
    }
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

/** Whether a node lies in another of the same file. */
export function isWithin(node: ts.Node, outer: ts.Node): boolean {
  return (
    node.pos >= outer.pos && node.end <= outer.end && node.getSourceFile() === outer.getSourceFile()
  );
}

/** Whether two spans lie in each other. */
export function isInside(inner: Span, outer: Span): boolean {
  return inner.file === outer.file && inner.start >= outer.start && inner.end <= outer.end;
}
