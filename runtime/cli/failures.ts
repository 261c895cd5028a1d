/**
 * What a saga log says about a run's failures and undos, for reports. It reads the log only and
 * derives no state: what a node's state is, the machine says.
 */
import type { LoggedEvent } from "../events.js";

/** An error as the saga log holds it. */
export interface RecordedError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: unknown;
}

/** One node that failed for good. */
export interface Failure {
  readonly node: string;
  readonly attempt: number;
  readonly error: RecordedError;
}

/** What happened to a run that did not succeed. */
export interface History {
  readonly failures: readonly Failure[];
  readonly undone: readonly string[];
  /** The undos that failed, less those that were settled or undone after all. */
  readonly undoFailures: readonly Failure[];
  /** The nodes whose attempts are used up without an answer, and why there was none. */
  readonly inDoubt: readonly { readonly node: string; readonly doubt: string }[];
  /** The nodes whose failure waits for an operator. */
  readonly held: readonly Failure[];
}

/** Reads the failures and undos out of a saga log. */
export function historyOf(events: readonly LoggedEvent[]): History {
  const failures: Failure[] = [];
  const undone: string[] = [];
  const undoFailures = new Map<string, Failure>();
  const inDoubt = new Map<string, string>();
  const held = new Map<string, Failure>();
  for (const event of events) {
    if ("node" in event) {
      inDoubt.delete(event.node);
      const before = held.get(event.node);
      held.delete(event.node);
      if (event.type === "undo-settled" && before !== undefined) failures.push(before);
    }
    switch (event.type) {
      case "failed":
        failures.push(failureOf(event));
        break;
      case "in-doubt":
        if (event.dueAt === undefined) inDoubt.set(event.node, doubtOf(event.value));
        break;
      case "failure-held":
        held.set(event.node, failureOf(event));
        break;
      case "undo-failed":
        undoFailures.set(event.node, failureOf(event));
        break;
      case "undone":
      case "undo-settled":
        undone.push(event.node);
        undoFailures.delete(event.node);
        break;
      default:
    }
  }
  return {
    ...{ failures, undone, undoFailures: [...undoFailures.values()] },
    held: [...held.values()],
    inDoubt: Array.from(inDoubt, ([node, doubt]) => ({ node, doubt })),
  };
}

/** The nodes where the run is stuck, if it is. */
export function stuckNodes({ undoFailures, inDoubt, held }: History): string[] {
  return [...undoFailures, ...inDoubt, ...held].map(({ node }) => node);
}

function failureOf(event: {
  readonly node: string;
  readonly attempt: number;
  readonly value: string;
}): Failure {
  return { node: event.node, attempt: event.attempt, error: parseError(event.value) };
}

/** A word, or the error of an output that could not be stored. */
function doubtOf(json: string): string {
  const value = parseValue(json);
  return typeof value === "string" ? value : parseError(json).message;
}

/** A recorded error; whatever else was thrown becomes its own message. */
export function parseError(json: string): RecordedError {
  const value = parseValue(json);
  const known = (typeof value === "object" && value !== null ? value : {}) as {
    readonly [key in keyof RecordedError]?: unknown;
  };
  if (typeof known.message !== "string") return { name: "Error", message: json };
  return {
    name: typeof known.name === "string" ? known.name : "Error",
    message: known.message,
    ...(typeof known.stack === "string" && { stack: known.stack }),
    ...(typeof known.code === "string" && { code: known.code }),
    ...("cause" in known && { cause: causeOf(known.cause) }),
  };
}

/** As deep as causes are recorded, and a little more; what says that it is deeper is nobody's record. */
const CAUSES = 10;

/** A cause that is no error is recorded apart from those that are. */
function causeOf(recorded: unknown, depth = 0): unknown {
  if (typeof recorded !== "object" || recorded === null || depth > CAUSES) return recorded;
  if ("$value" in recorded) return recorded.$value;
  return "cause" in recorded
    ? { ...recorded, cause: causeOf(recorded.cause, depth + 1) }
    : recorded;
}

/** A recorded value for people and programs; text that is no JSON stays text. */
export function parseValue(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return json;
  }
}
