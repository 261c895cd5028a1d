/** Going forward: what may start when something is complete. Unwinding is in `unwinding.ts`. */
import {
  addFrame,
  type Frame,
  type Inside,
  isHeld,
  makeFrame,
  makeInside,
  nodeOf,
  PHASE,
  type Place,
} from "../state.js";
import { exitOf, isReleased, mayRun } from "./conditions.js";
import { emit, type Turn } from "./effects.js";
import type { Plan } from "./plan.js";

/** Starts a graph: everything that waits for nothing. */
export function openForward(turn: Turn, frame: Frame): void {
  turn.begun.push(frame);
  openBegun(turn);
}

/** A node is complete: whatever waited for it alone may start. */
export function complete(turn: Turn, frame: Frame, index: number): void {
  completeOutwards(turn, { frame, index });
  openBegun(turn);
}

/** A map or loop has its list. */
export function openItems(turn: Turn, frame: Frame, index: number, inside: Inside): void {
  const node = nodeOf(frame, index);
  const atOnce = node.kind === "map" ? (node.concurrency ?? Infinity) : 1;
  while (inside.frames.length < Math.min(atOnce, inside.items.length)) {
    beginItem(turn, frame, index, inside);
  }
  if (inside.left === 0) leave(turn, frame, index);
  openBegun(turn);
}

/** A list and not a recursion: neither deep nesting nor long lists need stack. */
function openBegun(turn: Turn): void {
  // Most turns begin none, and to empty an array costs, also one that is.
  if (turn.begun.length === 0) return;
  for (let next = 0; next < turn.begun.length; next++) {
    const frame = turn.begun[next] as Frame;
    for (let index = 0; index < frame.phase.length; index++) {
      if (frame.plan.parentCount[index] === 0) makeReady(turn, frame, index);
    }
    if (frame.phase.length === 0) {
      const holder = endFrame(turn, frame);
      if (holder !== undefined) completeOutwards(turn, holder);
    }
  }
  turn.begun.length = 0;
}

/** A node is complete, and it may be the last of its graph, which completes the node around it. */
function completeOutwards(turn: Turn, place: Place): void {
  for (let next: Place | undefined = place; next !== undefined;) {
    const { frame, index }: Place = next;
    releaseAfter(turn, frame, index);
    frame.left -= 1;
    next = frame.left === 0 ? endFrame(turn, frame) : undefined;
  }
}

function releaseAfter(turn: Turn, frame: Frame, index: number): void {
  const { children, conditional } = frame.plan;
  const { start, at } = children;
  for (let edge = start[index] as number; edge < (start[index + 1] as number); edge++) {
    release(turn, frame, at[edge] as number);
  }
  const watched = conditional?.watched.get(index);
  if (conditional === undefined || watched === undefined) return;
  const released = (frame.released ??= new Uint8Array(conditional.all.length));
  for (const place of watched) {
    const edge = conditional.all[place];
    if (edge === undefined || released[place] === 1 || !isReleased(frame, edge)) continue;
    released[place] = 1;
    release(turn, frame, edge.child);
  }
}

function release(turn: Turn, frame: Frame, child: number): void {
  const left = (frame.waiting[child] as number) - 1;
  frame.waiting[child] = left;
  if (left === 0) makeReady(turn, frame, child);
}

function makeReady(turn: Turn, frame: Frame, index: number): void {
  if (nodeOf(frame, index).kind === "scope" && mayRun(frame, index)) {
    frame.phase[index] = PHASE.open;
    const inside = makeInside(frame, index, [undefined]);
    const plan = frame.plan.plans.get(index) as Plan;
    begin(turn, inside, makeFrame(plan, undefined, { frame, index, kind: "scope" }));
    return;
  }
  frame.phase[index] = PHASE.ready;
  if (!isHeld(turn.state)) emitReady(turn, frame, index);
}

/** Asks for what a ready node needs. */
export function emitReady(turn: Turn, frame: Frame, index: number): void {
  emit(turn, mayRun(frame, index) ? "start" : "skip", frame, index);
}

function begin(turn: Turn, inside: Inside, frame: Frame): void {
  inside.frames.push(frame);
  addFrame(turn.state, frame);
  turn.begun.push(frame);
}

function beginItem(turn: Turn, frame: Frame, index: number, inside: Inside): void {
  const ordinal = inside.frames.length;
  const plan = frame.plan.plans.get(index) as Plan;
  const key = inside.keys?.[ordinal];
  const holder = { frame, index, kind: "item", ordinal, key } as const;
  begin(turn, inside, makeFrame(plan, inside.items[ordinal], holder));
}

/** All nodes of a frame are complete. Gives the node that is complete with it, if one is. */
function endFrame(turn: Turn, frame: Frame): Place | undefined {
  const { parent, index } = frame;
  if (parent === undefined) {
    leave(turn, frame, -1);
    return undefined;
  }
  const inside = parent.inside?.get(index) as Inside;
  inside.left -= 1;
  const { kind } = nodeOf(parent, index);
  const exit = exitOf(frame);
  if (kind === "scope") {
    if (exit !== undefined) inside.arms.push(exit);
    parent.phase[index] = PHASE.done;
    return { frame: parent, index };
  }
  if (kind === "loop" && (exit === "break" || exit === "return")) {
    inside.arms.push(exit);
    inside.exited = frame.ordinal;
    inside.left = 0;
  }
  if (inside.left === 0) leave(turn, parent, index);
  else if (inside.frames.length < inside.items.length) beginItem(turn, parent, index, inside);
  return undefined;
}

function leave(turn: Turn, frame: Frame, index: number): void {
  if (!isHeld(turn.state)) emit(turn, "leave", frame, index);
}
