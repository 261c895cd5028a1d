/**
 * What an operator does about a node that waits for one: an undo that failed, a node in doubt after
 * its attempts, a failure that is held. What else was held back for it, `machine.ts` lets go on.
 */
import type { SagaEvent } from "../events.js";
import {
  type Frame,
  isHeld,
  nodeOf,
  PHASE,
  type Place,
  type RunState,
  setFree,
  troubleOf,
} from "../state.js";
import { fail, succeed } from "./attempts.js";
import type { Turn } from "./effects.js";
import { letGo } from "./holding.js";
import { expect, misplaced } from "./misplaced.js";
import { emitNode } from "./outstanding.js";
import { beginUnwinding, endWhileUnwinding, recordFailure } from "./unwinding.js";

export type OperatorEvent = Extract<
  SagaEvent,
  { readonly type: "undo-settled" | "output-settled" | "retry-requested" }
>;

/** Whether the node waits for an operator. */
export function needsOperator(frame: Frame, index: number): boolean {
  const phase = frame.phase[index];
  return phase === PHASE.undoFailed || phase === PHASE.doubtStuck || phase === PHASE.held;
}

export function byOperator(turn: Turn, event: OperatorEvent, { frame, index }: Place): void {
  const { state } = turn;
  const phase = frame.phase[index] as number;
  expect(event, needsOperator(frame, index));
  if (phase === PHASE.held) letGo(state);
  else state.stuck -= 1;
  if (event.type === "retry-requested") {
    retry(state, frame, index, phase);
  } else if (event.type === "undo-settled") {
    settle(turn, frame, index, phase);
  } else {
    expect(event, phase !== PHASE.undoFailed);
    succeed(turn, frame, index, outputOf(event));
  }
  // A node that is asked for starts even if others still wait for an operator.
  if (state.finished === undefined && state.paused === undefined && isHeld(state)) {
    emitNode(turn, frame, index);
  }
}

function retry(state: RunState, frame: Frame, index: number, phase: number): void {
  setFree(state, frame, index);
  const trouble = troubleOf(frame);
  if (phase === PHASE.undoFailed) {
    frame.phase[index] = PHASE.undoReady;
    trouble.undoFree[index] = frame.unwinding?.attempt[index] as number;
    return;
  }
  trouble.dueAt[index] = 0;
  trouble.free[index] = frame.attempt[index] as number;
  frame.phase[index] = phase === PHASE.doubtStuck ? PHASE.doubt : again(frame, index);
}

/** Where a node is that failed and is tried again. */
function again(frame: Frame, index: number): number {
  if (frame.inside?.has(index) === true) return PHASE.open;
  const { kind } = nodeOf(frame, index);
  return kind === "action" || kind === "spawn" ? PHASE.backoff : PHASE.ready;
}

function settle(turn: Turn, frame: Frame, index: number, phase: number): void {
  const last = troubleOf(frame).last[index] ?? "null";
  if (phase === PHASE.held) {
    fail(turn, frame, index, last);
    return;
  }
  frame.phase[index] = PHASE.undone;
  if (phase === PHASE.doubtStuck) {
    recordFailure(frame, index, last);
    if (frame.unwinding === undefined) {
      beginUnwinding(turn, frame.scope, { frame, index });
      return;
    }
  }
  endWhileUnwinding(turn, frame, index);
}

/** The JSON text of the output that an operator gave. */
function outputOf(event: OperatorEvent): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(event.value);
  } catch {
    throw misplaced(event, "its value is no JSON");
  }
  const { output } = value as { readonly output?: unknown };
  return output === undefined ? undefined : JSON.stringify(output);
}
