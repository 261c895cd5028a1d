/**
 * Answers the machine's effects that need no body: it evaluates bindings on what is recorded, and
 * says what came of it as an event. It records nothing itself; that is `executor.ts`.
 */
import type { ActiveRun } from "./active-run.js";
import { encode } from "../codec.js";
import type { NodeBindings } from "../definition.js";
import { milliseconds } from "../duration.js";
import { StenoError } from "../errors.js";
import { type SagaEvent, UNLOGGED } from "../events.js";
import type { LoadedGraph } from "./loaded-saga.js";
import type { Effect } from "../machine/effects.js";
import { failsInstead, injectedAt } from "../machine/injections.js";
import { failureOf } from "../machine/holding.js";
import type { DecisionNode, IterationNode, PlainNode } from "../manifest.js";
import type { NodeCodecs } from "../codec/node-codecs.js";
import { recordError } from "../codec/recorded-error.js";
import { type Frame, type Inside, makeFrame, nodeOf, pathOf, PHASE } from "../state.js";

/** The event that answers an effect. */
export function answerTo(run: ActiveRun, { kind, frame, index }: Effect, at: number): SagaEvent {
  if (index < 0) return finish(run, frame, at);
  const node = pathOf(frame, index);
  const phase = frame.phase[index];
  if (kind === "skip") return { type: "skipped", at, node };
  if (phase === PHASE.undoReady || phase === PHASE.undoBackoff) {
    const attempt = (frame.unwinding?.attempt[index] ?? 0) + 1;
    return { type: "undo-started", at, node, attempt };
  }
  const attempt = (frame.attempt[index] as number) + 1;
  const injected = failsInstead(run.state, frame, index, kind === "leave");
  if (injected !== undefined) {
    return failureOf(run.state, frame, index, { at, node, attempt, value: injected });
  }
  const known = frame.inputs[index];
  if (known !== undefined && kind !== "leave") {
    return { type: "started", at, node, attempt, value: known };
  }
  try {
    if (kind === "leave") return leave(run, frame, index, at);
    if (phase === PHASE.waiting) return endWait(run, frame, index, at);
    return start(run, frame, index, { at, node });
  } catch (error) {
    return failureOf(run.state, frame, index, {
      at,
      node,
      attempt,
      value: recordError(error, run.loaded.errors),
    });
  }
}

/** How an attempt ends whose body is not called, since an error is injected: for good, whatever its attempts. */
export function failsUncalled(
  run: ActiveRun,
  { kind, frame, index }: Effect,
  at: number,
): SagaEvent | undefined {
  if (run.state.injections === undefined) return undefined;
  const injected = injectedAt(run.state, frame, index);
  const undo = kind === "call-undo";
  const value = undo ? injected?.undoError : injected?.error;
  if (value === undefined) return undefined;
  const attempt = (undo ? frame.unwinding?.attempt[index] : frame.attempt[index]) as number;
  const ended = { at, node: pathOf(frame, index), attempt, value };
  return undo ? { type: "undo-failed", ...ended } : failureOf(run.state, frame, index, ended);
}

interface Begun {
  readonly at: number;
  readonly node: string;
}

function start(run: ActiveRun, frame: Frame, index: number, begun: Begun): SagaEvent {
  const bindings = graphOf(run, frame).nodes[index] as NodeBindings;
  const values = valuesOf(run, frame);
  const { at, node } = begun;
  const found = nodeOf(frame, index);
  switch (found.kind) {
    case "action": {
      const inputs = bindings.inputs?.(values) ?? [];
      return started(run, begun, frame, index, inputs);
    }
    case "subsaga":
      return started(run, begun, frame, index, paramsOf(bindings, values));
    case "spawn": {
      const id = bindings.id?.(values) ?? `${run.id}.${node}`;
      return started(run, begun, frame, index, [id, ...paramsOf(bindings, values)]);
    }
    case "compute": {
      const value = compute(run, frame, index, bindings, values);
      const { output } = codecsOf(run, frame, index);
      return succeeded(at, node, encode(output, value, `the value of \`${node}\``));
    }
    case "decision":
      return decide(found, bindings.decide?.(values, selfOf(run, frame)), begun);
    case "map":
    case "loop":
      return expand(run, frame, index, found, begun);
    case "sleep": {
      const length = milliseconds(bindings.duration?.(values, selfOf(run, frame)) ?? 0);
      return { type: "timer-set", at, node, dueAt: at + Math.round(length) };
    }
    case "event":
      return awaitEvent(run, found, begun);
    case "fail":
      throw bindings.error?.(values, selfOf(run, frame));
    case "scope":
      throw new StenoError("internal", `scope \`${node}\` was started: please report this`);
  }
}

function compute(
  run: ActiveRun,
  frame: Frame,
  index: number,
  bindings: NodeBindings,
  values: never,
): unknown {
  let times = injectedAt(run.state, frame, index)?.repeat ?? 1;
  for (; times > 1; times--) bindings.compute?.(values, selfOf(run, frame));
  return bindings.compute?.(values, selfOf(run, frame));
}

function paramsOf(bindings: NodeBindings, values: never): readonly unknown[] {
  return bindings.params === undefined ? [] : [bindings.params(values)];
}

function started(
  run: ActiveRun,
  { at, node }: Begun,
  frame: Frame,
  index: number,
  inputs: readonly unknown[],
): SagaEvent {
  const attempt = (frame.attempt[index] as number) + 1;
  const codec = codecsOf(run, frame, index).inputs;
  const value = encode(codec, inputs, `the input of \`${node}\` `) as string;
  return { type: "started", at, node, attempt, value, seq: UNLOGGED };
}

function decide({ arms }: DecisionNode, arm: string | undefined, { at, node }: Begun): SagaEvent {
  if (arm !== undefined && arms.includes(arm)) {
    return { type: "decided", at, node, value: JSON.stringify(arm) };
  }
  throw new StenoError(
    "no-such-arm",
    `\`${node}\` decided for ${JSON.stringify(arm)}, and has only ${arms.map((each) => `\`${each}\``).join(", ")}`,
  );
}

function expand(
  run: ActiveRun,
  frame: Frame,
  index: number,
  { keyed }: IterationNode,
  { at, node }: Begun,
): SagaEvent {
  const { items, key } = graphOf(run, frame).nodes[index] as NodeBindings;
  const self = selfOf(run, frame);
  const list = [...(items?.(valuesOf(run, frame), self) ?? [])];
  const codecs = codecsOf(run, frame, index);
  const value = encode(codecs.items, list, `the list of \`${node}\` `) as string;
  if (keyed !== true || key === undefined) return { type: "expanded", at, node, value };
  const plan = frame.plan.plans.get(index);
  const taken = new Set<string>();
  const keys = list.map((item, ordinal) => {
    if (plan === undefined) return "";
    // The item is in no graph yet: its key must be known for that.
    const holder = { frame, index, kind: "item", ordinal } as const;
    const inner = makeFrame(plan, JSON.stringify(codecs.item.encode(item, 0)), holder);
    const found = encodeKey(String(key(valuesOf(run, inner), self)));
    if (taken.has(found)) {
      throw new StenoError(
        "duplicate-key",
        `two items of \`${node}\` have the key ${JSON.stringify(found)}: keys name items, so each needs its own`,
      );
    }
    taken.add(found);
    return found;
  });
  return { type: "expanded", at, node, value: `{"keys":${JSON.stringify(keys)},"items":${value}}` };
}

/** In a path, these have a meaning of their own; halves of characters no store can hold. */
function encodeKey(key: string): string {
  return key
    .replace(/[/[\]%]/g, encodeURIComponent)
    .replace(/\p{Surrogate}/gu, (half) => `%u${half.charCodeAt(0).toString(16)}`);
}

function awaitEvent(run: ActiveRun, found: PlainNode, { at, node }: Begun): SagaEvent {
  const mail = run.state.mailbox?.get(found.target ?? "") ?? [];
  if (mail.length > 0) return succeeded(at, node, mail[0]);
  if (found.timeoutMs === undefined) {
    return { type: "started", at, node, attempt: 1, value: "[]" };
  }
  return { type: "timer-set", at, node, dueAt: at + found.timeoutMs };
}

/** A node that waits has what it waited for, or has waited too long. */
function endWait(run: ActiveRun, frame: Frame, index: number, at: number): SagaEvent {
  const node = pathOf(frame, index);
  const found = nodeOf(frame, index) as PlainNode;
  if (found.kind === "sleep") return { type: "timer-fired", at, node };
  const mail = run.state.mailbox?.get(found.target ?? "") ?? [];
  if (mail.length > 0) return succeeded(at, node, mail[0]);
  throw new StenoError(
    "event-timeout",
    `no event \`${found.target}\` was received in ${found.timeoutMs} ms`,
  );
}

/** What a subsaga returns, or the items of a map or loop. */
function leave(run: ActiveRun, frame: Frame, index: number, at: number): SagaEvent {
  const node = pathOf(frame, index);
  const { kind } = nodeOf(frame, index);
  const inside = frame.inside?.get(index) as Inside;
  const { output } = codecsOf(run, frame, index);
  if (kind === "map") {
    const outputs = inside.frames.map((each) => outputOf(run, each));
    return succeeded(at, node, encode(output, outputs, `the result of \`${node}\` `));
  }
  const last = inside.frames[kind === "loop" ? (inside.exited ?? -1) : 0];
  const value = last === undefined ? undefined : outputOf(run, last);
  const what = last === undefined || kind === "loop" ? node : last.plan.saga;
  // A loop that no item left by `return` comes to nothing, whatever its items would come to.
  const text = last === undefined ? undefined : encode(output, value, `the result of \`${what}\``);
  return succeeded(at, node, text);
}

function finish(run: ActiveRun, root: Frame, at: number): SagaEvent {
  try {
    const { result } = graphOf(run, root).method;
    const text = encode(result, outputOf(run, root), `the result of \`${root.plan.saga}\``);
    return succeeded(at, "", text);
  } catch (error) {
    return failureOf(run.state, root, -1, {
      at,
      node: "",
      attempt: 1,
      value: recordError(error, run.loaded.errors),
    });
  }
}

function outputOf(run: ActiveRun, frame: Frame): unknown {
  return graphOf(run, frame).output?.(valuesOf(run, frame));
}

function succeeded(at: number, node: string, value: string | undefined): SagaEvent {
  return value === undefined
    ? { type: "succeeded", at, node, attempt: 1, seq: UNLOGGED }
    : { type: "succeeded", at, node, attempt: 1, value, seq: UNLOGGED };
}

function graphOf(run: ActiveRun, frame: Frame): LoadedGraph {
  return run.loaded.graphs.get(frame.plan) as LoadedGraph;
}

export function codecsOf(run: ActiveRun, frame: Frame, index: number): NodeCodecs {
  return graphOf(run, frame).codecs[index] as NodeCodecs;
}

/** A binding says what it reads in its own type: any values are fine for it. */
function valuesOf(run: ActiveRun, frame: Frame): never {
  return graphOf(run, frame).values(frame) as never;
}

function selfOf(run: ActiveRun, frame: Frame): never {
  return instanceOf(run, frame) as never;
}

/** The object whose methods are the actions of a frame. */
export function instanceOf(run: ActiveRun, { method }: Frame): object {
  if (method.parent === undefined) return run.loaded.instance;
  const inner: Frame[] = [];
  let each = method;
  let instance = each.parent === undefined ? run.loaded.instance : run.instances?.get(each);
  while (instance === undefined) {
    inner.push(each);
    each = (each.parent as Frame).method;
    instance = each.parent === undefined ? run.loaded.instance : run.instances?.get(each);
  }
  for (let next = inner.pop(); next !== undefined; next = inner.pop()) {
    const holder = graphOf(run, next.parent as Frame).nodes[next.index];
    instance = holder?.instance?.(instance as never) ?? instance;
    (run.instances ??= new Map()).set(next, instance);
  }
  return instance;
}
