/**
 * Calls the methods that are actions and undos, each until its end or its timeout, and records the
 * event that its end makes (`outcomes.ts`).
 */
import type { ActiveRun } from "./active-run.js";
import { Attempt } from "./attempt.js";
import { callBody } from "./calling.js";
import { TimerHeap } from "../clock.js";
import { runInContext } from "../context.js";
import { StenoError } from "../errors.js";
import type { Executor, ExecutorOptions } from "../executor.js";
import type { ActionNode } from "../manifest.js";
import { eventOfOutcome, type Outcome, outcomeOf, outcomeOfError, tooLate } from "./outcomes.js";
import { isPromise } from "../codec/standard-schema.js";
import { type Frame, nodeOf, type Place } from "../state.js";

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

  /** Nobody looks on at most calls: such a call makes nothing but its arguments. */
  readonly #begin = (attempt: Attempt): unknown => {
    const through = this.#through;
    return through === undefined ? callBody(attempt) : through(attempt, () => callBody(attempt));
  };

  /** Aborts the signal of the attempt that runs at a node. */
  abort(run: ActiveRun, place: Place): void {
    const attempt = run.attempts.get(place);
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
    const outcome = outcomeOf(attempt, result);
    if (!isPromise(outcome)) this.#record(attempt, outcome);
    else void outcome.then((checked) => this.#record(attempt, checked));
  }

  #rejected(attempt: Attempt, error: unknown): void {
    if (attempt.ended) return;
    this.#record(attempt, outcomeOfError(attempt, error));
  }

  #timeOut(attempt: Attempt): void {
    this.#record(attempt, { as: "timeout" });
  }

  #record(attempt: Attempt, outcome: Outcome): void {
    // Its time may have been up while a schema checked the output.
    if (!this.#end(attempt)) return;
    if (outcome.as === "timeout") attempt.abort(tooLate(attempt));
    const { clock, random } = this.#executor;
    this.#executor.record(
      attempt.run,
      eventOfOutcome(attempt, outcome, clock.now(), random),
      attempt,
    );
    this.#executor.bodyEnded();
  }
}
