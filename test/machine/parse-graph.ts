/**
 * Graphs in a few characters, for tests of the machine: one node a line, `name [flags] < a b`.
 * Flags of an action: `started`, `none`, `pivot`, `pause`, `retry=2` or `forever`, `undo=1` (attempts). Other kinds: `compute`,
 * `decision=then,else`, `fail`, `sleep`, `event=name` (`timeout=50`), `spawn=name` (`wait`), and with
 * a graph until `}`: `{` alone is a subsaga, `scope {` … `} catch {` …, `map {` (`limit=2`), `loop {`.
 * Conditions: `if=x:then`, `if=x!then` (not); `< a?x:then` waits for `a` only if that arm is taken;
 * `exit break if=x:then` is an exit of the graph. What comes of a node: `take=else`, `count=3`, with
 * one for each item of the innermost list around it: `take=else,then`.
 */
import type { After, Condition, Exit, Manifest, Node } from "../../runtime/manifest.js";
import type { Choice } from "./host.js";

const policy = (attempts: number | "forever") =>
  ({ attempts, delayMs: 100, factor: 2, maxDelayMs: 1000, jitter: false }) as const;

/** A graph that is being read. */
interface Open {
  readonly nodes: Node[];
  readonly exits: Exit[];
}

export interface Parsed {
  readonly manifest: Manifest;
  readonly choose: Choice;
}

export function parseGraph(lines: readonly string[]): Parsed {
  const choices = new Map<string, readonly string[]>();
  const top: Open = { nodes: [], exits: [] };
  const open = [top];
  for (const line of lines.map((each) => each.trim()).filter((each) => each !== "")) {
    const at = open.at(-1) as Open;
    if (line === "}" || line === "} catch {") {
      open.pop();
      if (line === "}") continue;
      const handler: Open = { nodes: [], exits: [] };
      const above = (open.at(-1) as Open).nodes;
      above.push({ ...(above.pop() as Extract<Node, { kind: "scope" }>), handler });
      open.push(handler);
      continue;
    }
    const [head = "", tail = ""] = line.replace("{", "").split("<");
    const [name = "", ...flags] = head.trim().split(/\s+/);
    const when = flags.flatMap((flag) => (flag.startsWith("if=") ? [conditionOf(flag)] : []));
    if (name === "exit") {
      at.exits.push({ to: flags[0] as Exit["to"], when });
      continue;
    }
    const after = tail.split(/\s+/).filter((each) => each !== "");
    const base = { name, after: after.map(afterOf), ...(when.length > 0 && { when }) };
    const graph: Open = { nodes: [], exits: [] };
    const holder = line.includes("{");
    if (holder) open.push(graph);
    at.nodes.push(nodeOf(base, flags, holder ? graph : undefined));
    const chosen = valueOf(flags, "take") ?? valueOf(flags, "count");
    if (chosen !== undefined) choices.set(name, chosen.split(","));
  }
  const manifest: Manifest = { steno: 1, name: "scene", hash: "sha256-scene", ...top };
  return { manifest, choose: chooseFrom(choices) };
}

function chooseFrom(choices: ReadonlyMap<string, readonly string[]>): Choice {
  return ((path: string, node: Node) => {
    const list = choices.get(node.name);
    const item = Number(/\[(\d+)\][^[]*$/.exec(path)?.[1] ?? 0);
    const chosen = list?.[Math.min(item, list.length - 1)];
    if (node.kind === "decision") return chosen ?? node.arms[0];
    return Number(chosen ?? 2);
  }) as Choice;
}

function conditionOf(flag: string): Condition {
  const [, decision = "", sign, arm = ""] = /^(?:if=)?(.+)([:!])(.+)$/.exec(flag) ?? [];
  return sign === "!" ? { decision, arm, not: true } : { decision, arm };
}

function afterOf(text: string): After {
  const [node = "", ...when] = text.split("?");
  return when.length === 0 ? node : { node, when: when.map(conditionOf) };
}

function valueOf(flags: readonly string[], name: string): string | undefined {
  return flags.find((flag) => flag.startsWith(`${name}=`))?.slice(name.length + 1);
}

type Base = Pick<Node, "name" | "after" | "when">;

function nodeOf(base: Base, flags: readonly string[], graph: Open | undefined): Node {
  const value = (name: string): string | undefined => valueOf(flags, name);
  if (graph !== undefined) {
    const limit = value("limit");
    if (flags.includes("scope")) return { ...base, kind: "scope", graph };
    if (flags.includes("loop")) return { ...base, kind: "loop", graph };
    if (!flags.includes("map")) return { ...base, kind: "subsaga", saga: base.name, graph };
    return { ...base, kind: "map", graph, ...(limit && { concurrency: Number(limit) }) };
  }
  const arms = value("decision");
  const event = value("event");
  const spawn = value("spawn");
  const timeout = value("timeout");
  if (arms !== undefined) return { ...base, kind: "decision", arms: arms.split(",") };
  if (event !== undefined) {
    const timeoutMs = timeout === undefined ? {} : { timeoutMs: Number(timeout) };
    return { ...base, kind: "event", target: event, ...timeoutMs };
  }
  if (spawn !== undefined) {
    const wait = flags.includes("wait") ? { wait: true as const } : {};
    return { ...base, kind: "spawn", target: spawn, ...wait };
  }
  for (const kind of ["compute", "fail", "sleep"] as const) {
    if (flags.includes(kind)) return { ...base, kind };
  }
  return actionOf(base, flags);
}

function actionOf(base: Base, flags: readonly string[]): Node {
  const retry = valueOf(flags, "retry");
  const undo = Number(valueOf(flags, "undo") ?? 0);
  const attempts = retry === "forever" ? retry : Number(retry);
  const none = flags.includes("none") || flags.includes("pivot");
  return {
    ...base,
    kind: "action",
    action: base.name,
    undo: none ? "none" : `un-${base.name}`,
    ...(flags.includes("started") && { undoWhen: "started" as const }),
    ...(flags.includes("pivot") && { pivot: true as const }),
    ...(flags.includes("pause") && { onFailure: "pause" as const }),
    ...(retry !== undefined && { retry: policy(attempts) }),
    ...(undo > 0 && { undoRetry: policy(undo) }),
  };
}
