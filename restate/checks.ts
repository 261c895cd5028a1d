/**
 * Whether what somebody calls the workflow with is what `protocol.ts` says: whoever reaches Restate's
 * ingress can call it with anything. What is not is refused for good, since Restate would try it again for
 * ever; it is nothing that a run can meet.
 */
import { TerminalError } from "@restatedev/restate-sdk";
import { StenoError } from "steno-runtime";
import { checkId, decode, type LoadedSaga } from "steno-runtime/host";
import type { Command, ReadQuery, RestQuery, RowQuery, Start } from "./protocol.js";

type Fields = Readonly<Record<string, unknown>>;
type Fits = (value: unknown) => boolean;

const BAD_REQUEST = 400;
/** Longer than any call waits. */
const LONGEST_WAIT_MS = 3_600_000;

const isText: Fits = (value) => typeof value === "string";
const isMaybeText: Fits = (value) => value === undefined || isText(value);
const isMaybeTrue: Fits = (value) => value === undefined || typeof value === "boolean";

const START = {
  ...{ saga: isText, hash: isText, params: isMaybeText, nonce: isMaybeText },
  paused: isMaybeTrue,
};
const COMMAND = { nonce: isMaybeText, command: isText, args: isText };
const ROW_QUERY = { params: isMaybeTrue, output: isMaybeTrue };
const READ_QUERY = {
  after: Number.isSafeInteger,
  brief: isMaybeTrue,
  limit: (value: unknown) =>
    value === undefined || (Number.isSafeInteger(value) && Number(value) > 0),
};
const REST_QUERY = {
  nonce: isText,
  atMost: (value: unknown) => Number(value) >= 0 && Number(value) <= LONGEST_WAIT_MS,
};

/** @throws TerminalError */
export function checkStart(id: string, start: Start): Start {
  try {
    checkId(id);
  } catch (error) {
    throw refused("run", (error as Error).message);
  }
  return fitting("run", start, START);
}

/** Before anything of a run is stored. @throws TerminalError */
export function checkParams({ method }: LoadedSaga, { params }: Start): void {
  try {
    decode(method.params, params, "params");
  } catch (error) {
    if (!(error instanceof StenoError)) throw error;
    throw refused("run", error.message);
  }
}

/** @throws TerminalError */
export function checkCommand(command: Command): Command {
  return fitting("tell", command, COMMAND);
}

/** @throws TerminalError */
export function checkRowQuery(query: RowQuery): RowQuery {
  return fitting("row", query, ROW_QUERY);
}

/** @throws TerminalError */
export function checkReadQuery(query: ReadQuery): ReadQuery {
  return fitting("read", query, READ_QUERY);
}

/** @throws TerminalError */
export function checkRestQuery(query: RestQuery): RestQuery {
  return fitting("rest", query, REST_QUERY);
}

function fitting<T>(handler: string, given: T, fields: Readonly<Record<string, Fits>>): T {
  const isRecord = typeof given === "object" && given !== null && !Array.isArray(given);
  const found = isRecord ? (given as Fields) : {};
  const wrong = Object.entries(fields).filter(([name, fits]) => !fits(found[name]));
  if (isRecord && wrong.length === 0) return given;
  const names = Object.keys(fields).map((name) => `\`${name}\``);
  const which = wrong.map(([name]) => `\`${name}\``).join(", ") || "all";
  throw refused(
    handler,
    `it takes ${names.join(", ")} as \`stenoRestate\` gives them, and ${which} is not so`,
  );
}

function refused(handler: string, why: string): TerminalError {
  return new TerminalError(`\`${handler}\`: ${why}; start and operate runs with \`stenoRestate\``, {
    errorCode: BAD_REQUEST,
  });
}
