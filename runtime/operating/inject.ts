/**
 * Injecting an error, an undo error or a repeat at a node of a live run: what may be asked for, and
 * where. It makes the event; what follows from it is in `machine/injections.ts`.
 */
import type { ActiveRun } from "../execution/active-run.js";
import { noSuchNode } from "../control.js";
import { StenoError } from "../errors.js";
import type { SagaEvent } from "../events.js";
import type { Injected } from "../machine/injections.js";
import { BEFORE_END, type Found, nodeAt } from "../machine/paths.js";
import { PHASE, PHASE_NAMES, undoesFailed } from "../state.js";

/** What is to be injected at a node. At least one of `error`, `undoError` and `repeat`. */
export interface Injection {
  /** The node's path, of a graph that has not begun too: `payment`, `serverAlloc/pick`, `nics[0]/create`. */
  readonly node: string;
  /**
   * The node fails with this message (`true`: a plain one) and its body is not called, nor is it
   * retried. A subsaga, map or loop fails when all in it is complete.
   */
  readonly error?: true | string;
  /** Its undo fails so, without being called: the run is stuck there, until an operator retries it. */
  readonly undoError?: true | string;
  /**
   * An attempt calls the body so often, one after the other, of which the last counts; and the undo,
   * up to its first error. Whole numbers from 1; one number is for both.
   */
  readonly repeat?: number | { readonly action?: number; readonly undo?: number };
  /** Who and why, for the saga log. */
  readonly reason?: string;
}

/** The more calls, the longer nobody can tell a repeat from a hang. */
const REPEAT_LIMIT = 1000;

/**
 * The event that an injection makes.
 * @throws StenoError `bad-injection` for what cannot be injected, or not there; `no-such-node`;
 * `node-ended` where it would never be met.
 */
export function injectedEvent(run: ActiveRun, asked: unknown, at: number): SagaEvent {
  const { node, reason, ...injected } = read(asked);
  const found = find(run, node);
  const { error, undoError, repeat, undoRepeat } = injected;
  const name = `node \`${node}\` of run \`${run.id}\``;
  if (found.node.kind === "scope") {
    throw bad(`${name} is a scope, which has no body: inject at a node in it`);
  }
  if (repeat !== undefined && found.node.kind !== "action" && found.node.kind !== "compute") {
    throw bad(`${name} is a ${found.node.kind}: only actions and computed values can be repeated`);
  }
  const undoing = undoError !== undefined || (undoRepeat !== undefined && repeat === undefined);
  if (undoing && (found.node.kind !== "action" || found.node.undo === "none")) {
    throw bad(`${name} has no undo of its own: inject at an action that has one`);
  }
  const state = PHASE_NAMES[found.phase];
  if ((error !== undefined || repeat !== undefined) && !BEFORE_END.has(found.phase)) {
    throw ended(`${name} does not run any more: it is ${state}`);
  }
  if (undoing && !mayBeUndone(found)) throw ended(`${name} is not undone any more: it is ${state}`);
  const value = JSON.stringify({ ...injected, ...(reason !== undefined && { reason }) });
  return { type: "injected", at, node, value };
}

const BEFORE_UNDONE: ReadonlySet<number> = new Set([
  ...BEFORE_END,
  PHASE.done,
  PHASE.undoReady,
  PHASE.undoWorking,
  PHASE.undoBackoff,
  PHASE.undoFailed,
]);

function mayBeUndone({ node, phase }: Found): boolean {
  return BEFORE_UNDONE.has(phase) || (phase === PHASE.failed && undoesFailed(node));
}

/** The node of a path, in a graph that may not have begun. @throws StenoError `no-such-node` */
function find(run: ActiveRun, path: string): Found {
  const { root } = run.state;
  // It would never be met: it is no path of a node of a run.
  const found = path.includes("[*]") ? undefined : nodeAt({ plan: root.plan, frame: root }, path);
  if (found === undefined) throw noSuchNode(run, path);
  return found;
}

/** What was asked for, from a handle or as the JSON of a request. @throws StenoError `bad-injection` */
function read(asked: unknown): Injected & { readonly node: string; readonly reason?: string } {
  const { node, reason, error, undoError, repeat } = (asked ?? {}) as {
    readonly [Key in keyof Injection]?: unknown;
  };
  if (typeof node !== "string" || (reason !== undefined && typeof reason !== "string")) {
    throw bad("an injection is { node, error?, undoError?, repeat?, reason? }: name the node");
  }
  const calls = typeof repeat === "object" && repeat !== null ? repeat : undefined;
  const { action, undo } = (calls ?? { action: repeat, undo: repeat }) as {
    readonly action?: unknown;
    readonly undo?: unknown;
  };
  const injected = {
    error: errorOf(error),
    undoError: errorOf(undoError),
    repeat: countOf(action),
    undoRepeat: countOf(undo),
  };
  if (Object.values(injected).every((each) => each === undefined)) {
    throw bad("nothing is to be injected: give `error`, `undoError` or `repeat`");
  }
  return { node, ...injected, ...(reason !== undefined && { reason }) };
}

function errorOf(asked: unknown): string | undefined {
  if (asked === undefined || asked === false) return undefined;
  if (asked !== true && typeof asked !== "string") {
    throw bad("`error` and `undoError` are messages, or true");
  }
  const message = asked === true ? "error injected" : asked;
  return JSON.stringify({ name: "InjectedError", message, code: "injected" });
}

function countOf(asked: unknown): number | undefined {
  if (asked === undefined) return undefined;
  if (Number.isInteger(asked) && (asked as number) >= 1 && (asked as number) <= REPEAT_LIMIT) {
    return asked as number;
  }
  throw bad(`\`repeat\` is a whole number from 1 to ${REPEAT_LIMIT}`);
}

function bad(message: string): StenoError {
  return new StenoError("bad-injection", message);
}

function ended(message: string): StenoError {
  return new StenoError("node-ended", message);
}
