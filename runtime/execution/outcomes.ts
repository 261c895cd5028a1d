/**
 * How the attempt of a body ended, as plain data, and the event that this makes of a run. A host that
 * keeps a journal of its own records the one and makes the other of it. What an event means for the
 * run, the machine says; whether there is another attempt, `machine/verdict.ts`.
 */
import { codecsOf } from "./answers.js";
import type { Attempt } from "./attempt.js";
import { encode } from "../codec.js";
import { StenoError } from "../errors.js";
import { type SagaEvent, UNLOGGED } from "../events.js";
import { doubtOf, failureOf } from "../machine/holding.js";
import { type Chance, retryAt, retryDoubtAt, retryUndoAt } from "../machine/verdict.js";
import { recordError } from "../codec/recorded-error.js";
import { isPromise, validate } from "../codec/standard-schema.js";

/** Texts are JSON. */
export type Outcome =
  /** `value`: the output of an action; absent when it is `undefined`, and for an undo. */
  | { readonly as: "succeeded"; readonly value?: string }
  | { readonly as: "failed"; readonly error: string }
  /** It gave an output that cannot be stored. */
  | { readonly as: "unstorable"; readonly error: string }
  /** It threw after its signal was aborted. */
  | { readonly as: "aborted" }
  | { readonly as: "timeout" };

type Failed = Exclude<Outcome, { readonly as: "succeeded" }>;

/** The outcome of a body that returned: later, if a schema takes its time to check its output. */
export function outcomeOf(attempt: Attempt, result: unknown): Outcome | PromiseLike<Outcome> {
  if (attempt.undo) return { as: "succeeded" };
  const { check } = codecsOf(attempt.run, attempt.frame, attempt.index);
  if (check === undefined) return outcomeOfOutput(attempt, result);
  try {
    const checked = validate(check, result, `the output of \`${attempt.node}\``);
    if (!isPromise(checked)) return outcomeOfOutput(attempt, checked);
    return checked.then(
      (value) => outcomeOfOutput(attempt, value),
      (error: unknown) => unstorable(attempt, error),
    );
  } catch (error) {
    return unstorable(attempt, error);
  }
}

function outcomeOfOutput(attempt: Attempt, output: unknown): Outcome {
  const { run, node, frame, index } = attempt;
  try {
    const value = encode(codecsOf(run, frame, index).output, output, `the output of \`${node}\``);
    return value === undefined ? { as: "succeeded" } : { as: "succeeded", value };
  } catch (error) {
    return unstorable(attempt, error);
  }
}

function unstorable({ run }: Attempt, error: unknown): Outcome {
  return { as: "unstorable", error: recordError(error, run.loaded.errors) };
}

/** The outcome of a body that threw. */
export function outcomeOfError(attempt: Attempt, error: unknown): Outcome {
  if (attempt.aborted && !attempt.undo) return { as: "aborted" };
  return { as: "failed", error: recordError(error, attempt.run.loaded.errors) };
}

/** Why an attempt is told to stop that has taken too long. */
export function tooLate({ attempt, node }: Attempt): StenoError {
  return new StenoError("timeout", `attempt ${attempt} of \`${node}\` took too long`);
}

/** What an outcome makes of the run as it is now. `random`: from 0 up to 1. */
export function eventOfOutcome(
  attempt: Attempt,
  outcome: Outcome,
  now: number,
  random: () => number,
): SagaEvent {
  const { node, attempt: number, undo } = attempt;
  if (outcome.as !== "succeeded") {
    return undo
      ? undoFailure(attempt, outcome, { now, random })
      : failure(attempt, outcome, { now, random });
  }
  if (undo) return { type: "undone", at: now, node, attempt: number };
  const { value } = outcome;
  return value === undefined
    ? { type: "succeeded", at: now, node, attempt: number, seq: UNLOGGED }
    : { type: "succeeded", at: now, node, attempt: number, value, seq: UNLOGGED };
}

function failure(attempt: Attempt, outcome: Failed, chance: Chance): SagaEvent {
  const { run, node, frame, index, attempt: number } = attempt;
  const base = { at: chance.now, node, attempt: number } as const;
  switch (outcome.as) {
    case "failed": {
      const dueAt = retryAt(frame, index, chance);
      const ended = { ...base, value: outcome.error };
      return dueAt === undefined
        ? failureOf(run.state, frame, index, ended)
        : { type: "attempt-failed", ...ended, dueAt };
    }
    case "unstorable":
      // The body had its effect, and what its undo would need of it is lost. So it has not failed,
      // which would leave the effect behind in silence, and trying again cannot help.
      return doubtOf(run.state, frame, index, { ...base, value: outcome.error });
    case "aborted":
      return { type: "in-doubt", ...base, value: '"aborted"' };
    case "timeout": {
      const dueAt = retryDoubtAt(frame, index, chance);
      const ended = { ...base, value: '"timeout"' };
      return dueAt === undefined
        ? doubtOf(run.state, frame, index, ended)
        : { type: "in-doubt", ...ended, dueAt };
    }
  }
}

function undoFailure(attempt: Attempt, outcome: Failed, chance: Chance): SagaEvent {
  const { node, frame, index, attempt: number } = attempt;
  const base = { at: chance.now, node, attempt: number } as const;
  const value = "error" in outcome ? outcome.error : recordError(tooLate(attempt));
  const dueAt = retryUndoAt(frame, index, chance);
  return dueAt === undefined
    ? { type: "undo-failed", ...base, value }
    : { type: "undo-attempt-failed", ...base, value, dueAt };
}
