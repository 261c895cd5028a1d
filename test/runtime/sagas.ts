/** Hand-written definitions for tests of the runtime: graphs of actions whose bodies a test gives. */
import { createHash } from "node:crypto";
import { defineSaga, type SagaDefinition } from "steno-runtime";
import type { Graph, Node } from "steno-runtime/manifest";
import type { GraphBindings } from "../../runtime/definition.js";

/** What the bodies do: called with the node's path and, for undos, the output. */
export interface Script {
  act(node: string): Promise<unknown>;
  undo(node: string, output: unknown): Promise<void>;
}

export type Options = Partial<Extract<Node, { readonly kind: "action" }>>;

/** How long sleeps are. */
const SLEEP_MS = 20;

/** The list of each map and loop. The bodies in it are given the path without the item. */
const ITEMS = ["a", "b"];

export function action(name: string, after: readonly string[] = [], more: Options = {}): Node {
  return { name, kind: "action", action: "act", undo: "undo", after, ...more };
}

/** A saga whose actions are given their own paths, and whose result is its params. */
export function scripted(
  nodes: readonly Node[],
  name = "Test.saga",
): SagaDefinition<Script, unknown, unknown> {
  const hash = `sha256-${createHash("sha256").update(JSON.stringify(nodes)).digest("hex")}`;
  const bindings = bind({ nodes }, "");
  return defineSaga({
    manifest: { steno: 1, name, hash, nodes },
    nodes: bindings.nodes,
    output: ({ params }: { readonly params: unknown }) => params,
  });
}

function bind(graph: Graph, prefix: string): GraphBindings {
  return {
    nodes: Object.fromEntries(
      graph.nodes.map((node) => {
        const path = prefix + node.name;
        if (node.kind === "compute") return [node.name, { compute: () => path }];
        if (node.kind === "sleep") return [node.name, { duration: () => SLEEP_MS }];
        if (node.kind === "subsaga") {
          return [node.name, { params: () => path, graph: bind(node.graph, `${path}/`) }];
        }
        if (node.kind === "scope" || node.kind === "map" || node.kind === "loop") {
          const graph = bind(node.graph, `${path}/`);
          if (node.kind !== "scope") return [node.name, { items: () => ITEMS, graph }];
          const handler = bind(node.handler ?? { nodes: [] }, `${path}/`);
          return [node.name, { graph, handler }];
        }
        return [node.name, { inputs: () => [path] }];
      }),
    ),
  };
}

/** The undo of {@link scripted} gets the output first, then the path. */
export function scriptOf(
  act: (node: string) => unknown,
  undo: (node: string, output: unknown) => unknown = () => undefined,
): Script {
  return {
    act: async (node) => act(node),
    undo: (async (output: unknown, node: string) => void (await undo(node, output))) as never,
  };
}
