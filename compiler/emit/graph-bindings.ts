/** Prints the bindings of a whole graph: the functions of each node, and what the graph returns. */
import { graphsOf } from "../analysis/graphs.js";
import type {
  Alternative,
  Code,
  GraphModel,
  IterationNodeModel,
  Member,
  NodeModel,
  SagaModel,
  ScopeNodeModel,
} from "../model.js";
import { OUTCOMES, printFunction, type FunctionShape, type Surroundings } from "./bindings.js";
import type { Facts } from "./conditions.js";
import { hasHandler } from "./manifest.js";
import { isIdentifier, propertyKey } from "./names.js";
import { codesOfStatement } from "./needs.js";

export interface GraphSurroundings extends Omit<Surroundings, "facts" | "values"> {
  /** The name under which `Output` is imported. */
  readonly output: string;
  /** The name under which `Duration` is imported; asked for only where it is used. */
  readonly duration: () => string;
  /** Puts a function at the top level; its name there. */
  readonly hoist: (what: Hoisted, node: string, text: string) => string;
  /** The name of the interface of the values that the functions of a graph read. */
  readonly values: (graph: GraphModel, read: readonly string[]) => string;
  readonly subsaga: (node: NodeModel & { readonly kind: "subsaga" }) => Embedded;
}

/** The functions whose types say what some value is. */
export type Hoisted = "compute" | "items" | "output";

/** What a graph needs to know of a saga that it embeds. */
export interface Embedded {
  /** The type of the object that has its actions. */
  readonly instance: string;
  /** The constant that has its bindings. */
  readonly graph: string;
}

/** The properties `nodes` and, if the saga returns something, `output`: of an object literal. */
export function printGraph(around: GraphSurroundings): string {
  const { saga } = around.method;
  const listed = new GraphPrinter(around, saga, []).nodes();
  if (returnsNothing(saga.outputs)) return listed;
  const returns = `${around.output}<${member(around.instance, saga.method)}>`;
  const shape = { wanted: { alternatives: saga.outputs }, returns };
  return `${listed}\noutput: ${new GraphPrinter(around, saga, []).function(shape)},`;
}

/** One graph of a method. */
class GraphPrinter {
  constructor(
    private readonly around: GraphSurroundings,
    private readonly graph: GraphModel,
    private readonly facts: Facts,
  ) {}

  nodes(): string {
    const printed = this.graph.nodes.flatMap((node) => {
      const text = this.node(node);
      return text === undefined ? [] : [`${literalKey(node.name)}: ${text},`];
    });
    return printed.length === 0 ? "nodes: {}," : `nodes: {\n${printed.join("\n")}\n},`;
  }

  function(shape: FunctionShape, facts: Facts = this.facts): string {
    const values = (read: readonly string[]): string => this.around.values(this.graph, read);
    return printFunction({ ...this.around, facts, values }, shape);
  }

  /** The bindings of a node; `undefined` if it has none. */
  private node(node: NodeModel): string | undefined {
    const facts = [...this.facts, ...(node.when ?? [])];
    const single = (code: Code, returns?: string): string =>
      this.function(one(code, returns), facts);
    const { instance, hoist } = this.around;
    switch (node.kind) {
      case "action": {
        const shape: FunctionShape = {
          wanted: { codes: node.inputs },
          returns: `Parameters<${member(instance, node.action.method)}>`,
          result: (texts) => `[${texts.join(", ")}]`,
        };
        return `{ inputs: ${this.function(shape, facts)} }`;
      }
      case "compute":
        return `{ compute: ${hoist("compute", node.name, single(node.code))} }`;
      case "decision":
        return `{ decide: ${single(node.code, armsType(node.arms))} }`;
      case "map":
      case "loop":
        return this.iteration(node, facts);
      case "scope":
        return this.scope(node, facts);
      case "subsaga": {
        const { instance: embedded, graph } = this.around.subsaga(node);
        const returns = `Parameters<${member(embedded, node.saga.method)}>[0]`;
        const params = node.params === undefined ? "" : `params: ${single(node.params, returns)}, `;
        const object = `(self: ${instance}) => self${reach(node.path)}`;
        return `{ ${params}instance: ${object}, graph: ${graph} }`;
      }
      case "fail":
        return `{ error: ${single(node.error)} }`;
      case "sleep":
        // A literal would be a `string` wherever the object around it has no type.
        return `{ duration: ${single(node.duration, this.around.duration())} }`;
      case "event":
        return undefined;
      case "spawn": {
        const returns = `Parameters<${spawnedType(instance, node.saga)}>[0]`;
        const params = node.params && `params: ${single(node.params, returns)}`;
        const id = node.id && `id: ${single(node.id, "string")}`;
        const given = [params, id].filter((each) => each !== undefined);
        return given.length === 0 ? undefined : `{ ${given.join(", ")} }`;
      }
    }
  }

  private iteration({ name, items, key, graph }: IterationNodeModel, facts: Facts): string {
    const inner = new GraphPrinter(this.around, graph, facts);
    const list = this.around.hoist("items", name, this.function(one(items), facts));
    const named = key === undefined ? "" : `key: ${inner.function(one(key, "string"))}, `;
    const nodes = inner.nodes();
    const output = returnsNothing(graph.outputs)
      ? ""
      : `\noutput: ${this.around.hoist("output", name, inner.function({ wanted: { alternatives: graph.outputs } }))},`;
    return `{ items: ${list}, ${named}graph: {\n${nodes}${output}\n} }`;
  }

  private scope(node: ScopeNodeModel, facts: Facts): string {
    const inside = (graph: GraphModel): string =>
      `{\n${new GraphPrinter(this.around, graph, facts).nodes()}\n}`;
    const handler = hasHandler(node) ? `, handler: ${inside(node.handler)}` : "";
    return `{ graph: ${inside(node.graph)}${handler} }`;
  }
}

function one(code: Code, returns?: string): FunctionShape {
  return { wanted: { codes: [code] }, ...(returns !== undefined && { returns }) };
}

function returnsNothing(outputs: readonly Alternative[]): boolean {
  return outputs.every(({ code }) => code === undefined);
}

/** In a literal, the key `__proto__` would set the prototype. */
function literalKey(name: string): string {
  return name === "__proto__" ? '["__proto__"]' : propertyKey(name);
}

/** The type of a member: `BookTrip["bookHotel"]`. */
export function member(type: string, name: string): string {
  return `${type}[${JSON.stringify(name)}]`;
}

/** From `self` to an object that it has. */
function reach(path: readonly Member[]): string {
  return path
    .map(({ name, public: isPublic, optional }) => {
      const read = isPublic && isIdentifier(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
      return optional === true ? `${read}!` : read;
    })
    .join("");
}

/** The type of the method of a saga that some member has. */
export function spawnedType(
  instance: string,
  { path, method }: { readonly path: readonly Member[]; readonly method: string },
): string {
  return member(memberType(instance, path), method);
}

/** The type of an object that is reached by members. */
export function memberType(instance: string, path: readonly Member[]): string {
  return path.reduce((from, { name, optional }) => {
    const type = member(from, name);
    return optional === true ? `NonNullable<${type}>` : type;
  }, instance);
}

function armsType(arms: readonly string[]): string {
  return arms.map((arm) => JSON.stringify(arm)).join(" | ");
}

/** What a scope says of how it ended: what of that can be. */
function scopeType({ graph, handler }: ScopeNodeModel): string {
  const exits: ReadonlySet<string> = new Set(
    [...graph.exits, ...handler.exits].map(({ to }) => to),
  );
  const possible = [...OUTCOMES].filter(([arm]) => arm === "caught" || exits.has(arm));
  return `{ ${possible.map(([, name]) => `readonly ${name}: boolean`).join("; ")} }`;
}

/** What a loop says of how it ended: what of that can be. */
function loopType({ graph }: IterationNodeModel, result: string): string {
  const broke = graph.exits.some(({ to }) => to === "break") ? " readonly broke: boolean;" : "";
  return `{ readonly returned: boolean;${broke} readonly value: ${result} }`;
}

/** What the values have under the name of a node, as a type. `nameOf`: functions at the top level. */
export function outputType(
  around: GraphSurroundings,
  node: NodeModel,
  nameOf: (what: Hoisted, node: string) => string,
): string {
  const { instance, output } = around;
  switch (node.kind) {
    case "action":
      return `${output}<${member(instance, node.action.method)}>`;
    case "compute":
      return `ReturnType<typeof ${nameOf("compute", node.name)}>`;
    case "subsaga":
      return `${output}<${member(around.subsaga(node).instance, node.saga.method)}>`;
    case "decision":
      return armsType(node.arms);
    case "map":
      return `${resultType(node, nameOf)}[]`;
    case "loop":
      return loopType(node, resultType(node, nameOf));
    case "scope":
      return scopeType(node);
    case "event":
      return `Awaited<${member(instance, node.event.name)}>`;
    case "spawn":
      return node.wait ? `${output}<${spawnedType(instance, node.saga)}>` : "string";
    case "fail":
      return "never";
    case "sleep":
      return "undefined";
  }
}

/** The type of what an item of a map or loop gives. */
export function resultType(
  node: NodeModel | undefined,
  nameOf: (what: Hoisted, node: string) => string,
): string {
  if (node?.kind !== "map" && node?.kind !== "loop") throw new Error("no node with items");
  return returnsNothing(node.graph.outputs)
    ? "undefined"
    : `ReturnType<typeof ${nameOf("output", node.name)}>`;
}

/** Every code of a saga, and of those embedded in it. */
export function codesOf(saga: SagaModel): Code[] {
  const variables = [...saga.variables.values()].flatMap(({ holds }) => {
    if (holds.kind === "glue") return codesOfStatement(holds.statement);
    if (holds.kind !== "choice") return [];
    return [...(holds.type ? [holds.type] : []), ...codesOfAll(holds.alternatives)];
  });
  const all = [...codesOfGraph(saga), ...variables];
  return [...all, ...all.flatMap((code) => (code.guards ?? []).map(({ test }) => test))];
}

function codesOfAll(alternatives: readonly Alternative[]): Code[] {
  return alternatives.flatMap(({ code }) => code ?? []);
}

function codesOfGraph(graph: GraphModel): Code[] {
  const own = graph.nodes.flatMap((node) => [
    ...codesOfNode(node),
    ...graphsOf(node).flatMap(codesOfGraph),
  ]);
  return [...own, ...codesOfAll(graph.outputs)];
}

/** The codes of a node itself, without those of the graphs in it. */
function codesOfNode(node: NodeModel): Code[] {
  switch (node.kind) {
    case "action":
      return [...node.inputs];
    case "compute":
    case "decision":
      return [node.code];
    case "map":
    case "loop":
      return [node.items, ...(node.key ? [node.key] : [])];
    case "subsaga":
      return [...(node.params ? [node.params] : []), ...codesOf(node.saga)];
    case "fail":
      return [node.error];
    case "sleep":
      return [node.duration];
    case "spawn":
      return [node.params, node.id].flatMap((code) => code ?? []);
    case "event":
    case "scope":
      return [];
  }
}
