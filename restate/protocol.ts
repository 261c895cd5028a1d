/**
 * What goes over the wire, and what is kept in Restate: the calls of the workflow that a client makes,
 * the names of its state and promises, and what is journaled. Values in it are JSON text, as elsewhere.
 */
import type { Failure, LoggedEvent, Manifest, Outcome, RunRow } from "steno-runtime/host";

/** The workflow's name, unless another is given. */
export const SERVICE = "steno";

/**
 * The order in which `drive.ts` asks Restate's journal for things: goes up with every change of it, since
 * a run that was begun under another order cannot be replayed.
 */
export const JOURNAL = 1;

/** What `run`, the handler that a run is, is called with. */
export interface Start {
  readonly saga: string;
  /** Of the definition. */
  readonly hash: string;
  readonly params?: string;
  readonly paused?: boolean;
  /** What its idempotency keys begin with; made when it begins, if whoever starts it does not say. */
  readonly nonce?: string;
}

/** How a run ended; the promise of that name, and what the handler returns, have no output. */
export interface Ending {
  readonly status: "succeeded" | "undone";
  /** Of its definition. */
  readonly saga: string;
  readonly hash: string;
  readonly output?: string;
  readonly failures: readonly Failure[];
}

/** A command of an operator, or an event that is sent: what `tell` is called with. */
export interface Command {
  /** Of the run that is meant: its id is free again once it is removed. */
  readonly nonce?: string;
  readonly command: string;
  /** As requests have them elsewhere: JSON text. */
  readonly args: string;
}

export type Answer =
  | { readonly ok: true; readonly value?: string }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** What shared handlers answer of a run that has not begun, or does not exist: they cannot know which. */
export interface Missing {
  readonly missing: true;
}

/** What is journaled first, and by which `drive.ts`. */
export interface Beginning {
  readonly at: number;
  readonly nonce: string;
  readonly journal: number;
  readonly manifest: Manifest;
}

/** What a run was started as; the promise of that name has no params. */
export interface Begun {
  readonly saga: string;
  readonly params?: string;
}

export interface RowQuery {
  /** Whether its params are wanted, and its output, which may be long. */
  readonly params?: boolean;
  readonly output?: boolean;
}
export interface RowAnswer {
  readonly row: StoredRow & Partial<Pick<RunRow, "params" | "output">>;
  /** It is not finished, and whoever answers does not serve its definition; another address may. */
  readonly unserved?: true;
}

export interface ReadQuery {
  /** Events with `seq > after`, at most `limit`. */
  readonly after: number;
  readonly limit?: number;
  /** Without params, and without inputs and outputs that are long, which say nothing of where it is. */
  readonly brief?: boolean;
}
export interface ReadAnswer {
  readonly events: readonly LoggedEvent[];
  /** There are some that were too long for one answer. */
  readonly more?: true;
  /** There are many, none is here: `readAll` is to be asked. */
  readonly all?: true;
}

/** JSON leaves out what is `undefined`. */
export type StoredRow = Pick<
  RunRow,
  "id" | "saga" | "hash" | "nonce" | "status" | "createdAt" | "updatedAt"
> &
  Partial<Pick<RunRow, "reason" | "error">>;

export interface RestQuery {
  readonly nonce: string;
  /** In milliseconds: then the answer is that it does not rest yet. */
  readonly atMost: number;
}

/**
 * How a body ended; or `lost`, for one that another process was to call: it may have done so. `at` is in
 * milliseconds since the epoch, `random` from 0 up to 1.
 */
export type Ended = { readonly at: number } & (
  { readonly lost: true } | { readonly outcome: Outcome; readonly random: number }
);

/** State: the run's row; its params and its output, which may be long, and are in no other of these; its manifest, for those who do not serve it; how often it has begun to move again; how many commands were taken. */
export const ROW = "run";
export const PARAMS = "params";
export const OUTPUT = "output";
export const DEFINITION = "definition";
export const MOVES = "moves";
export const COMMANDS = "commands";
/**
 * State: events, by the `seq` of the first, so that keys are in the order of the log; and whether it has become
 * too long to be sent at once.
 */
export const LOG = "log/";
export const LONG = "long";
export function logKey(seq: number): string {
  return LOG + String(seq).padStart(9, "0");
}

/** Promises: what the run is (`Begun`), that it rests, that it is finished; commands and their answers. */
export const BEGUN = "begun";
export const ENDED = "ended";
export function restPromise(moves: number): string {
  return `rest/${moves}`;
}
export function commandPromise(place: number): string {
  return `command/${place}`;
}
export function answerPromise(place: number): string {
  return `answer/${place}`;
}
