/**
 * Prints one small function that feeds a node: what it reads of the recorded values, the glue in
 * front, the expression. Which functions a node has is in `graph-bindings.ts`.
 */
import type { Code, CodePart, ConditionModel, Guard, Pattern, VariableId } from "../model.js";
import type { Facts } from "./conditions.js";
import type { Imports } from "./imports.js";
import type { MethodNodes } from "./method-nodes.js";
import { isIdentifier, propertyKey, Scope } from "./names.js";
import { binds } from "./needs.js";
import { blocksIn, codesIn, type Block, type Branch, type Wanted } from "./slice.js";
import { identifiersOf } from "./tokens.js";
import { keyOf } from "./values.js";

/** What a function can refer to, besides its own parameters. */
export interface Surroundings {
  readonly method: MethodNodes;
  readonly imports: Imports;
  /** The type of `this` in the saga's method. */
  readonly instance: string;
  /** What holds wherever the function is called. */
  readonly facts: Facts;
  /** The name of the interface of the values of these names; asked for only where it is used. */
  readonly values: (read: readonly string[]) => string;
}

export interface FunctionShape {
  readonly wanted: Wanted;
  /** The result type as printed; absent: inferred. */
  readonly returns?: string;
  /** Makes the returned expression from the printed codes. Absent: there is one at most. */
  readonly result?: Give;
}

export function printFunction(surroundings: Surroundings, shape: FunctionShape): string {
  const { method, facts } = surroundings;
  const block = method.slicer.slice(shape.wanted, facts);
  const printer = new Printer(surroundings, block);
  const body = printer.body(block, shape.result ?? onlyOne);
  const returns = shape.returns === undefined ? "" : `: ${shape.returns}`;
  return `(${printer.parameters()})${returns} => ${body}`;
}

/** Makes the expression that a block gives from its printed codes. */
type Give = (texts: readonly string[]) => string;

function onlyOne(texts: readonly string[]): string {
  return texts[0] ?? "undefined";
}

/** The body of an arrow function that is an expression. The formatter drops what is not needed. */
function arrowBody(result: string): string {
  return result.startsWith("[") ? result : `(${result})`;
}

/** The names inside one function, and its text. */
class Printer {
  private readonly names = new Map<VariableId, string>();
  /** By what is read of the values. */
  private readonly values = new Map<string, string>();
  private readonly scope: Scope;
  private readonly self: string;
  private readonly readsSelf: boolean;
  private readonly notReached: string;

  constructor(
    private readonly surroundings: Surroundings,
    block: Block,
  ) {
    const { imports, method } = surroundings;
    const codes = codesIn(block);
    const blocks = blocksIn(block);
    const references = codes.flatMap(({ parts }) =>
      parts.filter((part) => typeof part !== "string"),
    );
    this.scope = new Scope(
      references.flatMap((part) => ("external" in part ? imports.external(part.external) : [])),
      ...codes.map(identifiersOf),
    );
    const guarded = blocks.some(
      ({ guards, steps }) =>
        guards.length > 0 || steps.some((step) => step.kind === "glue" && step.guards.length > 0),
    );
    this.notReached = guarded ? imports.named("steno-runtime", "notReached", false) : "";
    if (guarded) this.scope.take(this.notReached);
    this.readsSelf = references.some((part) => "self" in part);
    const variables = [...block.used].flatMap((id) => method.saga.variables.get(id) ?? []);
    const wanted = new Map<string, string>();
    for (const { holds, name } of variables) {
      const key = keyOf(holds);
      if (key !== undefined && !wanted.has(key)) wanted.set(key, name);
    }
    for (const { decision } of blocks.flatMap(conditionsOf)) {
      // The names of scopes are mostly words that TypeScript keeps for itself.
      const name = method.get(decision)?.kind === "scope" ? `${decision}-scope` : decision;
      if (!wanted.has(decision)) wanted.set(decision, name);
    }
    const inOrder = [...wanted].sort(([a], [b]) => method.rank(a) - method.rank(b));
    for (const [key, name] of inOrder) this.values.set(key, this.scope.take(name));
    this.nameLocals(block, blocks);
    this.self = this.scope.take("self");
  }

  /** In the order of their statements: of two of one name, the first keeps it. */
  private nameLocals({ used }: Block, blocks: readonly Block[]): void {
    const steps = blocks.flatMap((each) => each.steps);
    const places = new Map<unknown, number>(
      steps.map((step, at) => [step.kind === "glue" ? step.statement : step.variable, at]),
    );
    const variables = [...used].flatMap(
      (id) => this.surroundings.method.saga.variables.get(id) ?? [],
    );
    const placed = variables.map((variable) => {
      const { holds } = variable;
      return { variable, at: places.get(holds.kind === "glue" ? holds.statement : variable) ?? -1 };
    });
    for (const { variable } of placed.sort((a, b) => a.at - b.at)) {
      const key = keyOf(variable.holds);
      const known = key === undefined ? undefined : this.values.get(key);
      this.names.set(variable.id, known ?? this.scope.take(variable.name));
    }
  }

  parameters(): string {
    const read = [...this.values].map(([key, name]) => property(key, name));
    const self = this.readsSelf ? [`${this.self}: ${this.surroundings.instance}`] : [];
    if (read.length === 0) return self.length === 0 ? "" : `_values: unknown, ${self.join("")}`;
    const type = this.surroundings.values([...this.values.keys()]);
    return [`{ ${read.join(", ")} }: ${type}`, ...self].join(", ");
  }

  /** The body of an arrow function: an expression if it can be one. */
  body(block: Block, give: Give): string {
    const expression = this.expression(block, give);
    if (expression !== undefined) return arrowBody(expression);
    return `{\n${this.statements(block, give, new Set()).join("\n")}\n}`;
  }

  private expression(block: Block, give: Give): string | undefined {
    if (block.steps.length > 0 || block.guards.length > 0) return undefined;
    if (block.branches.length === 0) {
      return give(block.codes.map((code) => this.code(code)));
    }
    const parts = block.branches.map(({ when, block: inner }) => {
      const value = this.expression(inner, give);
      if (value === undefined || inner.branches.length > 0) return undefined;
      return when.length === 0 ? `(${value})` : `${this.conditions(when)} ? (${value})`;
    });
    return parts.includes(undefined) ? undefined : parts.join(" : ");
  }

  /** `told`: what TypeScript has been told already. */
  private statements(block: Block, give: Give, told: ReadonlySet<string>): string[] {
    const lines: string[] = [];
    const said = new Set(told);
    const tell = (guards: readonly Guard[]): void => {
      for (const { test, holds } of guards) {
        const text = this.code(test);
        const line = `if (${holds ? `!(${text})` : text}) throw ${this.notReached}();`;
        if (!said.has(line)) lines.push(line);
        said.add(line);
      }
    };
    for (const step of block.steps) {
      if (step.kind === "glue") {
        const { pattern, type, init, literal } = step.statement;
        tell(step.guards);
        const target = this.pattern(pattern, block.used);
        const whole = this.code(init);
        // TypeScript takes a property of a literal that is not bound for a mistake.
        const isPart = literal === true && type === undefined && !bindsAll(pattern, block.used);
        const given = isPart ? `(${whole}) satisfies ${typeOf(pattern)}` : whole;
        lines.push(`const ${target}${this.annotation(type)} = ${given};`);
      } else {
        const { type } = step.variable.holds;
        const name = this.names.get(step.variable.id);
        lines.push(`const ${name}${this.annotation(type)} = ${this.choice(step.block, said)};`);
      }
    }
    tell(block.guards);
    return [...lines, ...this.ending(block, give, said)];
  }

  private ending(block: Block, give: Give, said: ReadonlySet<string>): string[] {
    if (block.branches.length === 0) {
      return [`return ${give(block.codes.map((code) => this.code(code)))};`];
    }
    return block.branches.flatMap(({ when, block: inner }: Branch) => {
      const lines = this.statements(inner, give, said);
      return when.length === 0 ? lines : [`if (${this.conditions(when)}) {`, ...lines, "}"];
    });
  }

  private choice(block: Block, said: ReadonlySet<string>): string {
    const expression = this.expression(block, onlyOne);
    if (expression !== undefined) return expression;
    const lines = this.statements(block, onlyOne, said);
    return `(() => {\n${lines.join("\n")}\n})()`;
  }

  private annotation(type: Code | undefined): string {
    return type === undefined ? "" : `: ${this.code(type)}`;
  }

  private conditions(when: readonly ConditionModel[]): string {
    return when.map((condition) => this.condition(condition)).join(" && ");
  }

  private condition({ decision, arm, not }: ConditionModel): string {
    const name = this.values.get(decision) ?? "";
    if (this.surroundings.method.isDecision(decision)) {
      return `${name} ${not === true ? "!==" : "==="} ${JSON.stringify(arm)}`;
    }
    const property = OUTCOMES.get(arm);
    if (property === undefined) throw new Error(`the values do not say whether ${decision} ${arm}`);
    return `${not === true ? "!" : ""}${name}.${property}`;
  }

  private code(code: Code): string {
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
      ? this.surroundings.method.saga.variables.get(part.variable)?.name
      : part.external.name;
    const name = isVariable
      ? this.names.get(part.variable)
      : this.surroundings.imports.external(part.external);
    return part.shorthand && written !== name ? `${written}: ${name}` : (name ?? "");
  }

  /** A pattern, without what it binds and nobody needs. */
  private pattern(pattern: Pattern, used: ReadonlySet<VariableId>): string {
    if (pattern.kind === "variable") return this.names.get(pattern.variable) ?? "";
    const rest =
      pattern.rest !== undefined && used.has(pattern.rest)
        ? this.names.get(pattern.rest)
        : undefined;
    const fallback = (code: Code | undefined): string =>
      code === undefined ? "" : ` = ${this.code(code)}`;
    const restPart = rest === undefined ? [] : [`...${rest}`];
    if (pattern.kind === "array") {
      const elements = pattern.elements.map((each) =>
        each !== undefined && binds(each.target, used)
          ? this.pattern(each.target, used) + fallback(each.fallback)
          : "",
      );
      const last =
        rest === undefined ? elements.findLastIndex((each) => each !== "") + 1 : undefined;
      return `[${[...elements.slice(0, last), ...restPart].join(", ")}]`;
    }
    const properties = pattern.properties.flatMap(({ key, target, fallback: code }) => {
      if (binds(target, used)) return [keyed(key, this.pattern(target, used)) + fallback(code)];
      // A property that is named here is not in the rest. TypeScript does not call it unused.
      return rest === undefined ? [] : [keyed(key, this.scope.take(isIdentifier(key) ? key : "_"))];
    });
    return `{ ${[...properties, ...restPart].join(", ")} }`;
  }
}

/** Whether every property that a pattern names is printed; what is left out of a list is a hole. */
function bindsAll(pattern: Pattern, used: ReadonlySet<VariableId>): boolean {
  if (pattern.kind === "variable") return used.has(pattern.variable);
  if (pattern.kind === "object") {
    if (pattern.rest !== undefined && !used.has(pattern.rest)) return false;
    return pattern.properties.every(({ target }) => bindsAll(target, used));
  }
  return pattern.elements.every(
    (each) => each === undefined || !binds(each.target, used) || bindsAll(each.target, used),
  );
}

/** A type of all that a pattern can take apart, which keeps tuples, and forbids nothing. */
function typeOf(pattern: Pattern): string {
  if (pattern.kind === "variable") return "unknown";
  if (pattern.kind === "array") {
    const elements = pattern.elements.map((each) =>
      each ? `${typeOf(each.target)}?` : "unknown?",
    );
    return `[${[...elements, "...unknown[]"].join(", ")}]`;
  }
  const lists = pattern.properties.filter(({ target }) => typeOf(target) !== "unknown");
  if (lists.length === 0) return "object";
  const properties = lists.map(({ key, target }) => `${key}?: ${typeOf(target)}`);
  return `{ ${[...properties, "[key: string]: unknown"].join("; ")} }`;
}

function property(key: string, name: string): string {
  return keyed(propertyKey(key), name);
}

/** A property of a pattern whose key is printed already. */
function keyed(key: string, target: string): string {
  return key === target ? key : `${key}: ${target}`;
}

/** What a scope or a loop says of how it ended, by the arm of a condition. */
export const OUTCOMES: ReadonlyMap<string, string> = new Map([
  ["caught", "caught"],
  ["return", "returned"],
  ["break", "broke"],
  ["continue", "continued"],
]);

function conditionsOf({ branches }: Block): readonly ConditionModel[] {
  return branches.flatMap(({ when }) => when);
}
