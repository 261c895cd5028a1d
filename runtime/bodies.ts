/**
 * Calls the methods that are actions and undos, and turns how they end into events. What an end
 * means for the run, the machine says; whether there is another attempt, `machine/verdict.ts`.
 */
import type { ActiveRun } from "./active-run.js";
import { codecsOf, instanceOf } from "./answers.js";
import { Attempt } from "./attempt.js";
import { TimerHeap } from "./clock.js";
import { decode, encode } from "./codec.js";
import { runInContext } from "./context.js";
import { StenoError } from "./errors.js";
import { type SagaEvent, UNLOGGED } from "./events.js";
import type { Executor, ExecutorOptions } from "./executor.js";
import { methodOf } from "./loaded-saga.js";
import { injectedAt } from "./machine/injections.js";
import { doubtOf, failureOf } from "./machine/holding.js";
import { retryAt, retryDoubtAt, retryUndoAt } from "./machine/verdict.js";
import type { ActionNode } from "./manifest.js";
import { recordError } from "./recorded-error.js";
import { isPromise, validate } from "./standard-schema.js";
import { type Frame, nodeOf, pathOf } from "./state.js";

export class Bodies {
  readonly #executor: Executor;
  readonly #through: ExecutorOptions["call"];
  readonly #timeouts: TimerHeap<Attempt>;
  /** How many bodies run whose end will be recorded. */
  running = 0;

  constructor(executor: Executor, through: ExecutorOptions["call"]) {
    this.#through = through;
    this.#executor = executor;
    this.#timeouts = new TimerHeap(executor.clock, (attempt) => this.#timeOut(attempt));
  }

  /** Calls the body of a node; `makeArguments` gives its arguments. */
  call(run: ActiveRun, frame: Frame, index: number, undo: boolean): void {
    const node = nodeOf(frame, index) as ActionNode;
    const number = undo ? frame.unwinding?.attempt[index] : frame.attempt[index];
    const attempt = new Attempt(run, frame, index, number as number, undo);
    const timeout = undo ? node.undoTimeoutMs : node.timeoutMs;
    if (timeout !== undefined) {
      attempt.timeout = this.#timeouts.add(this.#executor.clock.now() + timeout, attempt);
    }
    run.attempts.add(attempt);
    this.running += 1;
    let result: unknown;
    try {
      result = runInContext(attempt, this.#begin, attempt);
    } catch (error) {
      this.#rejected(attempt, error);
      return;
    }
    Promise.resolve(result).then(
      (value) => this.#resolved(attempt, value),
      (error: unknown) => this.#rejected(attempt, error),
    );
  }

  /** Nobody looks on at most calls, and nothing is injected: such a call makes nothing but its arguments. */
  readonly #begin = (attempt: Attempt): unknown => {
    const { run, frame, index, undo } = attempt;
    const injected = run.state.injections && injectedAt(run.state, frame, index);
    const times = (undo ? injected?.undoRepeat : injected?.repeat) ?? 1;
    const through = this.#through;
    if (through === undefined && times === 1) return callOnce(attempt);
    const body = (): unknown =>
      times === 1 ? callOnce(attempt) : callRepeatedly(attempt, times, () => callOnce(attempt));
    return through === undefined ? body() : through(attempt, body);
  };

  /** Aborts the signal of the attempt that runs at a node. */
  abort(run: ActiveRun, node: string): void {
    const attempt = run.attempts.get(node);
    if (attempt === undefined || attempt.undo) return;
    attempt.abort(new StenoError("unwinding", `saga \`${run.id}\` unwinds: stop and throw`));
  }

  /** Forgets all timeouts. */
  clear(): void {
    this.#timeouts.clear();
  }

  #end(attempt: Attempt): boolean {
    if (attempt.ended) return false;
    attempt.ended = true;
    if (attempt.timeout !== undefined) this.#timeouts.cancel(attempt.timeout);
    attempt.run.attempts.remove(attempt);
    this.running -= 1;
    this.#executor.bodyEnding(attempt);
    return true;
  }

  #resolved(attempt: Attempt, result: unknown): void {
    if (attempt.ended) return;
    const { run, node, frame, index, attempt: number } = attempt;
    if (attempt.undo) {
      const at = this.#executor.clock.now();
      this.#end(attempt);
      this.#executor.record(run, { type: "undone", at, node, attempt: number });
      this.#executor.bodyEnded();
      return;
    }
    const { check } = codecsOf(run, frame, index);
    if (check === undefined) return this.#output(attempt, result);
    try {
      const checked = validate(check, result, `the output of \`${node}\``);
      if (!isPromise(checked)) return this.#output(attempt, checked);
      checked.then(
        (value) => this.#output(attempt, value),
        (error: unknown) => this.#notStorable(attempt, error),
      );
    } catch (error) {
      this.#notStorable(attempt, error);
    }
  }

  /** Records what an action has output. */
  #output(attempt: Attempt, result: unknown): void {
    // Its time may have been up while a schema checked the output.
    if (attempt.ended) return;
    const { run, node, frame, index, attempt: number } = attempt;
    let value: string | undefined;
    try {
      const { output } = codecsOf(run, frame, index);
      value = encode(output, result, `the output of \`${node}\``);
    } catch (error) {
      this.#notStorable(attempt, error);
      return;
    }
    const at = this.#executor.clock.now();
    this.#end(attempt);
    const event: SagaEvent =
      value === undefined
        ? { type: "succeeded", at, node, attempt: number, seq: UNLOGGED }
        : { type: "succeeded", at, node, attempt: number, value, seq: UNLOGGED };
    this.#executor.record(run, event);
    this.#executor.bodyEnded();
  }

  /**
   * The body had its effect, and what its undo would need of it is lost. So it has not failed, which
   * would leave the effect behind in silence, and trying again cannot help: its doubt is for good.
   */
  #notStorable(attempt: Attempt, error: unknown): void {
    if (!this.#end(attempt)) return;
    const { run, node, frame, index, attempt: number } = attempt;
    const value = recordError(error, run.loaded.errors);
    const at = this.#executor.clock.now();
    const ended = { at, node, attempt: number, value };
    this.#executor.record(run, doubtOf(run.state, frame, index, ended));
    this.#executor.bodyEnded();
  }

  #rejected(attempt: Attempt, error: unknown): void {
    if (!this.#end(attempt)) return;
    const { run, node, frame, index, attempt: number } = attempt;
    const at = this.#executor.clock.now();
    const chance = { now: at, random: this.#executor.random };
    const base = { at, node, attempt: number } as const;
    if (attempt.undo) {
      this.#undoFailed(attempt, recordError(error, run.loaded.errors));
    } else if (attempt.aborted) {
      this.#executor.record(run, { ...base, type: "in-doubt", value: '"aborted"' });
    } else {
      const value = recordError(error, run.loaded.errors);
      const dueAt = retryAt(frame, index, chance);
      this.#executor.record(
        run,
        dueAt === undefined
          ? failureOf(run.state, frame, index, { ...base, value })
          : { ...base, type: "attempt-failed", value, dueAt },
      );
    }
    this.#executor.bodyEnded();
  }

  #undoFailed({ run, frame, index, node, attempt }: Attempt, value: string): void {
    const at = this.#executor.clock.now();
    const dueAt = retryUndoAt(frame, index, { now: at, random: this.#executor.random });
    this.#executor.record(
      run,
      dueAt === undefined
        ? { type: "undo-failed", at, node, attempt, value }
        : { type: "undo-attempt-failed", at, node, attempt, value, dueAt },
    );
  }

  #timeOut(attempt: Attempt): void {
    const { run, node, frame, index, attempt: number } = attempt;
    const late = new StenoError("timeout", `attempt ${number} of \`${node}\` took too long`);
    this.#end(attempt);
    attempt.abort(late);
    if (attempt.undo) {
      this.#undoFailed(attempt, recordError(late));
    } else {
      const at = this.#executor.clock.now();
      const chance = { now: at, random: this.#executor.random };
      const dueAt = retryDoubtAt(frame, index, chance);
      const ended = { at, node, attempt: number, value: '"timeout"' };
      this.#executor.record(
        run,
        dueAt === undefined
          ? doubtOf(run.state, frame, index, ended)
          : { type: "in-doubt", ...ended, dueAt },
      );
    }
    this.#executor.bodyEnded();
  }
}

/** The method's answer to copies of its own of what is recorded. */
function callOnce({ run, frame, index, undo }: Attempt): unknown {
  const node = nodeOf(frame, index) as ActionNode;
  const instance = instanceOf(run, frame);
  const method = methodOf(instance, undo ? node.undo : node.action, frame.plan.saga);
  if (!undo) return method.apply(instance, inputsOf(run, frame, index));
  return method.apply(instance, [outputOf(run, frame, index), ...inputsOf(run, frame, index)]);
}

/**
 * One call after the other, unless the attempt has its end before. Of an action the last counts; an
 * undo stops at its first error.
 */
async function callRepeatedly(
  attempt: Attempt,
  times: number,
  callOnce: () => unknown,
): Promise<unknown> {
  for (let call = 1; call < times; call++) {
    try {
      const value = await callOnce();
      if (attempt.ended || attempt.aborted) return value;
    } catch (error) {
      if (attempt.undo || attempt.ended || attempt.aborted) throw error;
    }
  }
  return callOnce();
}

function inputsOf(run: ActiveRun, frame: Frame, index: number): unknown[] {
  const { inputs } = codecsOf(run, frame, index);
  const what = `the input of \`${pathOf(frame, index)}\` `;
  return decode(inputs, frame.inputs[index] ?? "[]", what) as unknown[];
}

/** `undefined` also for an action that failed half-way, and has none. */
function outputOf(run: ActiveRun, frame: Frame, index: number): unknown {
  const text = frame.outputs[index];
  if (text === undefined) return undefined;
  const { output } = codecsOf(run, frame, index);
  return decode(output, text, `the output of \`${pathOf(frame, index)}\``);
}
