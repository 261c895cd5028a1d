/**
 * Prints one small function that feeds a node: what it reads of the recorded values, the glue in
 * front, the expression. Which functions a node has is in `graph-bindings.ts`.
 */
import type { Code, CodePart, Pattern, SagaModel, Variable, VariableId } from "../model.js";
import type { Imports } from "./imports.js";
import { isIdentifier, propertyKey, Scope } from "./names.js";
import { binds, slice, type Slice } from "./slice.js";
import { identifiersOf } from "./tokens.js";

/** What a function can refer to, besides its own parameters. */
export interface Surroundings {
  readonly saga: SagaModel;
  readonly imports: Imports;
  /** The place of each node in the saga. */
  readonly order: ReadonlyMap<string, number>;
  /** The type of `this` in the saga's method. */
  readonly instance: string;
  /** The name of the interface of the values; asked for only where it is used. */
  readonly values: (used: Pick<Slice, "nodes" | "params">) => string;
}

export interface FunctionShape {
  readonly codes: readonly Code[];
  /** The result type as printed; absent: inferred. */
  readonly returns?: string;
  /** Makes the returned expression from the printed codes. */
  readonly result: (texts: readonly string[]) => string;
}

export function printFunction(surroundings: Surroundings, shape: FunctionShape): string {
  const needed = slice(surroundings.saga, shape.codes);
  const printer = new Printer(surroundings, needed);
  const statements = needed.statements.map(({ pattern, type, init }) => {
    const annotation = type === undefined ? "" : `: ${printer.code(type)}`;
    return `const ${printer.pattern(pattern)}${annotation} = ${printer.code(init)};`;
  });
  const result = shape.result(shape.codes.map((code) => printer.code(code)));
  const returns = shape.returns === undefined ? "" : `: ${shape.returns}`;
  const head = `(${printer.parameters()})${returns} =>`;
  if (statements.length === 0) return `${head} ${arrowBody(result)}`;
  return `${head} {\n${statements.join("\n")}\nreturn ${result};\n}`;
}

/** The body of an arrow function that is an expression. The formatter drops what is not needed. */
function arrowBody(result: string): string {
  return result.startsWith("[") ? result : `(${result})`;
}

/** The names inside one function. */
class Printer {
  private readonly names = new Map<VariableId, string>();
  /** By node; the params are under the key `undefined`. */
  private readonly values = new Map<string | undefined, string>();
  private readonly scope: Scope;
  private readonly self: string;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly needed: Slice,
  ) {
    const { imports, order } = surroundings;
    this.scope = new Scope(
      needed.externals.map((external) => imports.external(external)),
      ...needed.codes.map(identifiersOf),
    );
    const wanted = new Map<string | undefined, string>();
    for (const { holds, name } of needed.variables.values()) {
      const key = holds.kind === "node" ? holds.node : undefined;
      if (holds.kind !== "glue" && !wanted.has(key)) wanted.set(key, name);
    }
    const rank = (key: string | undefined): number =>
      key === undefined ? -1 : (order.get(key) ?? 0);
    for (const [key, name] of [...wanted].sort(([a], [b]) => rank(a) - rank(b))) {
      this.values.set(key, this.scope.take(name));
    }
    // In the order of their statements: of two of one name, the first keeps it.
    const place = ({ holds }: Variable): number =>
      holds.kind === "glue" ? needed.statements.indexOf(holds.statement) : -1;
    const inOrder = [...needed.variables].sort(([, a], [, b]) => place(a) - place(b));
    for (const [id, { holds, name }] of inOrder) {
      const known = this.values.get(holds.kind === "node" ? holds.node : undefined);
      this.names.set(id, holds.kind === "glue" ? this.scope.take(name) : (known ?? name));
    }
    this.self = this.scope.take("self");
  }

  parameters(): string {
    const { members, nodes, params } = this.needed;
    const read = [...this.values].map(([node, name]) => property(node ?? "params", name));
    const self = members.length === 0 ? [] : [`${this.self}: ${this.surroundings.instance}`];
    if (read.length === 0) return self.length === 0 ? "" : `_values: unknown, ${self.join("")}`;
    const type = this.surroundings.values({ nodes, params });
    return [`{ ${read.join(", ")} }: ${type}`, ...self].join(", ");
  }

  code(code: Code): string {
    return code.parts
      .map((part) => (typeof part === "string" ? part : this.reference(part)))
      .join("")
      .trim();
  }

  private reference(part: Exclude<CodePart, string>): string {
    if ("self" in part) {
      const { name, public: isPublic } = part.self;
      return isPublic && isIdentifier(name)
        ? `${this.self}.${name}`
        : `${this.self}[${JSON.stringify(name)}]`;
    }
    const isVariable = "variable" in part;
    const written = isVariable
      ? this.surroundings.saga.variables.get(part.variable)?.name
      : part.external.name;
    const name = isVariable
      ? this.names.get(part.variable)
      : this.surroundings.imports.external(part.external);
    return part.shorthand && written !== name ? `${written}: ${name}` : (name ?? "");
  }

  /** A pattern, without what it binds and nobody needs. */
  pattern(pattern: Pattern): string {
    const { variables } = this.needed;
    if (pattern.kind === "variable") return this.names.get(pattern.variable) ?? "";
    const rest = pattern.rest === undefined ? undefined : this.names.get(pattern.rest);
    const fallback = (code: Code | undefined): string =>
      code === undefined ? "" : ` = ${this.code(code)}`;
    const restPart = rest === undefined ? [] : [`...${rest}`];
    if (pattern.kind === "array") {
      const elements = pattern.elements.map((each) =>
        each !== undefined && binds(each.target, variables)
          ? this.pattern(each.target) + fallback(each.fallback)
          : "",
      );
      const last =
        rest === undefined ? elements.findLastIndex((each) => each !== "") + 1 : undefined;
      return `[${[...elements.slice(0, last), ...restPart].join(", ")}]`;
    }
    const properties = pattern.properties.flatMap(({ key, target, fallback: code }) => {
      if (binds(target, variables)) return [keyed(key, this.pattern(target)) + fallback(code)];
      // A property that is named here is not in the rest. TypeScript does not call it unused.
      return rest === undefined ? [] : [keyed(key, this.scope.take(isIdentifier(key) ? key : "_"))];
    });
    return `{ ${[...properties, ...restPart].join(", ")} }`;
  }
}

function property(key: string, name: string): string {
  return keyed(propertyKey(key), name);
}

/** A property of a pattern whose key is printed already. */
function keyed(key: string, target: string): string {
  return key === target ? key : `${key}: ${target}`;
}
