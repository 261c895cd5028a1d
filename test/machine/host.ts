/**
 * A host of the machine for tests: it answers at once what the machine wants answered at once, and
 * keeps the rest for the test to decide. It has no clock and calls nothing.
 */
import type { SagaEvent } from "../../runtime/events.js";
import { advance } from "../../runtime/machine.js";
import { isWanted } from "../../runtime/machine/outstanding.js";
import type { Effect } from "../../runtime/machine/effects.js";
import type { Plan } from "../../runtime/machine/plan.js";
import { type Frame, pathOf, PHASE, PHASE_NAMES, type RunState } from "../../runtime/state.js";

export class Host {
  state: RunState;
  readonly log: SagaEvent[] = [];
  /** What acts, in the order in which it was asked for. */
  acts: Effect[] = [];

  constructor(plan: Plan, log?: readonly SagaEvent[]) {
    const events = log ?? [{ type: "created", at: 0, value: "null" } as const];
    let state: RunState | undefined;
    let effects: readonly Effect[] = [];
    for (const event of events) {
      ({ state, effects } = advance(state ?? plan, event));
      this.log.push(event);
    }
    this.state = state as RunState;
    if (log === undefined) this.#follow(effects);
  }

  tell(event: SagaEvent): void {
    const { effects } = advance(this.state, event);
    this.log.push(event);
    this.#follow(effects);
  }

  #follow(effects: readonly Effect[]): void {
    for (const effect of effects) {
      const answer = isWanted(this.state, effect) ? answerTo(effect) : undefined;
      if (answer !== undefined) this.tell(answer);
      else if (isAct(effect)) this.acts.push(effect);
    }
  }

  /** A timer is due, whatever the time is. */
  fire(effect: Effect): void {
    if (!isWanted(this.state, effect)) return;
    const answer = answerTo({ ...effect, dueAt: 0 });
    if (answer !== undefined) this.tell(answer);
  }
}

function isAct({ kind }: Effect): boolean {
  return ["call", "call-undo", "abort", "timer", "rest"].includes(kind);
}

function answerTo({ kind, frame, index, dueAt }: Effect): SagaEvent | undefined {
  if (kind === "leave") {
    const node = frame.parent === undefined ? "" : pathOf(frame.parent, frame.index);
    return { type: "succeeded", at: 0, node, attempt: 1 };
  }
  if (index < 0 || isActOnly(kind) || (kind === "timer" && dueAt > 0)) return undefined;
  const node = pathOf(frame, index);
  if (kind === "compute") return { type: "succeeded", at: 0, node, attempt: 1, value: "1" };
  const phase = frame.phase[index];
  if (phase === PHASE.undoReady || phase === PHASE.undoBackoff) {
    const attempt = (frame.unwinding?.attempt[index] ?? 0) + 1;
    return { type: "undo-started", at: 0, node, attempt };
  }
  return { type: "started", at: 0, node, attempt: (frame.attempt[index] ?? 0) + 1, value: "[]" };
}

function isActOnly(kind: Effect["kind"]): boolean {
  return kind === "call" || kind === "call-undo" || kind === "abort" || kind === "rest";
}

/** All nodes with their states: `a done, sub working, sub/x undone`. */
export function describeState(state: RunState): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (frame: Frame): void => {
    for (let index = 0; index < frame.phase.length; index++) {
      found.set(pathOf(frame, index), PHASE_NAMES[frame.phase[index] as 0]);
      const inner = frame.frames.get(index);
      if (inner !== undefined) visit(inner);
    }
  };
  visit(state.root);
  return found;
}
