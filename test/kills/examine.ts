/**
 * What has to be true whenever a process is dead, and when all is over: of the store, of the world, and
 * of what was promised. It gives what is wrong, in words.
 */
import { isDeepStrictEqual } from "node:util";
import type { LoggedEvent } from "steno-runtime";
import { foldLog, type NodeStatus, statusTree } from "../../runtime/reading/history.js";
import { makePlan } from "../../runtime/machine/plan.js";
import { statusOf } from "../../runtime/state.js";
import type { RunRow, StoreReader } from "../../runtime/stores/store.js";
import type { Order } from "./plan.js";
import type { Line } from "./shop.js";
import type { Promised } from "./kill-worker.js";

export interface Seen {
  readonly row: RunRow;
  readonly events: readonly LoggedEvent[];
  readonly nodes: readonly NodeStatus[];
}

export async function look(reader: StoreReader): Promise<Map<string, Seen>> {
  const found = new Map<string, Seen>();
  for (const row of await reader.runs({ limit: 1000 })) {
    const events = await reader.events(row.id);
    const manifest = await reader.definition(row.hash);
    if (manifest === undefined) throw new Error(`${row.id}: its definition is gone`);
    const state = foldLog(makePlan(manifest), events);
    if (statusOf(state) !== row.status) {
      throw new Error(`${row.id}: its row is ${row.status}, its log ${statusOf(state)}`);
    }
    found.set(row.id, { row, events, nodes: statusTree(state) });
  }
  return found;
}

export interface World {
  readonly seen: ReadonlyMap<string, Seen>;
  readonly lines: readonly Line[];
  readonly promised: readonly Promised[];
}

/** What is wrong with what a dead process has left. */
export function wrongWith({ seen, lines, promised }: World, before?: World): string[] {
  const wrong: string[] = [];
  for (const [id, { events }] of before?.seen ?? []) {
    const now = seen.get(id)?.events.slice(0, events.length);
    if (!isDeepStrictEqual(now, events)) wrong.push(`${id}: events are gone, or are others`);
  }
  for (const line of promised) {
    const found = seen.get(line.run);
    const isFinished = found?.row.status === "succeeded" || found?.row.status === "undone";
    if (found === undefined) wrong.push(`${line.run} was ${line.what}, and is not there`);
    else if (line.what === "ended" && !isFinished) wrong.push(`${line.run} ended, and has not`);
  }
  for (const [id, { events }] of seen) {
    const sent = promised.filter(({ what, run }) => what === "sent" && run === id).length;
    const received = events.filter(({ type }) => type === "event-received").length;
    if (received < sent) wrong.push(`${id}: ${sent} events were sent, and ${received} are there`);
  }
  return [...wrong, ...wrongCalls(seen, lines), ...wrongEffects(seen, lines)];
}

const nameOf = ({ run, node, undo }: Pick<Line, "run" | "node" | "undo">): string =>
  `${run}: ${undo ? "undo " : ""}${node}`;

/** Each call has its event, which was there before it; none is made twice, or under two keys. */
function wrongCalls(seen: World["seen"], lines: readonly Line[]): string[] {
  const wrong: string[] = [];
  const started = new Set<string>();
  for (const [run, { events }] of seen) {
    for (const event of events) {
      if (event.type !== "started" && event.type !== "undo-started") continue;
      const undo = event.type === "undo-started";
      started.add(`${nameOf({ run, node: event.node, undo })} ${event.attempt}`);
    }
  }
  const keys = new Map<string, string>();
  const called = new Set<string>();
  for (const line of lines) {
    const name = nameOf(line);
    if ((keys.get(name) ?? line.key) !== line.key) wrong.push(`${name} has two keys`);
    keys.set(name, line.key);
    if (line.what !== "called") continue;
    const attempt = `${name} ${line.attempt}`;
    if (!started.has(attempt)) wrong.push(`${attempt} was called, and is not in the log`);
    if (called.has(attempt)) wrong.push(`${attempt} was called twice`);
    called.add(attempt);
  }
  return wrong;
}

/** What the log says was done was done; and nothing is done again once it is undone. */
function wrongEffects(seen: World["seen"], lines: readonly Line[]): string[] {
  const wrong: string[] = [];
  const effects = new Set(lines.filter(({ what }) => what !== "called").map(nameOf));
  for (const [run, { events }] of seen) {
    const actions = new Set(events.flatMap((e) => (e.type === "started" ? [e.node] : [])));
    for (const event of events) {
      const undo = event.type === "undone";
      if (!undo && !(event.type === "succeeded" && isBody(event.node, actions, lines))) continue;
      const name = nameOf({ run, node: event.node, undo });
      if (!effects.has(name)) wrong.push(`${name} is in the log, and was not done`);
    }
  }
  const gone = new Set<string>();
  for (const { what, run, node } of lines) {
    const name = `${run}: ${node}`;
    if (what === "cancelled") gone.add(name);
    if (what === "booked" && gone.has(name)) wrong.push(`${name} was done after it was undone`);
  }
  return wrong;
}

/** Parts, events and runs of their own are started, too: what was called is an action. */
function isBody(node: string, started: ReadonlySet<string>, lines: readonly Line[]): boolean {
  return started.has(node) && lines.some((line) => line.node === node);
}

/** What is wrong when all runs have ended. */
export function wrongInTheEnd(
  { seen, lines }: World,
  orders: readonly Order[],
  ends: ReadonlyMap<string, string>,
): string[] {
  const wrong: string[] = [];
  for (const { id, end } of orders) {
    if (ends.get(id) !== end) wrong.push(`${id} ended as ${ends.get(id)}, and not as ${end}`);
  }
  const there = new Set<string>();
  for (const { what, run, node } of lines) {
    if (what === "booked") there.add(`${run}: ${node}`);
    if (what === "cancelled") there.delete(`${run}: ${node}`);
  }
  const done = new Set<string>();
  for (const [run, { row, nodes }] of seen) {
    if (row.status !== "succeeded" && row.status !== "undone") {
      wrong.push(`${run} is ${row.status} in the end`);
    }
    const open = [...nodes];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.kind === "action" && node.state === "done") done.add(`${run}: ${node.path}`);
      open.push(...(node.nodes ?? []), ...(node.handler ?? []));
    }
  }
  for (const name of there) if (!done.has(name)) wrong.push(`${name} was left behind`);
  for (const name of done) if (!there.has(name)) wrong.push(`${name} is done, and is not there`);
  return wrong;
}
