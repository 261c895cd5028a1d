/**
 * Steno's saga log in our words, and what steno makes of it: which nodes it leaves begun. A log is
 * taken as a set, since steno sorts what it is given; the order here is one that its graph allows.
 */
import { type Dag, type FlatNode, nodesOf, type StenoEventType } from "./dag.js";
import type { Json } from "./json.js";
import type { LoggedEvent, SagaEvent } from "../../runtime/events.js";

/** An event of steno's, of a node that may not be in the graph. */
export interface StenoEvent {
  /** `undefined`: of a node that the graph does not have. */
  readonly path: string | undefined;
  readonly type: string;
  readonly value: Json | undefined;
  /** It says that it is of another saga. */
  readonly foreign: boolean;
}

export function stenoEvent(
  path: string | undefined,
  event: StenoEventType,
  foreign = false,
): StenoEvent {
  if (typeof event === "string") return { path, type: event, value: undefined, foreign };
  const [type = "", value = null] = Object.entries(event)[0] ?? [];
  return { path, type, value, foreign };
}

/** The types of events, in the order in which steno sorts them. */
export const ORDER = [
  "started",
  "succeeded",
  "failed",
  "undo_started",
  "undo_finished",
  "undo_failed",
];

/** Where the log leaves a node: the last of its events, as steno sorts them. */
export function lastEvents(events: readonly StenoEvent[]): Map<string, string> {
  const last = new Map<string, string>();
  for (const { path, type } of events) {
    if (path === undefined) continue;
    if (ORDER.indexOf(type) > ORDER.indexOf(last.get(path) ?? "")) last.set(path, type);
  }
  return last;
}

export interface Translated {
  readonly events: readonly LoggedEvent[];
  /** Events that have no counterpart here: of start and end nodes, and undos of what has no undo. */
  readonly dropped: readonly StenoEvent[];
  /** The event that is the last here: that one is missing cannot be seen. */
  readonly last: StenoEvent | undefined;
}

export interface Translation {
  readonly dag: Dag;
  readonly flat: readonly FlatNode[];
  readonly paths: ReadonlyMap<string, string>;
  readonly params: Json;
  readonly log: readonly StenoEvent[];
}

/** An event that a node has here; `undefined` if the row is another run's. */
interface Item {
  readonly from: StenoEvent;
  /** Forward, failed, back. */
  readonly rank: number;
  readonly place: number;
  readonly event: SagaEvent | undefined;
}

const UNKNOWN: SagaEvent = {
  type: "started",
  at: 0,
  node: "no-such-node",
  attempt: 1,
  value: "[]",
};

/** The log that says here what steno's says. */
export function translate({ dag, flat, paths, params, log }: Translation): Translated {
  const values = new Values(dag, params, log);
  const dropped: StenoEvent[] = [];
  const byPath = new Map<string, StenoEvent[]>();
  for (const event of log) {
    const key = event.path ?? "";
    byPath.set(key, [...(byPath.get(key) ?? []), event]);
  }
  const items: Item[] = [];
  for (const [place, node] of topological(flat).entries()) {
    const ofNode = [...(byPath.get(node.path) ?? [])];
    for (const event of ofNode.sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type))) {
      const found = here(node, event, paths, values);
      if (found === undefined) {
        dropped.push(event);
        continue;
      }
      const rank = Math.max(0, ORDER.indexOf(event.type) - 1) && (event.type === "failed" ? 1 : 2);
      const places = [place, log.indexOf(event), -place];
      // What is of another saga is not in this run's log: its place there is empty.
      items.push({
        from: event,
        rank,
        place: places[rank] ?? 0,
        event: event.foreign ? undefined : found,
      });
    }
  }
  items.sort((a, b) => a.rank - b.rank || a.place - b.place);
  const unknown = (byPath.get("") ?? []).map((): SagaEvent => UNKNOWN);
  const created: SagaEvent = { type: "created", at: 0, value: printStored(params) };
  const all = [created, ...unknown, ...items.map(({ event }) => event)];
  const events = all.flatMap((event, seq) => (event === undefined ? [] : [{ ...event, seq }]));
  return { events, dropped, last: items.at(-1)?.from };
}

/** As it is stored here, where a number that is none in JavaScript is carried as its text. */
export function printStored(value: Json): string {
  return JSON.stringify(value);
}

function here(
  { path, kind }: FlatNode,
  { type, value }: StenoEvent,
  paths: ReadonlyMap<string, string>,
  values: Values,
): SagaEvent | undefined {
  const node = paths.get(path.replace(/\/\$start$/, "")) ?? "";
  const base = { at: 0, node, attempt: 1 };
  const text = printStored(value ?? null);
  switch (type) {
    case "started":
      if (kind !== "action" && kind !== "subsaga-start" && kind !== "constant") return undefined;
      return { ...base, type, value: printStored(values.inputs(path)) };
    case "succeeded":
      if (kind === "end") return { ...base, node: "", type, value: printStored(values.output()) };
      return kind === "start" || kind === "subsaga-start"
        ? undefined
        : { ...base, type, value: text };
    case "failed":
      return { ...base, type, value: printStored(errorHere(value ?? null)) };
    default:
  }
  if (kind !== "action") return undefined;
  switch (type) {
    case "undo_started":
      return { ...base, type: "undo-started" };
    case "undo_finished":
      return { ...base, type: "undone" };
    default:
      return { ...base, type: "undo-failed", value: printStored(undoErrorHere(value ?? null)) };
  }
}

/** An injected error, as the saga log has it. */
export const INJECTED = { name: "InjectedError", message: "error injected", code: "injected" };

function errorHere(error: Json): Json {
  if (error === "InjectedError") return INJECTED;
  const { ActionFailed } = error as { readonly ActionFailed?: { readonly source_error: Json } };
  return {
    name: "Error",
    message: "action failed",
    source_error: ActionFailed?.source_error ?? null,
  };
}

const UNDO_MESSAGE = /^undo action attempt (\d+): (.*)$/s;

function undoErrorHere(error: Json): Json {
  const { PermanentFailure } = error as {
    readonly PermanentFailure?: { readonly source_error: { readonly message: string } };
  };
  const said = PermanentFailure?.source_error.message ?? "";
  const [, call = "1", message = ""] = UNDO_MESSAGE.exec(said) ?? [];
  if (message === "error injected") return INJECTED;
  return { name: "Error", message, call: Number(call) };
}

/** Nodes after all that is before them. */
export function topological(flat: readonly FlatNode[]): FlatNode[] {
  const done = new Set<string>();
  const found: FlatNode[] = [];
  for (let left = [...flat]; left.length > 0;) {
    const next = left.filter(({ before }) => before.every((path) => done.has(path)));
    if (next.length === 0) throw new Error("the graph of a case has a cycle");
    for (const node of next) {
      done.add(node.path);
      found.push(node);
    }
    left = left.filter(({ path }) => !done.has(path));
  }
  return found;
}

/** What a node is given, from what the log says of those before it. */
class Values {
  readonly #outputs = new Map<string, Json>();
  readonly #dag: Dag;
  readonly #params: Json;

  constructor(dag: Dag, params: Json, log: readonly StenoEvent[]) {
    this.#dag = dag;
    this.#params = params;
    for (const { path, type, value } of log) {
      if (path !== undefined && type === "succeeded") this.#outputs.set(path, value ?? null);
    }
  }

  output(): Json {
    const last = nodesOf(this.#dag.stages.at(-1) ?? {})[0];
    return this.#outputs.get(last?.name ?? "") ?? null;
  }

  /** The inputs of an action, or the params of a subsaga, as `started` has them. */
  inputs(path: string): Json[] {
    const start = path.endsWith("/$start");
    const parts = (start ? path.slice(0, -"/$start".length) : path).split("/");
    let dag = this.#dag;
    let params = this.#params;
    let prefix = "";
    for (const part of parts.slice(0, -1)) {
      const node = find(dag, part);
      if (node?.kind !== "subsaga") return [];
      params = this.#outputs.get(prefix + node.params_node) ?? null;
      prefix += `${part}/`;
      dag = node.dag;
    }
    const node = find(dag, parts.at(-1) ?? "");
    const valueOf = (name: string): Json => this.#outputs.get(prefix + name) ?? null;
    if (node?.kind === "subsaga") return [valueOf(node.params_node)];
    if (node?.kind !== "action") return [];
    return [params, ...(node.lookups ?? []).map(valueOf)];
  }
}

function find(dag: Dag, name: string): ReturnType<typeof nodesOf>[number] | undefined {
  return dag.stages.flatMap(nodesOf).find((node) => node.name === name);
}

/** An error as steno has it. */
export function stenoError(error: Readonly<Record<string, unknown>>): Json {
  if (error["code"] === "injected") return "InjectedError";
  if ("source_error" in error)
    return { ActionFailed: { source_error: error["source_error"] as Json } };
  return { Other: `${String(error["message"])}` };
}

export function stenoUndoError(error: Readonly<Record<string, unknown>>): Json {
  const message = `undo action attempt ${String(error["call"] ?? 1)}: ${String(error["message"])}`;
  return { PermanentFailure: { source_error: { message } } };
}

/** The text that steno prints for an error. */
export function stenoText(error: Json): string {
  if (error === "InjectedError") return "error injected";
  const { ActionFailed, PermanentFailure } = error as { readonly [key: string]: Json };
  if (ActionFailed !== undefined) return "action failed";
  const { source_error } = (PermanentFailure ?? {}) as { readonly source_error?: Json };
  return `undo action failed permanently: ${JSON.stringify(source_error, null, 2)}`;
}
