/** Draws manifests as source text for Graphviz and Mermaid. It reads manifests only, never sources. */
import type { After, Condition, Graph, Manifest, Node } from "steno-runtime/manifest";

export type GraphFormat = "dot" | "mermaid";

export function drawGraphs(manifests: readonly Manifest[], format: GraphFormat): string {
  return format === "dot" ? dot(manifests) : mermaid(manifests);
}

/** Ids for nodes and groups: names are only shown, so that they can hold anything. */
class Ids {
  private count = 0;

  next(): string {
    return `n${this.count++}`;
  }
}

/** How a node is drawn: its own id, or a group with what is inside. */
interface Drawn {
  readonly lines: readonly string[];
  /** Where arrows to it end, and where arrows from it begin. */
  readonly first: readonly string[];
  readonly last: readonly string[];
}

interface Style {
  readonly node: (id: string, node: Node) => string;
  readonly group: (id: string, label: string, inside: readonly string[]) => string[];
  readonly arrow: (from: string, to: string, label: string) => string;
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

function drawGraph(graph: Graph, ids: Ids, style: Style): Drawn {
  const drawn = new Map<string, Drawn>();
  const followed = new Set<string>();
  const arrows: string[] = [];
  for (const node of graph.nodes) {
    const made = drawNode(node, ids, style);
    drawn.set(node.name, made);
    for (const after of node.after) {
      const earlier = typeof after === "string" ? after : after.node;
      const label = arrowLabel(after, node);
      followed.add(earlier);
      for (const from of drawn.get(earlier)?.last ?? []) {
        for (const to of made.first) arrows.push(style.arrow(from, to, label));
      }
    }
  }
  const all = [...drawn.values()];
  return {
    lines: [...all.flatMap((each) => each.lines), ...arrows],
    first: graph.nodes.flatMap(({ name, after }) =>
      after.length === 0 ? (drawn.get(name)?.first ?? []) : [],
    ),
    last: graph.nodes.flatMap(({ name }) =>
      followed.has(name) ? [] : (drawn.get(name)?.last ?? []),
    ),
  };
}

/** The arm that an arrow from a decision stands for, or the conditions of a conditional wait. */
function arrowLabel(after: After, node: Node): string {
  if (typeof after !== "string") return after.when.map(conditionText).join(" and ");
  const own = (node.when ?? []).filter(({ decision }) => decision === after);
  return own.map(({ arm, not }) => (not === true ? `not ${arm}` : arm)).join(" and ");
}

function conditionText({ decision, arm, not }: Condition): string {
  return `${decision} ${not === true ? "not " : ""}${arm}`;
}

function drawNode(node: Node, ids: Ids, style: Style): Drawn {
  const id = ids.next();
  if (!("graph" in node) || node.graph.nodes.length === 0) {
    return { lines: [style.node(id, node)], first: [id], last: [id] };
  }
  const inside = drawGraph(node.graph, ids, style);
  if (node.kind === "scope" && node.handler !== undefined && node.handler.nodes.length > 0) {
    const caught = ids.next();
    const handler = drawGraph(node.handler, ids, style);
    const lines = [...inside.lines, ...style.group(caught, "catch", handler.lines)];
    const last = [...inside.last, ...handler.last];
    return { first: inside.first, last, lines: style.group(id, `${node.name}: scope`, lines) };
  }
  const label =
    node.kind === "subsaga" ? `${node.name}: ${node.saga}` : `${node.name}: ${node.kind}`;
  return { ...inside, lines: style.group(id, label, inside.lines) };
}

/** What is written on a node: its name, and the method if that is called otherwise. */
function labelOf(node: Node): readonly string[] {
  if (node.kind === "action") {
    const undo = node.undo === "none" ? [] : [`undo: ${node.undo}`];
    return [node.name, ...(node.action === node.name ? [] : [node.action]), ...undo];
  }
  return [node.name, node.kind];
}

function drawAll(manifests: readonly Manifest[], style: Style): string[] {
  const ids = new Ids();
  return manifests.flatMap((manifest) =>
    style.group(ids.next(), manifest.name, drawGraph(manifest, ids, style).lines),
  );
}

function dot(manifests: readonly Manifest[]): string {
  const quote = (text: string): string =>
    `"${text.replace(/[\\"]/g, "\\$&").replace(/\r?\n/g, "\\n")}"`;
  const shape: Partial<Record<Node["kind"], string>> = { action: "box", decision: "diamond" };
  const lines = drawAll(manifests, {
    node: (id, node) => {
      const label = labelOf(node)
        .map((line) => quote(line).slice(1, -1))
        .join("\\n");
      return `${id} [label="${label}", shape=${shape[node.kind] ?? "ellipse"}];`;
    },
    group: (id, label, inside) => [
      `subgraph cluster_${id} {`,
      ...indented([`label=${quote(label)};`, ...inside]),
      "}",
    ],
    arrow: (from, to, label) =>
      label === "" ? `${from} -> ${to};` : `${from} -> ${to} [label=${quote(label)}];`,
  });
  return ["digraph steno {", ...indented(["rankdir=TB;", ...lines]), "}"].join("\n");
}

function mermaid(manifests: readonly Manifest[]): string {
  // Mermaid knows entities by number, `#34;`, and no escape of its own.
  const escape = (text: string): string =>
    text.replace(/[^\p{L}\p{N} .,:()_-]/gu, (character) => `#${character.codePointAt(0)};`);
  const lines = drawAll(manifests, {
    node: (id, node) => {
      const label = labelOf(node).map(escape).join("<br>");
      if (node.kind === "decision") return `${id}{"${label}"}`;
      return node.kind === "action" ? `${id}["${label}"]` : `${id}(["${label}"])`;
    },
    group: (id, label, inside) => [
      `subgraph ${id}["${escape(label)}"]`,
      ...indented(inside),
      "end",
    ],
    arrow: (from, to, label) =>
      label === "" ? `${from} --> ${to}` : `${from} -- "${escape(label)}" --> ${to}`,
  });
  return ["flowchart TB", ...indented(lines)].join("\n");
}
