/** Calls the method that is a body, with copies of its own of what is recorded. It records nothing. */
import { codecsOf, instanceOf } from "./answers.js";
import type { Attempt } from "./attempt.js";
import { decode } from "../codec.js";
import { methodOf } from "./loaded-saga.js";
import { injectedAt } from "../machine/injections.js";
import type { ActionNode } from "../manifest.js";
import { nodeOf } from "../state.js";

/**
 * Calls the body of an attempt, or its undo; more than once where that is injected. An injection may be
 * at work here before it is durable, and be gone after a crash: nothing is wrong then, since any body may
 * be called again, nobody was told yet that it was injected, and no end of the attempt is recorded before it.
 */
export function callBody(attempt: Attempt): unknown {
  const { run, frame, index, undo } = attempt;
  const injected = run.state.injections && injectedAt(run.state, frame, index);
  const times = (undo ? injected?.undoRepeat : injected?.repeat) ?? 1;
  return times === 1 ? callOnce(attempt) : callRepeatedly(attempt, times);
}

function callOnce(attempt: Attempt): unknown {
  const { run, frame, index, undo } = attempt;
  const node = nodeOf(frame, index) as ActionNode;
  const instance = instanceOf(run, frame);
  const method = methodOf(instance, undo ? node.undo : node.action, frame.plan.saga);
  if (!undo) return method.apply(instance, inputsOf(attempt));
  return method.apply(instance, [outputOf(attempt), ...inputsOf(attempt)]);
}

/**
 * One call after the other, unless the attempt has its end before. Of an action the last counts; an
 * undo stops at its first error.
 */
async function callRepeatedly(attempt: Attempt, times: number): Promise<unknown> {
  for (let call = 1; call < times; call++) {
    try {
      const value = await callOnce(attempt);
      if (attempt.ended || attempt.aborted) return value;
    } catch (error) {
      if (attempt.undo || attempt.ended || attempt.aborted) throw error;
    }
  }
  return callOnce(attempt);
}

function inputsOf({ run, frame, index, node }: Attempt): unknown[] {
  const { inputs } = codecsOf(run, frame, index);
  return decode(inputs, frame.inputs[index] ?? "[]", `the input of \`${node}\` `) as unknown[];
}

/** `undefined` also for an action that failed half-way, and has none. */
function outputOf({ run, frame, index, node }: Attempt): unknown {
  const text = frame.outputs[index];
  if (text === undefined) return undefined;
  const { output } = codecsOf(run, frame, index);
  return decode(output, text, `the output of \`${node}\``);
}
