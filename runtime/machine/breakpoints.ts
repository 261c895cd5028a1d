/**
 * Breakpoints and single steps: where a run pauses by itself, and what a paused run may do all the
 * same. Those of a whole saga are no part of a run's state: the host gives them, and what came of
 * them is in the log as `paused`.
 */
import type { SagaEvent } from "../events.js";
import { pathOf, PHASE, placeOf, type RunState } from "../state.js";
import { type Effect, emit, type Turn } from "./effects.js";
import { expect, misplaced } from "./misplaced.js";
import { emitNode, emitOutstanding } from "./outstanding.js";

/** `before payment`, `after nics[*]/create`: `[*]` is any item. */
export type Breakpoint = `${"before" | "after"} ${string}`;

/** Of a run that was debugged. */
export interface Debugging {
  breakpoints: readonly Breakpoint[];
  /** Where the run was resumed: it does not pause there again before it has gone on. */
  passed: readonly Breakpoint[];
  /** The node that may do its next thing though the run is paused; `""` is the run. */
  stepping: string | undefined;
}

/** Why a run is paused, as the value of `paused` says it. */
export interface BreakpointHit {
  readonly reason: "breakpoint";
  readonly node: string;
  readonly at: "before" | "after";
}

function debuggingOf(state: RunState): Debugging {
  return (state.debugging ??= { breakpoints: [], passed: [], stepping: undefined });
}

export function changeBreakpoint(
  state: RunState,
  event: Extract<SagaEvent, { readonly type: "breakpoint-set" | "breakpoint-cleared" }>,
): void {
  const debugging = debuggingOf(state);
  const at = JSON.parse(event.value) as "before" | "after";
  const others = debugging.breakpoints.filter((each) => each !== `${at} ${event.node}`);
  debugging.breakpoints =
    event.type === "breakpoint-set" ? [...others, `${at} ${event.node}`] : others;
}

/** A paused run does one thing: what the node's turn is for. */
export function step(turn: Turn, event: Extract<SagaEvent, { readonly type: "stepped" }>): void {
  const { state } = turn;
  if (state.paused === undefined) throw misplaced(event, "the run is not paused");
  debuggingOf(state).stepping = event.node;
  if (hitOf(state.paused) !== undefined) state.paused = '"stepped"';
  if (event.node === "") {
    emit(turn, "leave", state.root, -1);
    return;
  }
  const { frame, index } = placeOf(state, event.node);
  const before = turn.effects.length;
  emitNode(turn, frame, index);
  expect(event, turn.effects.length > before);
}

/** The run goes on: what it stopped before may start. */
export function resume(state: RunState): void {
  const hit = state.paused === undefined ? undefined : hitOf(state.paused);
  if (state.debugging !== undefined) state.debugging.stepping = undefined;
  if (hit?.at !== "before") return;
  const debugging = debuggingOf(state);
  debugging.passed = [...debugging.passed, `before ${hit.node}`];
}

/** Something has become of a node: its step is done, and a breakpoint there holds again. */
export function goBy({ debugging }: RunState, event: SagaEvent): void {
  if (debugging === undefined || !("node" in event)) return;
  if (OF_OPERATORS.has(event.type)) return;
  const { node } = event;
  if (debugging.stepping === node) debugging.stepping = undefined;
  const passed = `before ${node}`;
  if (debugging.passed.some((each) => each === passed)) {
    debugging.passed = debugging.passed.filter((each) => each !== passed);
  }
}

/** What is said about a node before anything becomes of it. */
const OF_OPERATORS: ReadonlySet<string> = new Set([
  "event-received",
  "injected",
  "breakpoint-set",
  "breakpoint-cleared",
]);

/** What a run could do at once if it were not paused, in the order in which it would. */
export function nextSteps(state: RunState, now: number): readonly Effect[] {
  const { paused } = state;
  const turn: Turn = { state, effects: [], begun: [] };
  state.paused = undefined;
  try {
    emitOutstanding(turn);
  } finally {
    state.paused = paused;
  }
  return turn.effects.filter(({ kind, dueAt }) => STEPS.has(kind) && dueAt <= now);
}

const STEPS: ReadonlySet<string> = new Set(["start", "skip", "leave", "undo", "timer"]);

/** The value of the `paused` that comes in place of what an effect asks for, if one does. */
export function breakBefore(
  state: RunState,
  { kind, frame, index }: Effect,
  ofSaga: readonly Breakpoint[],
): string | undefined {
  const { debugging } = state;
  if (debugging === undefined && ofSaga.length === 0) return undefined;
  if (index < 0 || kind === "skip" || kind === "leave") return undefined;
  if (!BEGINS.has(frame.phase[index] as number)) return undefined;
  const node = pathOf(frame, index);
  if (debugging?.stepping === node || debugging?.passed.includes(`before ${node}`) === true) {
    return undefined;
  }
  return hit(debugging, ofSaga, node, "before");
}

/** A body, or the undo of one, has its turn. */
const BEGINS: ReadonlySet<number> = new Set([
  PHASE.ready,
  PHASE.backoff,
  PHASE.doubt,
  PHASE.undoReady,
  PHASE.undoBackoff,
]);

/** The value of the `paused` that comes directly after an event, if one does. */
export function breakAfter(
  state: RunState,
  event: SagaEvent,
  ofSaga: readonly Breakpoint[],
): string | undefined {
  const { debugging, finished, paused } = state;
  if (debugging === undefined && ofSaga.length === 0) return undefined;
  if (finished !== undefined || paused !== undefined) return undefined;
  if (!("node" in event) || event.node === "" || !ENDS.has(event.type)) return undefined;
  if (event.type === "in-doubt" && event.dueAt !== undefined) return undefined;
  const { frame, index } = placeOf(state, event.node);
  // A `spawn` that waits for the run which it started.
  if (frame.phase[index] === PHASE.waiting) return undefined;
  return hit(debugging, ofSaga, event.node, "after");
}

const ENDS: ReadonlySet<SagaEvent["type"]> = new Set([
  "succeeded",
  "failed",
  "in-doubt",
  "decided",
  "timer-fired",
  "spawned",
  "undone",
  "undo-settled",
  "output-settled",
]);

function hit(
  debugging: Debugging | undefined,
  ofSaga: readonly Breakpoint[],
  node: string,
  at: "before" | "after",
): string | undefined {
  const exact: Breakpoint = `${at} ${node}`;
  const any: Breakpoint = `${at} ${node.replace(/\[[^\]]*\]/g, "[*]")}`;
  const isSet = (list: readonly Breakpoint[]): boolean =>
    list.includes(exact) || list.includes(any);
  if (!isSet(ofSaga) && !isSet(debugging?.breakpoints ?? [])) return undefined;
  return JSON.stringify({ reason: "breakpoint", node, at } satisfies BreakpointHit);
}

/** Where a run is paused, if a breakpoint did it. */
export function hitOf(paused: string): BreakpointHit | undefined {
  return paused.startsWith('{"reason":"breakpoint"')
    ? (JSON.parse(paused) as BreakpointHit)
    : undefined;
}
