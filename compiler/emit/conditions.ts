/**
 * What is known of decisions at a place, and which of several values that leaves. TypeScript would
 * call a comparison that cannot hold an error, so one that is decided already is not printed again.
 */
import type { Alternative, Code, ConditionModel } from "../model.js";

/** Conditions that hold. */
export type Facts = readonly ConditionModel[];

/** A value with what is still to be tested for it, and what holds where it is taken. */
export interface Narrowed {
  readonly when: readonly ConditionModel[];
  readonly code: Code | undefined;
  readonly facts: Facts;
}

/**
 * The alternatives that are possible, the last without conditions: it is taken if no other is.
 * `isDecision` tells the nodes of whose arms one alone can be taken.
 */
export function narrow(
  alternatives: readonly Alternative[],
  facts: Facts,
  isDecision: (node: string) => boolean,
): Narrowed[] {
  const known = [...facts];
  const result: Narrowed[] = [];
  for (const [index, { when: all, code }] of alternatives.entries()) {
    const judged = all.map((condition) => judge(condition, known, isDecision));
    const isLast = index === alternatives.length - 1;
    if (judged.includes(false) && !isLast) continue;
    const when = isLast ? [] : all.filter((_, at) => judged[at] === undefined);
    // The last stands for all that is left, also for where its conditions do not hold.
    const holding = isLast && judged.includes(undefined) ? [] : all;
    result.push({ when, code, facts: [...known, ...(judged.includes(false) ? [] : holding)] });
    if (when.length === 0) break;
    const [only, ...others] = when;
    if (only !== undefined && others.length === 0) known.push(opposite(only));
  }
  return result;
}

function judge(
  { decision, arm, not }: ConditionModel,
  facts: Facts,
  isDecision: (node: string) => boolean,
): boolean | undefined {
  for (const fact of facts) {
    if (fact.decision !== decision) continue;
    if (fact.arm === arm) return (fact.not === true) === (not === true);
    if (fact.not !== true && isDecision(decision)) return not === true;
  }
  return undefined;
}

function opposite({ decision, arm, not }: ConditionModel): ConditionModel {
  return not === true ? { decision, arm } : { decision, arm, not: true };
}
