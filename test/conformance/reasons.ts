/**
 * The differences that are chosen, each with a check that a line differs in exactly that way and in
 * no other. `docs/STENO.md` says why of each; what has none of these reasons is a defect.
 */
import type { Compared, Difference } from "./compare.js";
import type { Facts } from "./expect.js";
import { complaintOf } from "./steno-recovery.js";

export interface Reason {
  readonly name: string;
  /** In one line, for the count. */
  readonly says: string;
  readonly holds: (compared: Compared) => boolean;
}

export const REASONS: readonly Reason[] = [
  {
    name: "instant-race",
    says: "what else happens in the instant of a failure is an accident of steno's scheduler",
    holds: isInstantRace,
  },
  {
    name: "stuck-undos-finish",
    says: "what was under way when a run got stuck is finished after a restart too",
    holds: isStuckGoingOn,
  },
  {
    name: "unknown-node-refused",
    says: "a log with an event of a node that its graph does not have is damaged",
    holds: isUnknownNode,
  },
  {
    name: "no-such-event",
    says: "the event that steno objects to has no counterpart in a log here",
    holds: hasNoCounterpart,
  },
  {
    name: "no-node-to-inject-at",
    says: "an injection at a start or end node is refused, since there is no such node",
    holds: (compared) => isRefusedInjection(compared, /(^|\/)\$(start|end)$/, "no-such-node"),
  },
  {
    name: "no-undo-to-fail",
    says: "an undo error is refused where there is no undo of its own: at a subsaga or a constant",
    holds: (compared) => isRefusedInjection(compared, "error_undo", "bad-injection"),
  },
  {
    name: "nothing-to-repeat",
    says: "a repeat is refused where no body could be repeated: at a subsaga or a constant",
    holds: (compared) => isRefusedInjection(compared, "repeat", "bad-injection"),
  },
  {
    name: "panic-is-failure",
    says: "a body that panics hangs steno's saga for ever; here the node fails",
    holds: isPanic,
  },
];

/** The reason of a line that differs; `undefined` if it has none. */
export function reasonOf(compared: Compared): Reason | undefined {
  return REASONS.find(({ holds }) => holds(compared));
}

type Aspects = Partial<Record<Difference["aspect"], Difference>>;

/** The differences by aspect; `undefined` if there is one in an aspect that is not among these. */
function only(
  { differences }: Compared,
  aspects: readonly Difference["aspect"][],
): Aspects | undefined {
  const found: Aspects = {};
  for (const each of differences) {
    if (!aspects.includes(each.aspect) || found[each.aspect] !== undefined) return undefined;
    found[each.aspect] = each;
  }
  return found;
}

const MOVING = [
  "result",
  "states",
  "log",
  "bodies",
  "probes",
  "updates",
] as const satisfies readonly (keyof Facts)[];

function timeOf(fact: string): number {
  return Number(/(?:^|\s)t=(\d+)/.exec(fact)?.[1] ?? -1);
}

function all(differences: readonly (Difference | undefined)[]): string[] {
  return differences.flatMap((each) => (each === undefined ? [] : [...each.steno, ...each.here]));
}

/** Facts that say when, in which nothing differs before a time. */
function begins(aspects: Aspects, at: number): boolean {
  const { log, bodies, probes, updates, result } = aspects;
  return (
    all([log, bodies, probes, updates]).every((fact) => timeOf(fact) >= at) &&
    all([result]).every((fact) => fact.startsWith("at t="))
  );
}

/** Both sides come to a state in which the node is not done. */
function areOver(states: Difference | undefined): boolean {
  return all([states]).every((fact) => /: (undone|abandoned|failed)$/.test(fact));
}

/** What a node beside may have in the instant of a failure. */
const BESIDE = new Set(["started", "succeeded", "failed"]);

function isInstantRace(compared: Compared): boolean {
  const { line, outcome, seen } = compared;
  if (line.stability?.instant_race !== true || seen === undefined) return false;
  const aspects = only(compared, MOVING);
  if (aspects === undefined || outcome.result?.err === undefined) return false;
  const failed = (outcome.log ?? []).find(
    ({ event }) => typeof event === "object" && ("failed" in event || "undo_failed" in event),
  );
  if (failed === undefined) return false;
  // It begins with something else that one of the two has in that instant: all the rest follows.
  const isBeside = (fact: string): boolean => {
    const [, node, type = ""] = /^t=\d+ (\S+) (\S+)/.exec(fact) ?? [];
    return timeOf(fact) === failed.t && node !== failed.node && BESIDE.has(type);
  };
  const inInstant = all([aspects.log]).filter((fact) => timeOf(fact) === failed.t);
  if (!inInstant.some(isBeside)) return false;
  // Where the nodes come to the same states all the same, nothing else follows.
  if (aspects.states === undefined) return all(Object.values(aspects)).length === inInstant.length;
  return begins(aspects, failed.t) && areOver(aspects.states);
}

function isStuckGoingOn(compared: Compared): boolean {
  const { frame, seen } = compared;
  if (frame === undefined || seen === undefined || !frame.prefix.stuck) return false;
  const aspects = only(compared, ["result", "states", "log", "bodies", "updates"]);
  if (aspects === undefined) return false;
  const { result, states, log, bodies, updates } = aspects;
  const underWay = (fact: string): boolean => {
    const type = frame.prefix.last.get(/^t=\d+ (\S+) /.exec(fact)?.[1] ?? "");
    return type === "started" || type === "undo_started";
  };
  return (
    [...(log?.here ?? []), ...(bodies?.here ?? [])].every(underWay) &&
    [...(log?.steno ?? []), ...(bodies?.steno ?? [])].length === 0 &&
    all([result]).every((fact) => fact.startsWith("at t=")) &&
    all([updates]).every((fact) => fact.endsWith(" done")) &&
    (states?.steno ?? []).every((fact) => /: (queued-undo|queued-todo)$/.test(fact)) &&
    (states?.here ?? []).every((fact) => /: (undone|failed|done)$/.test(fact))
  );
}

/** The one difference is that one of the two goes on, and the other refuses the log. */
function refusal(compared: Compared): Difference | undefined {
  const found = only(compared, ["refusal"])?.refusal;
  return compared.log === undefined ? undefined : found;
}

function isUnknownNode(compared: Compared): boolean {
  const found = refusal(compared);
  if (found === undefined || found.steno.length > 0) return false;
  const isUnknown = compared.log?.some(({ path }) => path === undefined) ?? false;
  return isUnknown && / has no node `no-such-node`/.test(found.here[0] ?? "");
}

function hasNoCounterpart(compared: Compared): boolean {
  const { log, frame, translated } = compared;
  const found = refusal(compared);
  if (found === undefined || found.here.length > 0 || log === undefined || frame === undefined) {
    return false;
  }
  const complaint = complaintOf(log, frame.flat);
  if (complaint === undefined || !complaint.pattern.test(found.steno[0] ?? "")) return false;
  return complaint.events.some(
    (event) => translated?.dropped.includes(event) === true || translated?.last === event,
  );
}

function isRefusedInjection(
  compared: Compared,
  which: RegExp | "error_undo" | "repeat",
  code: string,
): boolean {
  const { line, seen, outcome } = compared;
  const { error = [], error_undo = [], repeat = [] } = line.input.inject ?? {};
  const repeated = repeat.map(({ node }) => node);
  const places =
    which === "error_undo"
      ? error_undo
      : which === "repeat"
        ? repeated
        : [...error, ...error_undo, ...repeated];
  const kinds = new Map(compared.frame?.flat.map(({ path, kind }) => [path, kind]));
  const isMeant = (path: string): boolean =>
    which instanceof RegExp
      ? which.test(path)
      : ["constant", "subsaga-end"].includes(kinds.get(path) ?? "");
  const meant = places.filter(isMeant);
  const refused = seen?.injectErrors ?? [];
  if (meant.length === 0 || refused.length !== meant.length) return false;
  if (!refused.every((each) => each.code === code)) return false;
  // Without what was refused the run goes its way: what steno had done until then it does too.
  const rest = {
    ...compared,
    differences: compared.differences.filter(({ aspect }) => aspect !== "refusal"),
  };
  const aspects = only(rest, MOVING);
  if (aspects === undefined) return false;
  const undoFailed = (outcome.log ?? []).find(
    ({ event }) => typeof event === "object" && "undo_failed" in event,
  );
  if (outcome.client_panicked === true) {
    const isPanicOfStart = (outcome.panics ?? [])[0]?.startsWith("unexpected failure from unnamed");
    const { log, bodies } = aspects;
    return (
      isPanicOfStart === true &&
      all([log, bodies]).length === (log?.here.length ?? 0) + (bodies?.here.length ?? 0)
    );
  }
  if (which === "error_undo") {
    const { result, states, ...others } = aspects;
    const isStuckThere = (result?.steno ?? []).some((fact) => fact.startsWith("stuck at "));
    return (
      undoFailed !== undefined &&
      meant.includes(undoFailed.node) &&
      isStuckThere &&
      (result?.here ?? []).every((fact) => fact.startsWith("at t=")) &&
      (states?.here ?? []).every((fact) => /: (undone|failed|abandoned)$/.test(fact)) &&
      begins(others, undoFailed.t)
    );
  }
  return rest.differences.length === 0;
}

function isPanic(compared: Compared): boolean {
  const { outcome, seen, line } = compared;
  const panicked = /^body panic (.*) @ /s.exec(outcome.panics?.[0] ?? "")?.[1];
  const aspects = only(compared, [...MOVING, "refusal"]);
  if (panicked === undefined || outcome.hang !== true || aspects === undefined) return false;
  if (seen === undefined || line.fixed_outcome !== undefined) return false;
  const { log, bodies } = aspects;
  const stenos = [...(log?.steno ?? []), ...(bodies?.steno ?? [])];
  const [first] = seen.failures;
  const node = first && compared.frame?.paths.get(panicked) === first.node;
  return stenos.length === 0 && node === true && first?.error.name === "TypeError";
}
