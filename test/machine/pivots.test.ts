/**
 * The proof about pivots against the machine: in random graphs that it accepts no schedule of failures
 * ever has to undo a passed pivot; and for what it refuses there nearly always is one.
 */
import { expect, test } from "vitest";
import { pivots } from "../../compiler/analysis/pivots.js";
import type { GraphModel, NodeModel, SagaModel } from "../../compiler/model.js";
import type { SagaEvent } from "../../runtime/events.js";
import { doubtOf, failureOf } from "../../runtime/machine/holding.js";
import { makePlan, type Plan } from "../../runtime/machine/plan.js";
import { type Graph, type Node, parseManifest } from "../../runtime/manifest.js";
import { nodeOf, pathOf, PHASE, placeOf } from "../../runtime/state.js";
import { checkLog } from "./check-run.js";
import { describeState, Host } from "./host.js";
import { chooseByPath, chooseFrom, type Choose, randomGraph } from "./random-graph.js";

const POLICIES = [
  "undo",
  "none",
  "forever",
  "forever",
  "pause",
  "pivot",
  "pivot for ever",
] as const;
type Policy = (typeof POLICIES)[number];

/** What is said of each action, by its name: of a graph, names are unique. */
type Policies = Map<string, Policy>;

/** A random graph whose actions have random policies. */
function governed(choose: Choose): { readonly graph: Graph; readonly policies: Policies } {
  const policies: Policies = new Map();
  const govern = (graph: Graph): Graph => ({ ...graph, nodes: graph.nodes.map(governNode) });
  const governNode = (node: Node): Node => {
    if (node.kind === "action") {
      const { undoWhen: _, pivot: _pivot, onFailure: _failure, ...base } = node;
      const policy = POLICIES[choose(POLICIES.length)] as Policy;
      policies.set(node.name, policy);
      return {
        ...base,
        undo: policy === "undo" ? "u" : "none",
        ...(policy === "pause" && { onFailure: "pause" as const }),
        ...(policy.startsWith("pivot") && { pivot: true as const }),
      };
    }
    if (!("graph" in node)) return node;
    const graph = govern(node.graph);
    const handler = "handler" in node && node.handler && govern(node.handler);
    return { ...node, graph, ...(handler && { handler }) } as Node;
  };
  return { graph: govern(randomGraph(choose)), policies };
}

/** The graph as the compiler has it: what the proof looks at. */
function modelOf(graph: Graph, policies: Policies): GraphModel {
  const nodes = graph.nodes.map((node): NodeModel => {
    // The proof tells failures apart by where they are.
    const base = { ...node, span: { file: "a.ts", start: 0, end: 0 } };
    const inner = (of: Graph | undefined): GraphModel => modelOf(of ?? { nodes: [] }, policies);
    switch (node.kind) {
      case "action": {
        const policy = policies.get(node.name) as Policy;
        const action = {
          method: node.name,
          pivot: policy.startsWith("pivot"),
          onFailure: policy === "pause" ? policy : undefined,
          retry: policy.endsWith("ever") ? { attempts: "forever" } : undefined,
        };
        return { ...base, action } as unknown as NodeModel;
      }
      case "subsaga":
        return { ...base, saga: { ...inner(node.graph), method: node.name } } as never;
      case "map":
      case "loop":
        return { ...base, graph: inner(node.graph) } as never;
      case "scope":
        return { ...base, graph: inner(node.graph), handler: inner(node.handler) } as never;
      case "event":
        return { ...base, event: { name: node.target } } as never;
      default:
        return base as never;
    }
  });
  return { nodes, exits: graph.exits ?? [], outputs: [] } as unknown as GraphModel;
}

/** Whether the proof accepts a saga, and those that it embeds. */
function isAccepted(model: GraphModel): boolean {
  let accepted = true;
  pivots.run(model as SagaModel, () => (accepted = false));
  const inner = model.nodes.flatMap((node): GraphModel[] => {
    if (node.kind === "subsaga") return [node.saga];
    if (node.kind === "scope") return [node.graph, node.handler];
    return node.kind === "map" || node.kind === "loop" ? [node.graph] : [];
  });
  // A graph inside is looked at with the one around it; a saga that is embedded, by itself.
  return accepted && inner.every(isAccepted);
}

interface Undoing {
  /** The node whose failure would have undone a passed pivot, if one did. */
  readonly refused?: string;
  readonly passed: boolean;
}

/** Runs it with failures. */
function undoing(plan: Plan, policies: Policies, choose: Choose): Undoing {
  const host = new Host(plan, chooseByPath(choose(1000)));
  for (let left = 5000; host.state.finished === undefined && left > 0; left--) {
    const [effect] = host.acts.splice(choose(host.acts.length || 1), 1);
    if (effect === undefined) help(host);
    else if (effect.kind === "timer") host.fire(effect);
    else act(host, effect, policies, choose);
    const held = host.log.find((event) => isRefusedBy(event, host, policies));
    if (held !== undefined) return { refused: "node" in held ? held.node : "", passed: true };
  }
  expect(host.state.finished).toBeDefined();
  checkLog(host.state, host.log);
  const passed = host.log.some(
    (event) => event.type === "succeeded" && policyAt(event.node, policies)?.startsWith("pivot"),
  );
  return { passed };
}

/** A failure that is held because of a pivot only. The result of another run may be: it cannot say how to go on. */
function isRefusedBy(event: SagaEvent, { state }: Host, policies: Policies): boolean {
  if (event.type !== "failure-held" || policyAt(event.node, policies) === "pause") return false;
  const { frame, index } = placeOf(state, event.node);
  return nodeOf(frame, index).kind !== "spawn";
}

function policyAt(path: string, policies: Policies): Policy | undefined {
  return policies.get(path.slice(path.lastIndexOf("/") + 1));
}

function act(host: Host, effect: Host["acts"][number], policies: Policies, choose: Choose): void {
  const { kind, frame, index } = effect;
  if (kind !== "call" && kind !== "call-undo" && kind !== "watch") return;
  const node = pathOf(frame, index);
  const undo = kind === "call-undo";
  const attempt = (undo ? frame.unwinding?.attempt : frame.attempt)?.[index] as number;
  const base = { at: 0, node, attempt };
  if (undo) return host.tell({ ...base, type: "undone" });
  if (nodeOf(frame, index).kind === "spawn") {
    if (kind === "call") return host.tell({ ...base, type: "spawned", value: '"child"' });
    if (frame.phase[index] !== PHASE.waiting) return;
    const failed = choose(6) === 0;
    if (failed) host.tell(failureOf(host.state, frame, index, { ...base, value: "{}" }));
    else host.tell({ ...base, type: "succeeded" });
    return;
  }
  const isForEver = policyAt(node, policies)?.endsWith("ever") === true;
  const fate = choose(9);
  if (fate < 2 && isForEver) {
    host.tell({ ...base, type: "attempt-failed", value: "{}", dueAt: 5 });
  } else if (fate < 2) host.tell(failureOf(host.state, frame, index, { ...base, value: "{}" }));
  else if (fate === 2 && isForEver) {
    host.tell({ ...base, type: "in-doubt", value: '"timeout"', dueAt: 5 });
  } else if (fate === 2) host.tell(doubtOf(host.state, frame, index, { ...base, value: '"late"' }));
  else host.tell({ ...base, type: "succeeded" });
}

/** Nothing moves: what waits is tried again, or its event comes. */
function help(host: Host): void {
  const states = [...describeState(host.state)];
  const stuck = states.find(([, state]) => /stuck-in-doubt|failure-held/.test(state));
  if (stuck !== undefined) {
    return host.tell({ type: "retry-requested", at: 0, node: stuck[0], value: '""' });
  }
  for (const frame of host.state.frames) {
    const index = frame.phase.findIndex(
      (phase, place) => phase === PHASE.waiting && nodeOf(frame, place).kind === "event",
    );
    const node = index < 0 ? undefined : nodeOf(frame, index);
    if (node?.kind !== "event") continue;
    return host.tell({ type: "event-received", at: 0, node: node.target ?? "", value: "1" });
  }
  throw new Error(`nothing to do: ${states.join(" ")}`);
}

const SEEDS = Number(process.env["MACHINE_RUNS"] ?? 300);

test("what it accepts never has to undo a passed pivot, and what it refuses mostly can", () => {
  const seen = { accepted: 0, passed: 0, refused: 0, undoing: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const choose = chooseFrom(seed);
    const { graph, policies } = governed(choose);
    if (![...policies.values()].some((policy) => policy.startsWith("pivot"))) continue;
    const plan = makePlan(parseManifest({ steno: 1, name: "t", hash: "sha256-t", ...graph }));
    const accepted = isAccepted(modelOf(graph, policies));
    const found: (string | undefined)[] = [];
    for (let run = 0; run < (accepted ? 6 : 25) && found.at(-1) === undefined; run++) {
      const result = undoing(plan, policies, chooseFrom(seed * 1000 + run));
      found.push(result.refused);
      if (accepted && result.passed) seen.passed += 1;
    }
    seen[accepted ? "accepted" : "refused"] += 1;
    if (accepted) expect(found.at(-1), `seed ${seed}: ${JSON.stringify(graph)}`).toBeUndefined();
    else if (found.at(-1) !== undefined) seen.undoing += 1;
  }
  // Pivots were passed, so that there was something to undo.
  expect(seen.accepted).toBeGreaterThan(SEEDS / 10);
  expect(seen.passed).toBeGreaterThan(SEEDS / 10);
  // The others have arms that these graphs never take, and tries that cannot fail here.
  expect(seen.undoing / seen.refused).toBeGreaterThan(0.7);
}, 600_000);
