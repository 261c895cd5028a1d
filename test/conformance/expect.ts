/**
 * What a recorded outcome says here: steno's log, states and result in our terms. Start and end of a
 * graph have no node here, and what has no undo no undo events; all else is one to one. It is pure.
 */
import type { BodyEdge, FlatNode, Outcome, States, StenoEventType } from "./dag.js";
import { printJson, type Json } from "./json.js";
import type { Seen, StatesHere } from "./observe.js";
import { stenoError, stenoEvent, stenoText, stenoUndoError } from "./translate.js";

/** One thing that there is to see, as a text; equal things have equal texts. */
export type Fact = string;

export interface Facts {
  readonly log: readonly Fact[];
  readonly states: readonly Fact[];
  readonly probes: readonly Fact[];
  readonly recovered: readonly Fact[];
  readonly bodies: readonly Fact[];
  readonly result: readonly Fact[];
  readonly updates: readonly Fact[];
}

export const ASPECTS = [
  "result",
  "states",
  "log",
  "bodies",
  "probes",
  "recovered",
  "updates",
] as const satisfies readonly (keyof Facts)[];

/** What a log that is recovered from says of its nodes; empty for a run that is started. */
export interface Prefix {
  /** The last of each node's events. */
  readonly last: ReadonlyMap<string, string>;
  readonly unwinding: boolean;
  readonly stuck: boolean;
  readonly finished: boolean;
}

export interface Frame {
  readonly flat: readonly FlatNode[];
  readonly paths: ReadonlyMap<string, string>;
  readonly prefix: Prefix;
  readonly isRecovery: boolean;
}

/** What steno did, as it would be seen here. */
export function expected(outcome: Outcome, frame: Frame): Facts {
  return {
    log: expectedLog(outcome, frame),
    // Of a saga that hangs or has crashed steno has no states.
    states: outcome.states === undefined ? [] : printStates(outcome.states),
    probes: (outcome.probes ?? []).flatMap(({ t, view, states }) =>
      [`view: ${view}`, ...printStates(states)].map((fact) => `t=${t} ${fact}`),
    ),
    recovered:
      outcome.recovered_states === undefined
        ? []
        : printStates(settleInstants(outcome.recovered_states, frame)),
    bodies: (outcome.bodies ?? []).map(printBody),
    result: expectedResult(outcome),
    updates: expectedUpdates(outcome),
  };
}

/** What was seen here, in the same words. */
export function observed(seen: Seen, outcome: Outcome, frame: Frame): Facts {
  const { flat, paths } = frame;
  const back = new Map([...paths].map(([steno, here]) => [here, steno]));
  const result = observedResult(seen, frame, back);
  return {
    log: seen.log.slice(seen.before).flatMap((event) => observedEvent(event, back, flat)),
    states: outcome.states === undefined ? [] : printStates(stenoStates(seen, frame)),
    probes: seen.probes.flatMap((probe) =>
      [
        `view: ${viewOf(probe.status)}`,
        ...printStates(stenoStates({ ...probe, log: seen.log, until: probe.t }, frame)),
      ].map((fact) => `t=${probe.t} ${fact}`),
    ),
    recovered:
      outcome.recovered_states === undefined || seen.recovered === undefined
        ? []
        : printStates(
            stenoStates(
              { states: seen.recovered, status: seen.was, log: seen.log.slice(0, seen.before) },
              frame,
            ),
          ),
    bodies: seen.bodies.map(printBody),
    result,
    updates: observedUpdates(seen),
  };
}

function printBody({ t, node, phase, edge, attempt, params, inputs, ok }: BodyEdge): Fact {
  const given = edge === "begin" ? ` ${printJson(params ?? null)} ${printJson(inputs ?? {})}` : "";
  return `t=${t} ${node} ${phase} ${edge} #${attempt}${given}${edge === "end" ? ` ${ok}` : ""}`;
}

function fact(t: number, path: string, type: string, value?: Json): Fact {
  return `t=${t} ${path} ${type}${value === undefined ? "" : ` ${printJson(value)}`}`;
}

/** The kinds of events of a node that have a counterpart here. */
const KEPT: Readonly<Record<FlatNode["kind"], readonly string[]>> = {
  action: ["started", "succeeded", "failed", "undo_started", "undo_finished", "undo_failed"],
  constant: ["started", "succeeded", "failed"],
  "subsaga-start": ["started"],
  "subsaga-end": ["succeeded", "failed"],
  start: [],
  end: ["succeeded"],
};

function expectedLog(outcome: Outcome, { flat, prefix, isRecovery }: Frame): Fact[] {
  const kinds = new Map(flat.map(({ path, kind }) => [path, kind]));
  const facts = (outcome.log ?? []).flatMap(({ t, node, event }) => {
    const kind = kinds.get(node);
    const { type, value } = stenoEvent(node, event as StenoEventType);
    if (kind === undefined) return [fact(t, node, `${type} of an unknown node`)];
    if (!KEPT[kind].includes(type) || isMoot(node, kind, prefix)) return [];
    return [fact(t, node, type, value)];
  });
  if (!isRecovery || prefix.stuck) return facts;
  // Every attempt is recorded here, also one that repeats what was under way.
  for (const [path, type] of prefix.last) {
    if (kinds.get(path) !== "action") continue;
    if (type === "started" || type === "undo_started") facts.push(fact(0, path, type));
  }
  return facts;
}

/**
 * Steno ends what a constant or a subsaga's end had begun, though it is undone at once. Here nothing
 * ends in a graph that unwinds, unless a body is called.
 */
function isMoot(path: string, kind: FlatNode["kind"], prefix: Prefix): boolean {
  if (!prefix.unwinding || prefix.last.get(path) !== "started") return false;
  return kind === "constant" || kind === "subsaga-end";
}

type Event = Seen["log"][number];

const TYPES: Readonly<Record<string, string>> = {
  started: "started",
  succeeded: "succeeded",
  failed: "failed",
  "undo-started": "undo_started",
  undone: "undo_finished",
  "undo-failed": "undo_failed",
};

/** Of the run itself, and of what an operator did. */
const NOT_OF_NODES = new Set(["created", "recovered", "paused", "resumed", "injected"]);

function observedEvent(
  event: Event,
  back: ReadonlyMap<string, string>,
  flat: readonly FlatNode[],
): Fact[] {
  if (NOT_OF_NODES.has(event.type)) return [];
  const here = "node" in event ? event.node : "";
  const type = TYPES[event.type] ?? event.type;
  if (here === "") return [fact(event.at, "$end", type, type === "succeeded" ? null : undefined)];
  const path = back.get(here) ?? `?${here}`;
  const value = "value" in event && event.value !== undefined ? JSON.parse(event.value) : null;
  switch (type) {
    case "succeeded":
      return [fact(event.at, path, type, value)];
    case "failed":
      return [fact(event.at, path, type, stenoError(value))];
    case "undo_failed":
      return [fact(event.at, path, type, stenoUndoError(value))];
    default: {
      const start = `${path}/$start`;
      const begins = type === "started" && flat.some((node) => node.path === start);
      return [fact(event.at, begins ? start : path, type)];
    }
  }
}

interface Looked {
  readonly states: StatesHere;
  readonly status: string;
  readonly log: Seen["log"];
  readonly until?: number;
}

/** Our states as steno's: those of start and end nodes follow from the node, or run, that they are of. */
function stenoStates(
  { states, status, log, until = Infinity }: Looked,
  { flat, paths, prefix }: Frame,
): States {
  const found: Record<string, string> = {};
  for (const { path, kind } of flat) {
    const here = paths.get(path.replace(/\/\$start$/, "")) ?? "";
    const state = states[here] ?? "missing";
    if (kind === "start") {
      found[path] = status === "undone" ? "undone" : "done";
    } else if (kind === "end") {
      const forward = status === "running" ? "blocked" : "abandoned";
      found[path] = status === "succeeded" ? "done" : forward;
    } else if (kind === "subsaga-start") {
      const over = state === "failed" ? "undone" : state;
      found[path] = state === "working" ? "done" : over;
    } else if (kind === "subsaga-end" && ["working", "undone", "failed"].includes(state)) {
      const ended = log.find(
        (event) =>
          "node" in event &&
          event.node === here &&
          (event.type === "succeeded" || event.type === "failed") &&
          event.at <= until,
      );
      const began = status === "running" ? "blocked" : "abandoned";
      const never = isMoot(path, kind, prefix) ? "undone" : began;
      found[path] = ended === undefined ? never : ended.type === "failed" ? "failed" : "undone";
    } else {
      // What is queued is the subsaga's start.
      found[path] = kind === "subsaga-end" && state === "queued-todo" ? "blocked" : state;
    }
  }
  return found;
}

function printStates(states: States): Fact[] {
  return Object.entries(states).map(([path, state]) => `${path}: ${state}`);
}

/** Where steno's nodes are once those that take no time here have had their turn. */
function settleInstants(states: States, { flat, prefix }: Frame): States {
  const settled: Record<string, string> = { ...states };
  const after = new Map<string, string[]>();
  for (const { path, before } of flat) {
    for (const each of before) after.set(each, [...(after.get(each) ?? []), path]);
  }
  const step = (node: FlatNode): string | undefined => {
    const { path, kind, before } = node;
    const begun = prefix.last.get(path) === "started";
    switch (settled[path]) {
      case "queued-todo":
        if (kind === "start" || (kind === "subsaga-start" && begun)) return "done";
        if (kind === "action" && begun) return "in-doubt";
        if (isMoot(path, kind, prefix)) return "undone";
        // It ends with what is in it, or with the run: here that is one thing.
        if (kind === "subsaga-end" || kind === "end") return "blocked";
        return kind === "constant" && begun ? "working" : undefined;
      case "queued-undo":
        return kind === "action" ? undefined : "undone";
      case "blocked":
        if (kind === "subsaga-end" || kind === "end") return undefined;
        return before.every((each) => settled[each] === "done") ? "queued-todo" : undefined;
      case "done": {
        const isOver = (each: string): boolean => OVER.has(settled[each] ?? "");
        const children = after.get(path) ?? [];
        return prefix.unwinding && children.length > 0 && children.every(isOver)
          ? "queued-undo"
          : undefined;
      }
      default:
        return undefined;
    }
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const node of flat) {
      const next = step(node);
      if (next === undefined) continue;
      settled[node.path] = next;
      changed = true;
    }
  }
  return settled;
}

const OVER = new Set(["undone", "abandoned", "failed"]);

function expectedResult({ result, end_t }: Outcome): Fact[] {
  if (result === undefined) return [];
  const at = `at t=${end_t}`;
  if (result.ok !== undefined) {
    const { output, node_outputs } = result.ok;
    return [at, `output ${printJson(output)}`, `outputs ${printJson(node_outputs)}`];
  }
  if (result.err === undefined) return [at, "neither a result nor an error"];
  const { node, error, text, undo_failure } = result.err;
  const facts = [at, `failed at ${node}: ${printJson(error)} (${text})`];
  if (undo_failure === null) return facts;
  const { node: where, error: why, text: said } = undo_failure;
  return [...facts, `stuck at ${where}: ${printJson(why)} (${said})`];
}

function observedResult(seen: Seen, { flat }: Frame, back: ReadonlyMap<string, string>): Fact[] {
  const at = `at t=${seen.endT}`;
  if (seen.ok !== undefined) {
    const outputs = outputsOf(seen, flat, back);
    return [at, `output ${printJson(seen.ok.output)}`, `outputs ${printJson(outputs)}`];
  }
  // Steno knows one failure, of the node with the lowest id; here all are kept, as they came.
  const lowest = (found: Seen["failures"]): Seen["failures"][number] | undefined => {
    const places = found.map(({ node }) => flat.findIndex(({ path }) => path === back.get(node)));
    return found[places.indexOf(Math.min(...places))];
  };
  const bare = (node: string): string => (back.get(node) ?? `?${node}`).split("/").at(-1) ?? "";
  const failed = lowest(seen.failures);
  const stuck = lowest(seen.stuck);
  const facts = [at];
  if (failed !== undefined) {
    const error = stenoError(plain(failed.error));
    facts.push(`failed at ${bare(failed.node)}: ${printJson(error)} (${stenoText(error)})`);
  }
  if (stuck !== undefined) {
    const error = stenoUndoError(plain(stuck.error));
    facts.push(`stuck at ${bare(stuck.node)}: ${printJson(error)} (${stenoText(error)})`);
  }
  return facts;
}

function plain(error: Error): Readonly<Record<string, unknown>> {
  return { ...error, message: error.message };
}

/** Outputs by bare names: of equal names the highest id wins, as in steno. */
function outputsOf(
  { log }: Seen,
  flat: readonly FlatNode[],
  back: ReadonlyMap<string, string>,
): { readonly [name: string]: Json } {
  const byPath = new Map<string, Json>();
  for (const event of log) {
    if (event.type !== "succeeded" || event.node === "") continue;
    byPath.set(back.get(event.node) ?? event.node, JSON.parse(event.value ?? "null") as Json);
  }
  const found: [string, Json][] = [];
  for (const { path, kind } of flat) {
    if (kind === "start" || kind === "end" || kind === "subsaga-start") continue;
    const output = byPath.get(path);
    if (output !== undefined) found.push([path.split("/").at(-1) ?? "", output]);
  }
  return Object.fromEntries(found);
}

interface Updated {
  readonly cached_states?: readonly { readonly t: number; readonly state: string }[];
}

/** When the run's row changed: that it unwinds is not said where it is over in the same instant. */
function expectedUpdates({ cached_states = [] }: Updated): Fact[] {
  const done = cached_states.find(({ state }) => state === "done");
  return cached_states
    .filter(({ state, t }) => state === "done" || t !== done?.t)
    .map(({ t, state }) => `t=${t} ${state}`);
}

const ROW_STATES: Readonly<Record<string, string>> = {
  unwinding: "unwinding",
  succeeded: "done",
  undone: "done",
  stuck: "done",
};

function observedUpdates({ updates, was, endT }: Seen): Fact[] {
  const statuses = [{ t: 0, status: was }, ...updates];
  const changes = statuses.filter((each, index) => each.status !== statuses[index - 1]?.status);
  const named = changes.slice(1).map((each) => ({ t: each.t, state: nameOf(each.status) }));
  // Of a run that was over, or stuck, before it was recovered steno says so once more.
  const over = nameOf(was) === "done" && named.length === 0;
  return expectedUpdates({ cached_states: over ? [{ t: endT ?? 0, state: "done" }] : named });
}

function nameOf(status: string): string {
  return ROW_STATES[status] ?? status;
}

function viewOf(status: string): string {
  return nameOf(status) === "done" ? "done" : "running";
}
