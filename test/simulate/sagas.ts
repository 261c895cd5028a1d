/** Random sagas of the whole language, with bindings that say which values they read. */
import { createHash } from "node:crypto";
import { defineSaga, type SagaDefinition } from "steno-runtime";
import type { Graph, Node } from "steno-runtime/manifest";
import type { GraphBindings, NodeBindings } from "../../runtime/definition.js";
import { randomGraph } from "../machine/random-graph.js";
import type { Choose } from "./random.js";

type Values = Readonly<Record<string, unknown>>;

/** What the actions of all sagas are methods of. */
export interface Actor {
  /** `read`: what the nodes directly before it gave, as far as they give values. */
  act(node: string, ...read: readonly unknown[]): Promise<unknown>;
  u(output: unknown, node: string, ...read: readonly unknown[]): Promise<void>;
}

export type Definition = SagaDefinition<Actor, unknown, unknown>;

/** A saga that may start runs of the second, and what becomes of the first after an upgrade. */
export function randomSagas(choose: Choose): readonly [Definition, Definition, Definition] {
  const main = decorated(randomGraph(choose), choose, true);
  const other = decorated(randomGraph(choose), choose, false);
  const upgraded = decorated(randomGraph(choose), choose, true);
  return [define("Main", main), define("Other", other), define("Main", upgraded)];
}

function define(name: string, graph: Graph): Definition {
  const hash = `sha256-${createHash("sha256").update(JSON.stringify(graph)).digest("hex")}`;
  return defineSaga({ manifest: { steno: 1, name, hash, ...graph }, ...bindingsOf(graph) });
}

/** The same graph with what the machine need not know: attempts, timeouts, keys. */
function decorated({ nodes, exits }: Graph, choose: Choose, spawns: boolean): Graph {
  const changed = nodes.map((node): Node => {
    switch (node.kind) {
      case "action":
        return { ...node, action: "act", ...policies(choose, node.undo !== "none") };
      case "spawn": {
        const { name, after, when } = node;
        return spawns ? node : { name, after, ...(when && { when }), kind: "compute" };
      }
      case "map":
      case "loop": {
        const graph = decorated(node.graph, choose, spawns);
        return { ...node, graph, ...(choose(3) === 0 && { keyed: true }) };
      }
      case "scope": {
        const graph = decorated(node.graph, choose, spawns);
        if (node.handler === undefined) return { ...node, graph };
        return { ...node, graph, handler: decorated(node.handler, choose, spawns) };
      }
      case "subsaga":
        return { ...node, graph: decorated(node.graph, choose, spawns) };
      default:
        return node;
    }
  });
  return exits === undefined ? { nodes: changed } : { nodes: changed, exits };
}

function policies(choose: Choose, undo: boolean): object {
  const pause = { delayMs: 1 + choose(20_000), factor: 2, maxDelayMs: 30_000, jitter: true };
  return {
    ...(choose(2) === 0 && { retry: { attempts: 1 + choose(3), ...pause } }),
    ...(choose(3) === 0 && { timeoutMs: 1 + choose(5000) }),
    ...(undo && choose(3) > 0 && { undoRetry: { attempts: 1 + choose(3), ...pause } }),
    ...(undo && choose(4) === 0 && { undoTimeoutMs: 1 + choose(5000) }),
  };
}

/** The nodes before a node whose values it reads. */
export function readBy(graph: { readonly nodes: readonly Node[] }, node: Node): readonly string[] {
  return node.after.flatMap((each) => {
    // One that is waited for on a condition may not have ended.
    if (typeof each !== "string") return [];
    const kind = graph.nodes.find(({ name }) => name === each)?.kind;
    return kind === "action" || kind === "compute" ? [each] : [];
  });
}

function bindingsOf(graph: Graph): GraphBindings {
  const nodes = graph.nodes.map((node) => [node.name, bind(graph, node)] as const);
  const last = graph.nodes.findLast(({ kind }) => kind === "action" || kind === "compute");
  return {
    nodes: Object.fromEntries(nodes),
    output: (values: Values) => (last === undefined ? null : (values[last.name] ?? null)),
  };
}

function bind(graph: Graph, node: Node): NodeBindings {
  const hash = hashOf(node.name);
  switch (node.kind) {
    case "action": {
      const read = readBy(graph, node);
      return { inputs: (values: Values) => [node.name, ...read.map((name) => values[name])] };
    }
    case "compute":
      return {
        compute: () => {
          if (hash % 13 === 0) throw new Error(`${node.name} throws`);
          return node.name;
        },
      };
    case "decision":
      return { decide: () => node.arms[hash % node.arms.length] as string };
    case "map":
    case "loop":
      return {
        items: () => [...Array(hash % 4).keys()],
        key: (values: Values) => `k${values[`${node.name}.item`]}`,
        graph: bindingsOf(node.graph),
      };
    case "scope": {
      const graph = bindingsOf(node.graph);
      return node.handler === undefined ? { graph } : { graph, handler: bindingsOf(node.handler) };
    }
    case "subsaga":
      return { params: () => node.name, graph: bindingsOf(node.graph) };
    case "fail":
      return { error: () => new Error(`${node.name} fails`) };
    case "sleep":
      return { duration: () => (hash % 30) * 1000 };
    case "spawn":
      return { params: () => node.name };
    case "event":
      return {};
  }
}

function hashOf(name: string): number {
  return createHash("sha256").update(name).digest().readUInt16LE();
}
