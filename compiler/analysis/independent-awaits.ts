/**
 * Points out where an action waits for the one before it and takes nothing from it, though what both
 * give is used: they could run beside each other. Order may be wanted all the same, so it is a hint.
 */
import { independentAwaits as say } from "../diagnostics/catalogue/method.js";
import type { ActionNodeModel, Code, NodeModel, Pattern, SagaModel, VariableId } from "../model.js";
import { graphsOf, nodesOf } from "./graphs.js";
import type { Pass } from "./pass.js";

export const independentAwaits: Pass = {
  name: "independent-awaits",
  doc: "Points out actions that wait for the one before them and take nothing from it.",
  codes: ["independent-awaits"],
  run: (saga, report) => {
    const used = usedNodes(saga);
    const check = (nodes: readonly NodeModel[]): void => {
      for (const [index, second] of nodes.entries()) {
        const first = nodes[index - 1];
        if (first !== undefined && areIndependent(saga, first, second, used)) {
          const other = { span: first.span, text: "what it waits for" };
          report(say({ at: second.span, first: first.name, second: second.name, other }));
        }
        for (const inner of graphsOf(second)) check(inner.nodes);
      }
    };
    check(saga.nodes);
    return saga;
  },
};

function areIndependent(
  saga: SagaModel,
  first: NodeModel,
  second: NodeModel,
  used: ReadonlySet<string>,
): second is ActionNodeModel {
  if (first.kind !== "action" || second.kind !== "action") return false;
  const [only, ...others] = second.after;
  if (only !== first.name || others.length > 0) return false;
  if (JSON.stringify(first.when) !== JSON.stringify(second.when)) return false;
  // Where an output is not used, it is the order that is meant.
  if (!used.has(first.name) || !used.has(second.name)) return false;
  return !nodesRead(saga, second.inputs).has(first.name);
}

/** The nodes whose values codes read, also through variables that are made of others. */
function nodesRead(saga: SagaModel, codes: readonly Code[]): Set<string> {
  const nodes = new Set<string>();
  const seen = new Set<VariableId>();
  const open = codes.flatMap(variablesOf);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const holds = saga.variables.get(id)?.holds;
    if (holds === undefined || holds.kind === "params") continue;
    if (holds.kind === "glue") {
      const { pattern, init } = holds.statement;
      open.push(...[init, ...fallbacksOf(pattern)].flatMap(variablesOf));
    } else if (holds.kind === "choice") {
      open.push(...holds.alternatives.flatMap(({ code }) => (code ? variablesOf(code) : [])));
    } else {
      nodes.add(holds.node);
    }
  }
  return nodes;
}

function usedNodes(saga: SagaModel): Set<string> {
  const nodes = nodesOf(saga);
  const outputs = [saga, ...nodes.flatMap(graphsOf)].flatMap((graph) => graph.outputs);
  const codes = [...nodes.flatMap(codesOf), ...outputs.flatMap(({ code }) => code ?? [])];
  return nodesRead(saga, codes);
}

function codesOf(node: NodeModel): readonly Code[] {
  switch (node.kind) {
    case "action":
      return node.inputs;
    case "compute":
    case "decision":
      return [node.code];
    case "map":
    case "loop":
      return [node.items, ...(node.key ? [node.key] : [])];
    case "fail":
      return [node.error];
    case "sleep":
      return [node.duration];
    case "subsaga":
      return node.params ? [node.params] : [];
    case "spawn":
      return [node.params, node.id].flatMap((code) => code ?? []);
    default:
      return [];
  }
}

function variablesOf(code: Code): VariableId[] {
  const guards = (code.guards ?? []).flatMap(({ test }) => variablesOf(test));
  const own = code.parts.flatMap((part) =>
    typeof part !== "string" && "variable" in part ? [part.variable] : [],
  );
  return [...own, ...guards];
}

function fallbacksOf(pattern: Pattern): Code[] {
  if (pattern.kind === "variable") return [];
  const parts = pattern.kind === "object" ? pattern.properties : pattern.elements;
  return parts.flatMap((part) =>
    part === undefined
      ? []
      : [...(part.fallback ? [part.fallback] : []), ...fallbacksOf(part.target)],
  );
}
