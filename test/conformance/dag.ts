/**
 * The recorded cases as data: what a line of the file says, and the graph that it describes with
 * steno's own numbers. It reads; what becomes of a case here is in `source.ts` and `expect.ts`.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { readJson, type Json } from "./json.js";

export interface Delayed {
  readonly delay?: number;
  readonly fail?: { readonly error: Json; readonly on?: readonly number[] };
  readonly panic?: boolean;
}

export type DagNode =
  | {
      readonly kind: "action";
      readonly name: string;
      readonly label?: string;
      readonly lookups?: readonly string[];
      readonly do?: Delayed;
      readonly undo?: Delayed;
    }
  | { readonly kind: "constant"; readonly name: string; readonly value: Json }
  | {
      readonly kind: "subsaga";
      readonly name: string;
      readonly params_node: string;
      readonly dag: Dag;
    };

export interface Dag {
  readonly name: string;
  readonly stages: readonly {
    readonly append?: DagNode;
    readonly append_parallel?: readonly DagNode[];
  }[];
}

export interface Inject {
  readonly error?: readonly string[];
  readonly error_undo?: readonly string[];
  readonly repeat?: readonly {
    readonly node: string;
    readonly action: number;
    readonly undo: number;
  }[];
}

/** `"started"`, `{ "succeeded": value }`, … */
export type StenoEventType = string | { readonly [type: string]: Json };

export interface StenoLogEntry {
  readonly t: number;
  readonly node: string;
  readonly id: number;
  readonly event: StenoEventType;
}

export interface RawEvent {
  readonly saga_id: string;
  readonly node_id: number;
  readonly event_type: StenoEventType;
}

export interface BodyEdge {
  readonly t: number;
  readonly node: string;
  readonly phase: "do" | "undo";
  readonly edge: "begin" | "end";
  readonly attempt: number;
  readonly params?: Json;
  readonly inputs?: { readonly [name: string]: Json };
  readonly ok?: boolean;
}

export type States = { readonly [path: string]: string };

export interface StenoResult {
  readonly ok?: { readonly output: Json; readonly node_outputs: { readonly [name: string]: Json } };
  readonly err?: {
    readonly node: string;
    readonly error: Json;
    readonly text: string;
    readonly undo_failure: null | {
      readonly node: string;
      readonly error: Json;
      readonly text: string;
    };
  };
}

export interface Outcome {
  readonly build_error?: string;
  readonly build_error_debug?: string;
  readonly create_error?: string;
  readonly resume_error?: string;
  readonly recovered_states?: States;
  readonly result?: StenoResult;
  readonly states?: States;
  readonly log?: readonly StenoLogEntry[];
  readonly cached_states?: readonly {
    readonly t: number;
    readonly state: string;
    readonly after_events: number;
  }[];
  readonly status_text?: string;
  readonly log_pretty?: string;
  readonly bodies?: readonly BodyEdge[];
  readonly probes?: readonly {
    readonly t: number;
    readonly view: string;
    readonly states: States;
  }[];
  readonly end_t?: number;
  readonly panics?: readonly string[];
  readonly client_panicked?: boolean;
  readonly hang?: boolean;
}

export interface Line {
  readonly id: string;
  readonly group: string;
  readonly base?: string;
  readonly prefix_len?: number;
  readonly mutation?: string;
  readonly input: {
    readonly params: Json;
    readonly saga?: Dag;
    readonly inject?: Inject;
    readonly probes?: readonly number[];
    readonly unregistered?: readonly string[];
    readonly events?: readonly RawEvent[];
  };
  readonly outcome: Outcome;
  readonly fix_reason?: string;
  readonly fixed_outcome?: Outcome;
  readonly stability?: { readonly instant_race?: boolean };
  /** The path of each node, by its id. */
  readonly paths?: readonly string[];
}

/** All lines of a case file, compressed or not. Strings in them contain every kind of line end but `\n`. */
export function readLines(file: string): Line[] {
  const bytes = readFileSync(file);
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString();
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line, index) => {
    try {
      return readJson(line) as unknown as Line;
    } catch (error) {
      throw new Error(`line ${index + 1} of ${file} is no JSON: ${String(error)}`);
    }
  });
}

/** A node of the flat graph that steno makes of a DAG, by its path; `$start` and `$end` included. */
export interface FlatNode {
  readonly path: string;
  readonly kind: "action" | "constant" | "subsaga-start" | "subsaga-end" | "start" | "end";
  readonly node?: DagNode;
  /** Paths of the nodes directly before it. */
  readonly before: readonly string[];
}

export function nodesOf(stage: Dag["stages"][number]): readonly DagNode[] {
  return stage.append_parallel ?? (stage.append === undefined ? [] : [stage.append]);
}

/** The nodes in the order of steno's node ids. */
export function flatten(dag: Dag): FlatNode[] {
  const nodes: FlatNode[] = [];
  const last = flattenInto(nodes, dag, "", ["$start"]);
  nodes.push({ path: "$start", kind: "start", before: [] });
  nodes.push({ path: "$end", kind: "end", before: last });
  return nodes;
}

function flattenInto(
  nodes: FlatNode[],
  dag: Dag,
  prefix: string,
  first: readonly string[],
): readonly string[] {
  let before = first;
  for (const stage of dag.stages) {
    const stageNodes = nodesOf(stage);
    for (const node of stageNodes) {
      const path = prefix + node.name;
      if (node.kind !== "subsaga") {
        nodes.push({ path, kind: node.kind, node, before });
        continue;
      }
      const start = `${path}/$start`;
      nodes.push({ path: start, kind: "subsaga-start", node, before });
      const inner = flattenInto(nodes, node.dag, `${path}/`, [start]);
      nodes.push({ path, kind: "subsaga-end", node, before: inner });
    }
    before = stageNodes.map(({ name }) => prefix + name);
  }
  return before;
}
