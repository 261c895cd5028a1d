/**
 * A host of the machine for tests: it answers at once what the machine wants answered at once, and
 * keeps the rest for the test to decide. It has no clock and calls nothing.
 */
import type { SagaEvent } from "../../runtime/events.js";
import { advance } from "../../runtime/machine.js";
import { failureOf } from "../../runtime/machine/holding.js";
import { isWanted } from "../../runtime/machine/outstanding.js";
import { breakAfter, breakBefore } from "../../runtime/machine/breakpoints.js";
import type { Effect } from "../../runtime/machine/effects.js";
import type { Node } from "../../runtime/manifest.js";
import type { Plan } from "../../runtime/machine/plan.js";
import {
  type Frame,
  nodeOf,
  pathOf,
  PHASE,
  PHASE_NAMES,
  type RunState,
} from "../../runtime/state.js";

export interface Choice {
  (path: string, node: Extract<Node, { readonly kind: "decision" }>): string;
  (path: string, node: Extract<Node, { readonly kind: "map" | "loop" }>): number;
}

export class Host {
  state: RunState;
  readonly log: SagaEvent[] = [];
  /** What acts, in the order in which it was asked for. */
  acts: Effect[] = [];

  /** What a decision decides, and how many items a map or loop has. */
  readonly choose: Choice;

  constructor(plan: Plan, choose: Choice, log?: readonly SagaEvent[]) {
    this.choose = choose;
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
    const value = breakAfter(this.state, event, []);
    if (value !== undefined) this.tell({ type: "paused", at: 0, value });
    this.#follow(effects);
  }

  #follow(effects: readonly Effect[]): void {
    for (const effect of effects) {
      const answer = isWanted(this.state, effect) ? this.#answer(effect) : undefined;
      if (answer !== undefined) this.tell(answer);
      else if (isAct(effect)) this.acts.push(effect);
    }
  }

  /** A timer is due, whatever the time is. */
  fire(effect: Effect): void {
    if (!isWanted(this.state, effect)) return;
    const answer = this.#answer(effect, true);
    if (answer !== undefined) this.tell(answer);
  }

  #answer(effect: Effect, due = false): SagaEvent | undefined {
    const answer = answerTo(this, effect, due);
    const value = answer && breakBefore(this.state, effect, []);
    return value === undefined ? answer : { type: "paused", at: 0, value };
  }
}

function isAct({ kind }: Effect): boolean {
  return ["call", "call-undo", "watch", "abort", "timer", "rest"].includes(kind);
}

/** `due`: a timer whose time has come. */
function answerTo(
  host: Host,
  { kind, frame, index, dueAt }: Effect,
  due = false,
): SagaEvent | undefined {
  if (isActOnly(kind) || (kind === "timer" && dueAt > 0 && !due)) return undefined;
  if (index < 0) return { type: "succeeded", at: 0, node: "", attempt: 1 };
  const node = pathOf(frame, index);
  const base = { at: 0, node } as const;
  const attempt = (frame.attempt[index] ?? 0) + 1;
  if (kind === "skip") return { ...base, type: "skipped" };
  if (kind === "leave") return { ...base, type: "succeeded", attempt: 1 };
  const phase = frame.phase[index];
  if (phase === PHASE.undoReady || phase === PHASE.undoBackoff) {
    return { ...base, type: "undo-started", attempt: (frame.unwinding?.attempt[index] ?? 0) + 1 };
  }
  return answerStart(host, frame, index, { ...base, attempt });
}

function answerStart(
  host: Host,
  frame: Frame,
  index: number,
  base: { readonly at: number; readonly node: string; readonly attempt: number },
): SagaEvent {
  const node = nodeOf(frame, index);
  const phase = frame.phase[index];
  switch (node.kind) {
    case "compute":
      return { ...base, type: "succeeded", value: "1" };
    case "decision":
      return { ...base, type: "decided", value: JSON.stringify(host.choose(base.node, node)) };
    case "map":
    case "loop": {
      const items = `[${[...Array(host.choose(base.node, node)).keys()].join(",")}]`;
      return { ...base, type: "expanded", value: items };
    }
    case "fail":
      return failureOf(host.state, frame, index, { ...base, value: "{}" });
    case "sleep":
      if (phase === PHASE.waiting) return { ...base, type: "timer-fired" };
      return { ...base, type: "timer-set", dueAt: 100 };
    case "event": {
      const mail = host.state.mailbox?.get(node.target ?? "") ?? [];
      if (mail.length > 0) return { ...base, type: "succeeded", value: mail[0] as string };
      if (phase === PHASE.waiting) {
        return failureOf(host.state, frame, index, { ...base, value: "{}" });
      }
      if (node.timeoutMs === undefined) return { ...base, type: "started", value: "[]" };
      return { ...base, type: "timer-set", dueAt: node.timeoutMs };
    }
    default:
      return { ...base, type: "started", value: "[]" };
  }
}

function isActOnly(kind: Effect["kind"]): boolean {
  return ["call", "call-undo", "watch", "abort", "rest"].includes(kind);
}

/** All nodes with their states: `a done, sub working, sub/x undone`. */
export function describeState(state: RunState): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (frame: Frame): void => {
    for (let index = 0; index < frame.phase.length; index++) {
      found.set(pathOf(frame, index), PHASE_NAMES[frame.phase[index] as 0]);
      const inside = frame.inside?.get(index);
      inside?.frames.forEach(visit);
      if (inside?.handler !== undefined) visit(inside.handler);
    }
  };
  visit(state.root);
  return found;
}

/** All of a state without its cycles, for comparing: frames refer to each other by their place. */
export function flatState(state: RunState): unknown {
  const places = new Map<Frame, number>(state.frames.map((frame, place) => [frame, place]));
  const flat = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
    if (Array.isArray(value)) return value.map(flat);
    if (value instanceof Map) return [...value].map(([key, item]) => [flat(key), flat(item)]);
    if ("plan" in value) return places.get(value as Frame);
    return fields(value);
  };
  const fields = (value: object): unknown =>
    Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, key === "plan" ? "" : flat(item)]),
    );
  return [state.frames.map(fields), { ...(fields(state) as object), frames: [], byPrefix: [] }];
}
