/** Prints the bindings of a whole graph: the functions of each node, and what the saga returns. */
import type { Code, NodeModel, SagaModel } from "../model.js";
import { printFunction, type FunctionShape, type Surroundings } from "./bindings.js";
import { isIdentifier, propertyKey } from "./names.js";

export interface GraphSurroundings extends Surroundings {
  /** The name under which `Output` is imported. */
  readonly output: string;
  /** The function at the top level that computes a node; its name. */
  readonly compute: (node: string, text: string) => string;
  readonly subsaga: (node: NodeModel & { readonly kind: "subsaga" }) => Embedded;
}

/** What a graph needs to know of a saga that it embeds. */
export interface Embedded {
  /** The type of the object that has its actions. */
  readonly instance: string;
  /** The constant that has its bindings. */
  readonly graph: string;
}

/** The properties `nodes` and, if the saga returns something, `output`: of an object literal. */
export function printGraph(around: GraphSurroundings): string {
  const { saga, instance, output } = around;
  const nodes = saga.nodes.map((node) => `${literalKey(node.name)}: ${printNode(around, node)},`);
  const listed = nodes.length === 0 ? "nodes: {}," : `nodes: {\n${nodes.join("\n")}\n},`;
  const code = saga.outputs[0]?.code;
  if (code === undefined) return listed;
  const returns = `${output}<${member(instance, saga.method)}>`;
  return `${listed}\noutput: ${printFunction(around, single(code, returns))},`;
}

function printNode(around: GraphSurroundings, node: NodeModel): string {
  const { instance } = around;
  switch (node.kind) {
    case "action": {
      const shape: FunctionShape = {
        codes: node.inputs,
        returns: `Parameters<${member(instance, node.action.method)}>`,
        result: (texts) => `[${texts.join(", ")}]`,
      };
      return `{ inputs: ${printFunction(around, shape)} }`;
    }
    case "compute":
      return `{ compute: ${around.compute(node.name, printFunction(around, single(node.code)))} }`;
    case "subsaga": {
      const { instance: embedded, graph } = around.subsaga(node);
      const returns = `Parameters<${member(embedded, node.saga.method)}>[0]`;
      const params =
        node.params === undefined
          ? ""
          : `params: ${printFunction(around, single(node.params, returns))}, `;
      const reach = node.path.map(({ name, public: isPublic }) =>
        isPublic && isIdentifier(name) ? `.${name}` : `[${JSON.stringify(name)}]`,
      );
      const object = `(self: ${instance}) => self${reach.join("")}`;
      return `{ ${params}instance: ${object}, graph: ${graph} }`;
    }
    default:
      throw new Error(`no emission for a node of kind ${node.kind}`);
  }
}

function single(code: Code, returns?: string): FunctionShape {
  const result = (texts: readonly string[]): string => texts.join("");
  return { codes: [code], result, ...(returns !== undefined && { returns }) };
}

/** In a literal, the key `__proto__` would set the prototype. */
function literalKey(name: string): string {
  return name === "__proto__" ? '["__proto__"]' : propertyKey(name);
}

/** The type of a member: `BookTrip["bookHotel"]`. */
export function member(type: string, name: string): string {
  return `${type}[${JSON.stringify(name)}]`;
}

/** What a node's output is, as a type. */
export function outputType(
  around: GraphSurroundings,
  node: NodeModel,
  computeName: (node: string) => string,
): string {
  switch (node.kind) {
    case "action":
      return `${around.output}<${member(around.instance, node.action.method)}>`;
    case "compute":
      return `ReturnType<typeof ${computeName(node.name)}>`;
    case "subsaga":
      return `${around.output}<${member(around.subsaga(node).instance, node.saga.method)}>`;
    default:
      throw new Error(`no emission for a node of kind ${node.kind}`);
  }
}

/** Every code of a saga, and of those embedded in it. */
export function codesOf(saga: SagaModel): Code[] {
  const own = saga.nodes.flatMap((node): Code[] => {
    if (node.kind === "action") return [...node.inputs];
    if (node.kind === "compute") return [node.code];
    if (node.kind !== "subsaga") return [];
    return [...(node.params ? [node.params] : []), ...codesOf(node.saga)];
  });
  const glue = [...saga.variables.values()].flatMap(({ holds }) =>
    holds.kind === "glue" ? [holds.statement.init] : [],
  );
  return [...own, ...glue, ...saga.outputs.flatMap(({ code }) => code ?? [])];
}
