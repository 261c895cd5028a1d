/**
 * Which variables a piece of code needs, and which glue statements must stand in front of it for
 * that. It decides nothing about names or text.
 */
import type {
  Code,
  External,
  GlueStatement,
  Member,
  Pattern,
  SagaModel,
  Variable,
  VariableId,
} from "../model.js";

export interface Slice {
  /** Everything whose text is printed: the codes themselves, and those of the statements. */
  readonly codes: readonly Code[];
  /** In the order in which they must stand. */
  readonly statements: readonly GlueStatement[];
  readonly variables: ReadonlyMap<VariableId, Variable>;
  /** Whether the params are read. */
  readonly params: boolean;
  /** The nodes whose output is read. */
  readonly nodes: ReadonlySet<string>;
  readonly externals: readonly External[];
  readonly members: readonly Member[];
}

export function slice(saga: SagaModel, wanted: readonly Code[]): Slice {
  const variables = new Map<VariableId, Variable>();
  const statements = new Set<GlueStatement>();
  const codes: Code[] = [];
  const nodes = new Set<string>();
  const externals: External[] = [];
  const members: Member[] = [];
  let params = false;

  const need = (id: VariableId): void => {
    const variable = saga.variables.get(id);
    if (variable === undefined) throw new Error(`${saga.name} has no variable ${id}`);
    if (variables.has(id)) return;
    variables.set(id, variable);
    if (variable.holds.kind === "params") params = true;
    else if (variable.holds.kind === "node") nodes.add(variable.holds.node);
  };
  const read = (code: Code): void => {
    codes.push(code);
    for (const part of code.parts) {
      if (typeof part === "string") continue;
      if ("variable" in part) need(part.variable);
      else if ("external" in part) externals.push(part.external);
      else members.push(part.self);
    }
  };

  for (const code of wanted) read(code);
  // Variables are found while the map grows: a statement is read when the first of them is met.
  // The default values of a pattern are read once it is known which of its parts are needed.
  const fallbacks = new Set<Code>();
  const settle = (): void => {
    for (const { holds } of variables.values()) {
      if (holds.kind !== "glue" || statements.has(holds.statement)) continue;
      statements.add(holds.statement);
      if (holds.statement.type !== undefined) read(holds.statement.type);
      read(holds.statement.init);
    }
  };
  for (let before = -1; before !== variables.size + fallbacks.size;) {
    before = variables.size + fallbacks.size;
    settle();
    for (const statement of statements) {
      for (const code of neededFallbacks(statement.pattern, variables)) {
        if (fallbacks.has(code)) continue;
        fallbacks.add(code);
        read(code);
      }
    }
  }
  const ordered = inOrder(statements, variables);
  return { codes, statements: ordered, variables, params, nodes, externals, members };
}

/**
 * Each statement after those it reads, else in source order. That alone would not do: what is in an
 * async block stands after the name that its result is bound to.
 */
function inOrder(
  statements: ReadonlySet<GlueStatement>,
  variables: ReadonlyMap<VariableId, Variable>,
): GlueStatement[] {
  const placed = new Set<GlueStatement>();
  const place = (statement: GlueStatement): void => {
    const { init, pattern } = statement;
    for (const { parts } of [init, ...neededFallbacks(pattern, variables)]) {
      for (const part of parts) {
        if (typeof part === "string" || !("variable" in part)) continue;
        const holds = variables.get(part.variable)?.holds;
        if (holds?.kind !== "glue" || holds.statement === statement) continue;
        if (!placed.has(holds.statement)) place(holds.statement);
      }
    }
    placed.add(statement);
  };
  for (const each of [...statements].sort((a, b) => a.init.span.start - b.init.span.start)) {
    if (!placed.has(each)) place(each);
  }
  return [...placed];
}

/** Whether a pattern binds something that is needed. */
export function binds(pattern: Pattern, needed: ReadonlyMap<VariableId, unknown>): boolean {
  if (pattern.kind === "variable") return needed.has(pattern.variable);
  if (pattern.rest !== undefined && needed.has(pattern.rest)) return true;
  const parts = pattern.kind === "object" ? pattern.properties : pattern.elements;
  return parts.some((part) => part !== undefined && binds(part.target, needed));
}

function neededFallbacks(pattern: Pattern, needed: ReadonlyMap<VariableId, unknown>): Code[] {
  if (pattern.kind === "variable") return [];
  const parts = pattern.kind === "object" ? pattern.properties : pattern.elements;
  return parts.flatMap((part) => {
    if (part === undefined || !binds(part.target, needed)) return [];
    return [...(part.fallback ? [part.fallback] : []), ...neededFallbacks(part.target, needed)];
  });
}
