/** When what became of each node of a run, and its last error, from the saga log. It folds no state. */
import type { SagaEvent } from "../events.js";

/** What a log says of a node; see `NodeStatus`. */
export interface NodeRecord {
  startedAt?: number;
  endedAt?: number;
  undoStartedAt?: number;
  undoneAt?: number;
  error?: { readonly name: string; readonly message: string };
}

/** By the paths of the nodes. */
export type NodeRecords = ReadonlyMap<string, Readonly<NodeRecord>>;

export function recordsOf(events: Iterable<SagaEvent>): NodeRecords {
  const records = new Map<string, NodeRecord>();
  for (const event of events) {
    if (!("node" in event) || event.node === "") continue;
    const record = records.get(event.node) ?? {};
    if (note(record, event)) records.set(event.node, record);
  }
  return records;
}

/** Whether the event says something of the node. */
function note(record: NodeRecord, event: SagaEvent): boolean {
  const { at, type } = event;
  if (/-failed$|^failed$|^in-doubt$|^failure-held$/.test(type) && "value" in event) {
    record.error = errorOf(event.value);
  }
  switch (type) {
    case "started":
    case "expanded":
    case "timer-set":
      record.startedAt ??= at;
      return true;
    case "succeeded":
    case "failed":
    case "decided":
    case "timer-fired":
    case "spawned":
    case "output-settled":
      // What has no body starts with its end.
      record.startedAt ??= at;
      record.endedAt = at;
      return true;
    case "undo-started":
      record.undoStartedAt ??= at;
      return true;
    case "undone":
    case "undo-settled":
      record.undoneAt = at;
      return true;
    default:
      return record.error !== undefined;
  }
}

/** An error as it was recorded; or a doubt, which is one word. */
function errorOf(text: string | undefined): { readonly name: string; readonly message: string } {
  const value = JSON.parse(text ?? "null") as unknown;
  if (typeof value !== "object" || value === null) {
    return { name: "InDoubt", message: String(value) };
  }
  const { name, message } = value as { readonly name?: unknown; readonly message?: unknown };
  return { name: String(name ?? "Error"), message: String(message ?? "") };
}
