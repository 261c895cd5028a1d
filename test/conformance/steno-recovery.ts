/**
 * What steno itself says of a log that it is given, by SEMANTICS §6: the events that it refuses. A
 * reading of it, so that what is refused there can be told from what is refused here.
 */
import type { FlatNode } from "./dag.js";
import { ORDER, topological, type StenoEvent } from "./translate.js";

export interface Complaint {
  /** How the text of the error goes on after the first words. */
  readonly pattern: RegExp;
  /** The events that do not fit. */
  readonly events: readonly StenoEvent[];
}

/** What may follow what, for one node. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  "": ["started"],
  started: ["succeeded", "failed"],
  succeeded: ["undo_started"],
  undo_started: ["undo_finished", "undo_failed"],
};

/** In which states a parent may be, by the state of its child; any where there is none. */
const PARENTS: Readonly<Record<string, readonly string[]>> = {
  started: ["succeeded"],
  succeeded: ["succeeded"],
  undo_started: ["succeeded"],
  undo_failed: ["succeeded"],
  failed: ["succeeded", "undo_started", "undo_finished", "undo_failed"],
  undo_finished: ["succeeded", "undo_started", "undo_finished", "undo_failed"],
};

/** The first thing that steno refuses in a log; `undefined` if it goes on with it. */
export function complaintOf(
  log: readonly StenoEvent[],
  flat: readonly FlatNode[],
): Complaint | undefined {
  const foreign = log.filter((event) => event.foreign);
  if (foreign.length > 0) {
    return {
      pattern: /^recovering log: found an event in the log for a different saga /,
      events: foreign,
    };
  }
  const last = new Map<string, StenoEvent>();
  const sorted = [...log].sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type));
  for (const event of sorted) {
    if (event.path === undefined) continue;
    const before = last.get(event.path);
    if (!NEXT[before?.type ?? ""]?.includes(event.type)) {
      const pattern = new RegExp(
        `^recovering log: SagaLog::new_recover: event type ${event.type} is illegal with current load status `,
      );
      return { pattern, events: [event] };
    }
    last.set(event.path, event);
  }
  for (const { path, before } of topological(flat)) {
    const child = last.get(path);
    for (const parent of child === undefined ? [] : before) {
      const state = last.get(parent);
      if (PARENTS[child?.type ?? ""]?.includes(state?.type ?? "")) continue;
      const pattern = /^recovery for saga .*: node NodeIndex\(\d+\): load status is "/s;
      return { pattern, events: [child, state].filter((event) => event !== undefined) };
    }
  }
  return undefined;
}
