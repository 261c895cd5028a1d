/**
 * What is durable, as it was written commit by commit, and what must hold of it and of each call of a
 * body. It reads only what stores are told; the coordinator cannot change it.
 */
import { isDeepStrictEqual } from "node:util";
import { decode } from "../../runtime/codec.js";
import { json } from "../../runtime/codec/json.js";
import { array } from "../../runtime/codec/parts.js";
import type { LoggedEvent } from "../../runtime/events.js";
import { advance } from "../../runtime/machine.js";
import { makePlan, type Plan } from "../../runtime/machine/plan.js";
import type { Manifest } from "../../runtime/manifest.js";
import { reasonOf } from "../../runtime/operating/reasons.js";
import {
  nodeOf,
  PHASE,
  PHASE_NAMES,
  placeOf,
  type RunState,
  statusOf,
} from "../../runtime/state.js";
import type { RequestAnswer, RunRow, Write } from "../../runtime/stores/store.js";
import { checkEnd, checkLog } from "../machine/check-run.js";
import { readBy } from "./sagas.js";

export interface DurableRun {
  row: RunRow;
  readonly events: LoggedEvent[];
  /** The fold of the events, made as they came. */
  state: RunState | undefined;
}

/** Something that must never be. */
export class Violation extends Error {}

export interface Call {
  readonly run: string;
  readonly key: string;
  readonly node: string;
  readonly attempt: number;
  readonly undo: boolean;
  readonly args: readonly unknown[];
}

export class Truth {
  readonly runs = new Map<string, DurableRun>();
  readonly removed = new Set<string>();
  readonly answers = new Map<number, RequestAnswer>();
  commits = 0;
  readonly #plans = new Map<string, Plan>();
  readonly #defined = new Set<string>();
  /** Attempts whose bodies were called. */
  readonly #called = new Map<string, number>();
  /** Nodes whose bodies may be called twice in an attempt. */
  readonly #repeated = new Set<string>();
  /** The first thing that was wrong. */
  violation: Violation | undefined;
  /** Whether a run has been taken from who calls a body of it, and did not know: where there are others. */
  isLate: (run: string) => boolean = () => false;

  constructor(manifests: readonly Manifest[]) {
    for (const manifest of manifests) this.#plans.set(manifest.hash, makePlan(manifest));
  }

  /** Notes that something is wrong: whoever is told may be deep in the runtime, which catches errors. */
  check(holds: boolean, what: string): asserts holds {
    if (holds) return;
    this.violation ??= new Violation(what);
    throw this.violation;
  }

  apply(writes: readonly Write[]): void {
    this.commits += 1;
    const touched = new Set<DurableRun>();
    for (const write of writes) {
      const run = this.#applyOne(write);
      if (run !== undefined) touched.add(run);
    }
    for (const run of touched) this.#checkRow(run);
  }

  #applyOne(write: Write): DurableRun | undefined {
    switch (write.kind) {
      case "create": {
        const { id } = write.run;
        this.check(!this.runs.has(id), `run ${id} was created twice`);
        // Without it, nobody could say what the run is of.
        this.check(this.#defined.has(write.run.hash), `the definition of run ${id} is not durable`);
        const run = { row: write.run, events: [], state: undefined };
        this.runs.set(id, run);
        return run;
      }
      case "append": {
        const run = this.#run(write.run);
        for (const event of write.events) this.#append(run, event);
        return run;
      }
      case "update": {
        const run = this.#run(write.run);
        const { kind: _kind, run: _run, awaits: _awaits, ...changes } = write;
        run.row = { ...run.row, ...changes };
        return run;
      }
      case "remove": {
        const { state } = this.#run(write.run);
        this.check(state?.finished !== undefined, `run ${write.run} was removed unfinished`);
        this.runs.delete(write.run);
        this.removed.add(write.run);
        return undefined;
      }
      case "answer":
        this.check(!this.answers.has(write.request), `request ${write.request} answered twice`);
        this.answers.set(write.request, write.answer);
        return undefined;
      case "define":
        this.#defined.add(write.manifest.hash);
        return undefined;
      default:
        return undefined;
    }
  }

  #run(id: string): DurableRun {
    const run = this.runs.get(id);
    this.check(run !== undefined, `something was written of run ${id}, which is not there`);
    return run;
  }

  #append(run: DurableRun, event: LoggedEvent): void {
    const { id, hash } = run.row;
    this.check(event.seq === run.events.length, `run ${id}: event ${event.seq} is out of place`);
    run.events.push(event);
    try {
      run.state = advance(run.state ?? (this.#plans.get(hash) as Plan), { ...event }).state;
    } catch (error) {
      this.check(
        false,
        `run ${id}: ${JSON.stringify(event)} does not fit the log: ${String(error)}`,
      );
    }
  }

  /** The row is what the fold of the log says. */
  #checkRow({ row, state }: DurableRun): void {
    this.check(state !== undefined, `run ${row.id} has a row and no event`);
    const { id, status, reason } = row;
    this.check(
      status === statusOf(state),
      `run ${id}: the row says ${status}, the log ${statusOf(state)}`,
    );
    const found = reasonOf(state);
    // Of these the log knows nothing.
    const held =
      (reason === "waiting-limit" && found === undefined) ||
      (reason === "definition-missing" && state.finished === undefined);
    this.check(held || reason === found, `run ${id}: the row says ${reason}, the log ${found}`);
    if (state.finished === undefined) return;
    this.check(row.output === state.output, `run ${id}: the row has another output than the log`);
    this.check(row.wakeAt === undefined, `run ${id} is finished, and would be woken`);
  }

  /** Somebody injects a repeat: it may be at work before whoever asked is told that it is durable. */
  repeated(id: string, node: string): void {
    this.#repeated.add(`${id} ${node}`);
  }

  /** A body is called: what it needs is durable, and this attempt was never called before. */
  called({ run: id, key, node, attempt, undo, args }: Call): void {
    const what = `run ${id}: ${undo ? "the undo of " : ""}${node}, attempt ${attempt}`;
    const run = this.runs.get(id);
    this.check(run?.state !== undefined, `${what} is called, and the run is not durable`);
    const attemptKey = `${key} ${attempt}`;
    const calls = (this.#called.get(attemptKey) ?? 0) + 1;
    const most = this.#repeated.has(`${id} ${node}`) ? 2 : 1;
    this.check(calls <= most, `${what} is called ${calls} times`);
    this.#called.set(attemptKey, calls);
    const { frame, index } = this.#place(run.state, node, what);
    const phase = frame.phase[index] as number;
    const wanted = undo ? PHASE.undoWorking : PHASE.working;
    const number = (undo ? frame.unwinding?.attempt : frame.attempt)?.[index];
    const isAtWork = phase === wanted && number === attempt;
    const isLate = this.isLate(id);
    this.check(
      isAtWork || (isLate && hasStarted(run.events, node, attempt, undo)),
      `${what} is called, and the log says ${PHASE_NAMES[phase]}, attempt ${number}`,
    );
    const inputs = decode(array(json), frame.inputs[index] ?? "[]", "inputs") as unknown[];
    const given = undo ? [decode(json, frame.outputs[index], "the output"), ...inputs] : inputs;
    this.check(
      isDeepStrictEqual([...args], given),
      `${what} is given other values than are durable`,
    );
    if (undo) checkedBy(() => checkLog(run.state as RunState, run.events), this, what);
    else this.#checkReads(what, frame, index, inputs);
  }

  #place(state: RunState, node: string, what: string): ReturnType<typeof placeOf> {
    try {
      return placeOf(state, node);
    } catch {
      return this.check(false, `${what} is called, and the log knows no such node`) as never;
    }
  }

  /** What it reads is what the nodes before it gave, and that is durable. */
  #checkReads(
    what: string,
    frame: ReturnType<typeof placeOf>["frame"],
    index: number,
    inputs: readonly unknown[],
  ): void {
    readBy(frame.plan, nodeOf(frame, index)).forEach((name, place) => {
      const before = frame.plan.index.get(name) as number;
      const value = decode(json, frame.outputs[before], "the output");
      this.check(
        isDeepStrictEqual(inputs[place + 1], value),
        `${what} reads ${JSON.stringify(inputs[place + 1])} of ${name}, whose durable output is ${JSON.stringify(value)}`,
      );
    });
  }

  /** Of every run, whatever became of it: the order of its log, and its end. */
  checkLogs(): void {
    for (const { row, state, events } of this.runs.values()) {
      if (state === undefined) continue;
      checkedBy(() => checkLog(state, events), this, `run ${row.id}`);
      const settled = events.some(({ type }) => type === "undo-settled");
      if (state.finished !== undefined && !settled) {
        checkedBy(() => checkEnd(state), this, `run ${row.id}`);
      }
    }
  }

  /** Whether something that only one command can have written is durable. */
  holds(id: string, token: string): boolean {
    const run = this.runs.get(id);
    if (run === undefined) return this.removed.has(id);
    return run.events.some((event) => "value" in event && event.value?.includes(token) === true);
  }
}

function hasStarted(
  events: readonly LoggedEvent[],
  node: string,
  attempt: number,
  undo: boolean,
): boolean {
  const type = undo ? "undo-started" : "started";
  return events.some(
    (each) => each.type === type && each.node === node && each.attempt === attempt,
  );
}

function checkedBy(act: () => void, truth: Truth, what: string): void {
  try {
    act();
  } catch (error) {
    truth.check(false, `${what}: ${(error as Error).message}`);
  }
}
