/**
 * Unwinding: a node is undone once everything after it is undone, never ran, or failed. All of it
 * is worklists, so that neither long chains nor deep nesting need stack.
 */
import {
  endsOnAbort,
  type Frame,
  isHeld,
  nodeOf,
  pathOf,
  PHASE,
  type Place,
  troubleOf,
  undoesFailed,
  type Unwinding,
} from "../state.js";
import { emit, type Turn } from "./effects.js";

/** Nodes that may have become ready to be undone. */
interface Work {
  readonly frames: Frame[];
  readonly indices: number[];
}

/**
 * Ends going forward: what never ran is abandoned, and what is at the end is undone.
 * `cause` is the node that failed, if it is a node.
 */
export function beginUnwinding(turn: Turn, cause: Place | undefined): void {
  const { state } = turn;
  state.unwinding = true;
  for (const frame of state.frames) {
    frame.unwinding = {
      waiting: frame.plan.childCount.slice(),
      attempt: new Int32Array(frame.phase.length),
      unsettled: frame.phase.length,
      open: frame.parent === undefined,
    };
  }
  const work: Work = { frames: [], indices: [] };
  for (const frame of state.frames) {
    for (let index = frame.phase.length - 1; index >= 0; index--) {
      endForward(turn, work, frame, index);
    }
  }
  if (cause !== undefined) end(turn, work, cause.frame, cause.index);
  openFrame(turn, work, state.root);
  drain(turn, work);
}

function endForward(turn: Turn, work: Work, frame: Frame, index: number): void {
  const node = nodeOf(frame, index);
  switch (frame.phase[index]) {
    case PHASE.blocked:
    case PHASE.ready:
      frame.phase[index] = PHASE.abandoned;
      settle(turn, work, frame, index);
      break;
    case PHASE.backoff: {
      const error = troubleOf(frame).last[index] ?? "null";
      const attempt = frame.attempt[index] as number;
      turn.state.failures.push({ node: pathOf(frame, index), attempt, error });
      endFailed(turn, work, frame, index);
      break;
    }
    case PHASE.doubt:
      if (endsOnAbort(node)) endFailed(turn, work, frame, index);
      break;
    case PHASE.working:
      if (endsOnAbort(node)) emit(turn, "abort", frame, index);
      break;
    default:
    // Done, or a graph that is open: its turn comes. Nothing else is possible before unwinding.
  }
}

/** A node has come to its end while the run unwinds. */
export function endWhileUnwinding(turn: Turn, frame: Frame, index: number): void {
  const work: Work = { frames: [], indices: [] };
  end(turn, work, frame, index);
  drain(turn, work);
}

function end(turn: Turn, work: Work, frame: Frame, index: number): void {
  if (frame.phase[index] === PHASE.failed) endFailed(turn, work, frame, index);
  else if (frame.phase[index] === PHASE.undone) settle(turn, work, frame, index);
  else push(work, frame, index);
}

function endFailed(turn: Turn, work: Work, frame: Frame, index: number): void {
  frame.phase[index] = PHASE.failed;
  if (undoesFailed(nodeOf(frame, index)) && (frame.attempt[index] as number) > 0) {
    push(work, frame, index);
  } else {
    settle(turn, work, frame, index);
  }
}

function push(work: Work, frame: Frame, index: number): void {
  work.frames.push(frame);
  work.indices.push(index);
}

function drain(turn: Turn, work: Work): void {
  for (let frame = work.frames.pop(); frame !== undefined; frame = work.frames.pop()) {
    tryUndo(turn, work, frame, work.indices.pop() as number);
  }
}

/** Undoes a node if its turn has come. */
function tryUndo(turn: Turn, work: Work, frame: Frame, index: number): void {
  const { open, waiting } = frame.unwinding as Unwinding;
  if (!open || waiting[index] !== 0) return;
  const phase = frame.phase[index];
  const node = nodeOf(frame, index);
  const inner = frame.frames.get(index);
  if ((phase === PHASE.done || phase === PHASE.open) && inner !== undefined) {
    // A graph that is open already has begun.
    if (inner.unwinding?.open === false) {
      frame.phase[index] = PHASE.open;
      openFrame(turn, work, inner);
    }
  } else if (phase === PHASE.done && (node.kind !== "action" || node.undo === "none")) {
    frame.phase[index] = PHASE.undone;
    settle(turn, work, frame, index);
  } else if (
    phase === PHASE.done ||
    (phase === PHASE.failed && undoesFailed(node) && (frame.attempt[index] as number) > 0)
  ) {
    frame.phase[index] = PHASE.undoReady;
    if (!isHeld(turn.state)) emit(turn, "undo", frame, index);
  }
}

function openFrame(turn: Turn, work: Work, frame: Frame): void {
  const unwinding = frame.unwinding as Unwinding;
  unwinding.open = true;
  // In reverse, since the last that is pushed is the first that is looked at.
  for (let index = 0; index < frame.phase.length; index++) push(work, frame, index);
  if (frame.phase.length === 0) settleEmpty(turn, work, frame);
}

/**
 * Nothing is left to do for the node: those before it may have their turn. It may be the last of
 * its graph, which settles the node that holds the graph, and so on outwards.
 */
function settle(turn: Turn, work: Work, frame: Frame, index: number): void {
  for (;;) {
    const unwinding = frame.unwinding as Unwinding;
    const { start, at } = frame.plan.parents;
    for (let edge = start[index] as number; edge < (start[index + 1] as number); edge++) {
      const before = at[edge] as number;
      const left = (unwinding.waiting[before] as number) - 1;
      unwinding.waiting[before] = left;
      if (left === 0) push(work, frame, before);
    }
    unwinding.unsettled -= 1;
    if (unwinding.unsettled > 0) return;
    if (frame.parent === undefined) {
      turn.state.finished = "undone";
      return;
    }
    index = frame.index;
    frame.parent.phase[index] = hasFailed(frame) ? PHASE.failed : PHASE.undone;
    frame = frame.parent;
  }
}

/** A graph without nodes is undone as soon as it may be. */
function settleEmpty(turn: Turn, work: Work, frame: Frame): void {
  if (frame.parent === undefined) {
    turn.state.finished = "undone";
    return;
  }
  frame.parent.phase[frame.index] = PHASE.undone;
  settle(turn, work, frame.parent, frame.index);
}

/** Whether a graph was not undone for the sake of others, but for its own. */
function hasFailed(frame: Frame): boolean {
  return frame.left > 0 && frame.phase.includes(PHASE.failed);
}
