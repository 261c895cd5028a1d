/**
 * The interfaces of what bindings read: one for a method, and one for the items of each map and loop
 * in it, which extends that around it. They have only what is read.
 */
import { graphsOf } from "../analysis/graphs.js";
import type { GraphModel, Variable } from "../model.js";
import type { MethodNodes } from "./method-nodes.js";
import { pascalCase, propertyKey, type Scope } from "./names.js";

/** Under which name the values have what a variable holds; `undefined`: they do not have it. */
export function keyOf(holds: Variable["holds"]): string | undefined {
  switch (holds.kind) {
    case "params":
      return "params";
    case "node":
      return holds.node;
    case "item":
    case "index":
    case "error":
      return `${holds.node}.${holds.kind}`;
    default:
      return undefined;
  }
}

/** The values that are the same for some graphs. */
export interface Level {
  readonly around: Level | undefined;
  /** What the name of its interface is made from. */
  readonly wanted: string;
  readonly doc: string;
  readonly read: Set<string>;
  /** The name, once it has one. */
  name: string | undefined;
}

function isAround(level: Level, inner: Level | undefined): boolean {
  for (let each = inner; each !== undefined; each = each.around) if (each === level) return true;
  return false;
}

export class ValueTypes {
  private readonly levels: Level[] = [];
  /** Where each value belongs. */
  private readonly owners = new Map<string, Level>();
  private readonly graphs = new Map<GraphModel, Level>();

  constructor(
    private readonly method: MethodNodes,
    private readonly scope: Scope,
  ) {
    const { saga } = method;
    const root = this.level(
      `${pascalCase(saga.exportName)}Values`,
      `What ${saga.name} reads: its params, and outputs of its nodes.`,
      undefined,
    );
    this.owners.set("params", root);
    this.enter(saga, root);
  }

  /** The level that the functions of a graph are on. */
  of(graph: GraphModel): Level {
    const level = this.graphs.get(graph);
    if (level === undefined) throw new Error(`a graph of ${this.method.saga.name} is not in it`);
    return level;
  }

  /** The interface that a function on a level needs to read some values. */
  use(level: Level, read: readonly string[]): string {
    for (const key of read) {
      const owner = this.ownerFor(key, level);
      owner.read.add(key);
      owner.name ??= this.scope.take(owner.wanted);
    }
    return (level.name ??= this.scope.take(level.wanted));
  }

  /** What a loop was left with is read outside of it, too: then it belongs to what is around both. */
  private ownerFor(key: string, reader: Level): Level {
    const owner = this.owners.get(key);
    if (owner === undefined) throw new Error(`${this.method.saga.name} has no value ${key}`);
    let common = owner;
    while (!isAround(common, reader) && common.around !== undefined) common = common.around;
    if (common !== owner) {
      owner.read.delete(key);
      this.owners.set(key, common);
    }
    return common;
  }

  /** All interfaces that are used. */
  print(typeOf: (key: string) => string): string[] {
    return this.levels.flatMap(({ name, doc, read, around }) => {
      if (name === undefined) return [];
      const properties = [...read]
        .sort((a, b) => this.method.rank(a) - this.method.rank(b))
        .map((key) => `readonly ${propertyKey(key)}: ${typeOf(key)};`);
      let base = around;
      while (base !== undefined && base.name === undefined) base = base.around;
      const extended = base === undefined ? "" : ` extends ${base.name}`;
      const body = properties.length === 0 ? "{}" : `{\n${properties.join("\n")}\n}`;
      return [`/** ${doc} */\ninterface ${name}${extended} ${body}`];
    });
  }

  private level(wanted: string, doc: string, around: Level | undefined): Level {
    const made: Level = { around, wanted, doc, read: new Set(), name: undefined };
    this.levels.push(made);
    return made;
  }

  private enter(graph: GraphModel, level: Level): void {
    this.graphs.set(graph, level);
    for (const node of graph.nodes) {
      this.owners.set(node.name, level);
      this.owners.set(`${node.name}.error`, level);
      const isRepeated = node.kind === "map" || node.kind === "loop";
      const doc = `What is read for each item of ${node.name}, besides.`;
      const inner = isRepeated
        ? this.level(
            `${level.wanted.replace(/Values$/, "")}${pascalCase(node.name)}Values`,
            doc,
            level,
          )
        : level;
      if (isRepeated) {
        this.owners.set(`${node.name}.item`, inner);
        this.owners.set(`${node.name}.index`, inner);
      }
      for (const each of graphsOf(node)) this.enter(each, inner);
    }
  }
}
