/**
 * The bodies that run in this process. Restate begins a handler anew when its connection breaks, while
 * the body that it had called runs on here: then the new one waits for that body, and calls no second
 * one. What ran in another process is lost, which is said and not decided here.
 */
import { randomBytes } from "node:crypto";
import {
  type Attempt,
  callBody,
  nodeOf,
  type Outcome,
  outcomeOf,
  outcomeOfError,
  recordError,
  runInContext,
  systemClock,
  tooLate,
} from "steno-runtime/host";
import type { Ended } from "./protocol.js";
import { tooLong } from "./sizes.js";

interface Running {
  readonly attempt: Attempt;
  readonly ended: Promise<Ended>;
}

/** Ends that nobody has asked for are kept: their run may have gone on in another process. */
const KEPT_AT_MOST = 1000;

export class Bodies {
  /** Names this process, in the journals of runs. */
  readonly process = randomBytes(6).toString("hex");
  readonly #running = new Map<string, Running>();
  /** Why attempts are to stop: Restate may call a body only after that is known. */
  readonly #unwanted = new WeakMap<Attempt, Error>();
  readonly #idle: (() => void)[] = [];
  #closing = false;

  /** Calls a body, or waits for it if it runs. `by`: the process that was to call it first. */
  call(attempt: Attempt, by: string): Promise<Ended> {
    const key = keyOf(attempt);
    const found = this.#running.get(key);
    if (found === undefined && by !== this.process) {
      return Promise.resolve({ at: Date.now(), lost: true });
    }
    const running = found ?? { attempt, ended: this.#begin(attempt) };
    if (found === undefined) this.#running.set(key, running);
    this.#forgetOldest();
    // Not before: a body that only listens for it would not hear of a signal that is aborted already.
    const reason = this.#unwanted.get(attempt);
    if (reason !== undefined) running.attempt.abort(reason);
    return running.ended;
  }

  /** Lets runs go on, until nothing more is to begin here: then they wait, to go on elsewhere. */
  mayGoOn(): Promise<void> {
    return this.#closing ? new Promise(() => {}) : Promise.resolve();
  }

  /** Begins nothing more; resolves when no body runs. */
  async close(): Promise<void> {
    this.#closing = true;
    while ([...this.#running.values()].some(({ attempt }) => !attempt.ended)) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  /** Aborts the signal of an attempt, whichever object the body that runs was given. */
  abort(attempt: Attempt, reason: Error): void {
    this.#unwanted.set(attempt, reason);
    this.#running.get(keyOf(attempt))?.attempt.abort(reason);
  }

  /** Its end is in the journal. */
  forget(attempt: Attempt): void {
    this.#running.delete(keyOf(attempt));
  }

  async #begin(attempt: Attempt): Promise<Ended> {
    const outcome = await this.#outcome(attempt);
    attempt.ended = true;
    for (const wake of this.#idle.splice(0)) wake();
    return { at: Date.now(), random: Math.random(), outcome };
  }

  async #outcome(attempt: Attempt): Promise<Outcome> {
    const answered = answerOf(attempt);
    const node = nodeOf(attempt.frame, attempt.index);
    const action = node.kind === "action" ? node : undefined;
    const timeout = attempt.undo ? action?.undoTimeoutMs : action?.timeoutMs;
    if (timeout === undefined) return answered;
    let cancel = (): void => {};
    const late = new Promise<Outcome>((resolve) => {
      cancel = systemClock.setTimer(systemClock.now() + timeout, () => {
        resolve({ as: "timeout" });
        attempt.abort(tooLate(attempt));
      });
    });
    try {
      return await Promise.race([late, answered]);
    } finally {
      cancel();
    }
  }

  #forgetOldest(): void {
    if (this.#running.size <= KEPT_AT_MOST) return;
    for (const [key, { attempt }] of this.#running) {
      if (!attempt.ended) continue;
      this.#running.delete(key);
      return;
    }
  }
}

async function answerOf(attempt: Attempt): Promise<Outcome> {
  try {
    const outcome = await outcomeOf(attempt, await runInContext(attempt, () => callBody(attempt)));
    const { value } = outcome as { readonly value?: string };
    const wrong = tooLong(`the output of \`${attempt.node}\``, value);
    return wrong === undefined ? outcome : { as: "unstorable", error: recordError(wrong) };
  } catch (error) {
    const outcome = outcomeOfError(attempt, error);
    const { error: text } = outcome as { readonly error?: string };
    const wrong = tooLong(`the error of \`${attempt.node}\``, text);
    return wrong === undefined ? outcome : { as: "failed", error: recordError(wrong) };
  }
}

/** Holds the run's nonce: of no other attempt of any run. */
function keyOf({ idempotencyKey, attempt }: Attempt): string {
  return `${idempotencyKey} ${attempt}`;
}
