/** What a new run is made of, and what makes two calls of `start()` the same. It stores nothing. */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ActiveRun } from "./active-run.js";
import { StenoError } from "../errors.js";
import type { SagaEvent } from "../events.js";
import type { LoadedSaga } from "./loaded-saga.js";
import { advance } from "../machine.js";
import type { Effect } from "../machine/effects.js";
import type { RunRow } from "../stores/store.js";

/** Ids are keys and file names and parts of commands. */
const ID_LIMIT = 200;

/** JSON text; `undefined` for `undefined`. */
export type JsonText = string | undefined;

export interface NewRun {
  readonly run: ActiveRun;
  readonly events: readonly SagaEvent[];
  readonly effects: readonly Effect[];
}

/** A run that begins now, or, if it is paused, when it is resumed. */
export function newRun(
  saga: LoadedSaga,
  params: JsonText,
  id: string,
  at: number,
  isPaused: boolean,
  nonce = newNonce(),
): NewRun {
  const { name, hash } = saga.manifest;
  const row: RunRow = {
    id,
    saga: name,
    hash,
    nonce,
    params,
    status: "running",
    reason: undefined,
    output: undefined,
    error: undefined,
    createdAt: at,
    updatedAt: at,
    wakeAt: 0,
  };
  const created: SagaEvent = {
    type: "created",
    at,
    ...(params !== undefined && { value: params }),
  };
  const { state, effects } = advance(saga.plan, created);
  const run = new ActiveRun(saga, row, state, 0);
  run.created = row;
  if (!isPaused) return { run, events: [created], effects };
  const paused: SagaEvent = { type: "paused", at, value: '"started paused"' };
  return { run, events: [created, paused], effects: advance(state, paused).effects };
}

/**
 * 18 random digits, in hex, since keys begin with it: what begins with `-` is an option to a command.
 * Cut from a UUID, where they are random: Node makes many of those at a time.
 */
export function newNonce(): string {
  const uuid = randomUUID();
  return uuid.slice(24) + uuid.slice(0, 6);
}

/** @throws StenoError `bad-id` */
export function checkId(id: unknown): void {
  if (typeof id !== "string" || id.length === 0 || id.length > ID_LIMIT) {
    throw new StenoError("bad-id", `the id of a run is a text of 1 to ${ID_LIMIT} characters`);
  }
  // Stores would put the same sign in the place of each half: two ids would be one.
  if (/\p{Surrogate}/u.test(id)) {
    throw new StenoError(
      "bad-id",
      "the id of a run holds half a character (a lone surrogate): was a text cut within a character?",
    );
  }
}

/** @throws StenoError `run-exists` if the run that has the id is not the one that is to be started. */
export function checkSame(
  row: Pick<RunRow, "id" | "saga" | "params">,
  { manifest: { name } }: { readonly manifest: { readonly name: string } },
  params: JsonText,
): void {
  if (row.saga === name && isSame(row.params, params)) return;
  const what = row.saga === name ? "other params" : `saga \`${row.saga}\``;
  throw idTaken(row.id, `, with ${what}`);
}

/** The error for an id that belongs to another run. */
export function idTaken(id: string, how = ""): StenoError {
  return new StenoError(
    "run-exists",
    `there is a run \`${id}\` already${how}: use another id, or the same call as before`,
  );
}

/** Equal as values: the order of properties does not count. */
function isSame(one: JsonText, other: JsonText): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one === other || isDeepStrictEqual(JSON.parse(one), JSON.parse(other));
}
