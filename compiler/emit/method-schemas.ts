/**
 * Prints the schemas of the values of one method, each held by `tsc` to be that of the value's type.
 * How a schema is printed is in `schemas.ts`.
 */
import { nodesOf } from "../analysis/graphs.js";
import type { ErrorModel, NodeModel, OutputSchemaModel, SagaModel } from "../model.js";
import type { TypeModel } from "../type-model.js";
import { member, spawnedType } from "./graph-bindings.js";
import type { Imports } from "./imports.js";
import { propertyKey } from "./names.js";
import type { Schemas } from "./schemas.js";

/** What the schemas of a method are printed with. */
export interface MethodSurroundings {
  readonly instance: string;
  readonly imports: Imports;
  readonly schemas: Schemas;
  /** The name under which the module has the builders of schemas. */
  readonly z: string;
  /** The name under which `Output` is imported. */
  readonly output: string;
  /** The type of what is read under a name: of a node, or `"<node>.item"`. */
  readonly valueType: (key: string) => string;
  /** The type of what an item of a map or loop gives. */
  readonly resultType: (node: string) => string;
}

/** Every type of a saga that has a schema, those of sagas in it left out. */
export function typesOf(saga: SagaModel): TypeModel[] {
  return [saga.params, saga.result, ...nodesOf(saga).flatMap(typesOfNode)];
}

function typesOfNode(node: NodeModel): TypeModel[] {
  switch (node.kind) {
    case "action":
      return [node.action.inputs, node.action.output];
    case "compute":
    case "event":
      return [node.type];
    case "map":
    case "loop":
      return [node.item, node.result];
    case "spawn":
      return [node.saga.params, ...(node.wait ? [node.saga.result] : [])];
    default:
      return [];
  }
}

/** A user's own schema, as the module has it. */
export function schemaText({ external, path }: OutputSchemaModel, imports: Imports): string {
  return [imports.external(external), ...path].join(".");
}

/** The type of what a user's own schema gives. `z`: the name of the builders of schemas. */
export function givenBy(check: string, z: string): string {
  return `${z}.StandardOutput<typeof ${check}>`;
}

/**
 * The schema of the own data of a declared error. Its type is made of those of the properties, one by
 * one: some may be private, and what else a class has is not recorded.
 */
export function printErrorData(
  { data }: ErrorModel,
  name: string,
  schemas: Schemas,
  z: string,
): string {
  const properties = data.properties.map(({ name: property, optional, type }) => {
    const key = propertyKey(property);
    const own = `${name}[${JSON.stringify(property)}]`;
    if (!optional) return `${key}: ${own};`;
    return `${key}?: ${takesUndefined(type) ? own : `Exclude<${own}, undefined>`};`;
  });
  return `${z}.exactly<{ ${properties.join(" ")} }>()(${schemas.schema(data)})`;
}

function takesUndefined(type: TypeModel): boolean {
  return type.kind === "undefined" || (type.kind === "union" && type.members.some(takesUndefined));
}

/** The property `schemas` of the bindings of a method. */
export function printSchemas(saga: SagaModel, around: MethodSurroundings): string {
  const { instance, schemas, z, output } = around;
  const exactly = (type: string, model: TypeModel): string =>
    `${z}.exactly<${type}>()(${schemas.schema(model)})`;
  const like = (type: string, model: TypeModel): string =>
    `${z}.like<${type}>()(${schemas.schema(model)})`;
  const method = member(instance, saga.method);
  const params = saga.hasParams ? `Parameters<${method}>[0]` : "undefined";
  const actions = new Map<string, string>();
  const values: string[] = [];
  const value = (name: string, text: string): void =>
    void values.push(`${propertyKey(name)}: ${text},`);
  for (const node of nodesOf(saga)) {
    switch (node.kind) {
      case "action": {
        const { method: name, inputs, output: given, schema } = node.action;
        if (actions.has(name)) break;
        const type = member(instance, name);
        const check = schema && schemaText(schema, around.imports);
        const gives = check === undefined ? `${output}<${type}>` : givenBy(check, z);
        const texts = [
          `inputs: ${exactly(`Parameters<${type}>`, inputs)}`,
          `output: ${exactly(gives, given)}`,
          ...(check === undefined ? [] : [`check: ${check}`]),
        ];
        actions.set(name, `${propertyKey(name)}: { ${texts.join(", ")} },`);
        break;
      }
      case "compute":
        value(node.name, like(around.valueType(node.name), node.type));
        break;
      case "event":
        value(node.name, exactly(around.valueType(node.name), node.type));
        break;
      case "map":
      case "loop":
        value(`${node.name}.item`, like(around.valueType(`${node.name}.item`), node.item));
        value(node.name, like(around.resultType(node.name), node.result));
        break;
      case "spawn": {
        const type = spawnedType(instance, node.saga);
        if (node.params !== undefined) {
          value(`${node.name}.params`, exactly(`Parameters<${type}>[0]`, node.saga.params));
        }
        value(
          node.name,
          node.wait ? exactly(`${output}<${type}>`, node.saga.result) : `${z}.string()`,
        );
        break;
      }
      default:
    }
  }
  const lines = [
    `params: ${exactly(params, saga.params)},`,
    `result: ${exactly(`${output}<${method}>`, saga.result)},`,
    ...(actions.size > 0 ? [`actions: {\n${[...actions.values()].join("\n")}\n},`] : []),
    ...(values.length > 0 ? [`values: {\n${values.join("\n")}\n},`] : []),
  ];
  return `schemas: {\n${lines.join("\n")}\n},`;
}
