/**
 * Compares one recorded line with what happens here. What is left that differs is given a reason in
 * `reasons.ts`, or has none.
 */
import type { Compiled } from "./compile.js";
import { flatten, type Line, type Outcome } from "./dag.js";
import { ASPECTS, expected, type Facts, type Frame, observed, type Prefix } from "./expect.js";
import { observe, type Seen } from "./observe.js";
import { refusalDifferences, refusalOf } from "./refusals.js";
import { selfDifferences } from "./consistency.js";
import {
  lastEvents,
  type StenoEvent,
  stenoEvent,
  translate,
  type Translated,
} from "./translate.js";

export interface Difference {
  readonly aspect: keyof Facts | "refusal" | "record";
  /** Facts that steno has, and that we have, beyond those in common. */
  readonly steno: readonly string[];
  readonly here: readonly string[];
}

/** All that a reason may look at. */
export interface Compared {
  readonly line: Line;
  readonly outcome: Outcome;
  readonly differences: readonly Difference[];
  readonly frame?: Frame;
  readonly seen?: Seen;
  readonly translated?: Translated;
  readonly log?: readonly StenoEvent[];
}

/** `base`: the line whose saga and log a recovery is of. */
export async function compareLine(line: Line, base: Line, compiled: Compiled): Promise<Compared> {
  const outcome = line.fixed_outcome ?? line.outcome;
  const recorded = selfDifferences(line, base);
  const refusal = refusalOf(outcome);
  if (refusal !== undefined) {
    const found = refusalDifferences(refusal, compiled.result);
    return { line, outcome, differences: [...recorded, ...found] };
  }
  const { subject, paths, result } = compiled;
  const dag = base.input.saga;
  if (subject === undefined || dag === undefined) {
    const here = result.diagnostics.map(({ code, message }) => `${code}: ${message}`);
    const refused: Difference = { aspect: "refusal", steno: [], here };
    return { line, outcome, differences: [...recorded, refused] };
  }
  const flat = flatten(dag);
  const { params, inject = {}, probes = [] } = line.input;
  const log = line === base ? undefined : prefixOf(line, base);
  const frame: Frame = { flat, paths, prefix: prefixFacts(log ?? []), isRecovery: line !== base };
  const translated = log && translate({ dag, flat, paths, params, log });
  const seen = await observe({
    subject,
    dag,
    paths,
    params,
    inject,
    probes,
    ...(translated !== undefined && { log: translated.events }),
  });
  const differences = [...recorded, ...differencesOf(outcome, seen, frame)];
  return {
    ...{ line, outcome, differences, frame, seen },
    ...(translated !== undefined && { translated }),
    ...(log !== undefined && { log }),
  };
}

/** The events that a recovery is given. */
function prefixOf(line: Line, base: Line): StenoEvent[] {
  const { events } = line.input;
  const flat = flatten(base.input.saga ?? { name: "", stages: [] });
  if (events !== undefined) {
    return events.map(({ saga_id, node_id, event_type }) =>
      stenoEvent(flat[node_id]?.path, event_type, saga_id !== SAGA_ID),
    );
  }
  const log = (base.outcome.log ?? []).slice(0, line.prefix_len ?? 0);
  return log.map(({ node, event }) => stenoEvent(node, event));
}

/** Of every recorded saga. */
const SAGA_ID = "00000000-0000-4000-8000-000000000001";

function prefixFacts(log: readonly StenoEvent[]): Prefix {
  const has = (...types: readonly string[]): boolean =>
    log.some(({ type }) => types.includes(type));
  const last = lastEvents(log);
  return {
    last,
    unwinding: has("failed", "undo_started", "undo_finished"),
    stuck: has("undo_failed"),
    finished: last.get("$end") === "succeeded" || last.get("$start") === "undo_finished",
  };
}

function differencesOf(outcome: Outcome, seen: Seen, frame: Frame): Difference[] {
  if (outcome.resume_error !== undefined || seen.refused !== undefined) {
    const steno = outcome.resume_error === undefined ? [] : [outcome.resume_error];
    const here = seen.refused === undefined ? [] : [seen.refused];
    return steno.length === here.length ? [] : [{ aspect: "refusal", steno, here }];
  }
  const found: Difference[] = [];
  const theirs = expected(outcome, frame);
  const ours = observed(seen, outcome, frame);
  for (const aspect of ASPECTS) {
    const steno = without(theirs[aspect], ours[aspect]);
    const here = without(ours[aspect], theirs[aspect]);
    if (steno.length + here.length > 0) found.push({ aspect, steno, here });
  }
  const errors = seen.injectErrors.map(({ code, message }) => `${code}: ${message}`);
  if (errors.length > 0) found.push({ aspect: "refusal", steno: [], here: errors });
  const panics = outcome.panics ?? [];
  if (panics.length > 0 || outcome.hang === true) {
    found.push({ aspect: "refusal", steno: [...panics], here: [] });
  }
  return found;
}

/** What is in one list of facts beyond those of the other, as multisets. */
function without(facts: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const each of others) left.set(each, (left.get(each) ?? 0) + 1);
  return facts.filter((each) => {
    const count = left.get(each) ?? 0;
    left.set(each, count - 1);
    return count <= 0;
  });
}
