/**
 * Errors as the saga log holds them: plain data, and back. Whatever a body throws is recorded;
 * this never fails on it.
 */
import type { SagaFailure } from "./errors.js";
import type { Failure } from "./state.js";

/** Causes of causes are recorded this far. */
const DEPTH_LIMIT = 5;
/** Longer texts are cut: a log must not grow by megabytes because somebody put a page in a message. */
const TEXT_LIMIT = 20_000;

/** The JSON text of an error, or of whatever was thrown. */
export function recordError(thrown: unknown): string {
  try {
    return JSON.stringify(plain(thrown, DEPTH_LIMIT));
  } catch {
    // A getter that throws, or a proxy.
    return JSON.stringify({ name: "Error", message: "an error that cannot be read was thrown" });
  }
}

function plain(thrown: unknown, depth: number): Record<string, unknown> {
  if (!(thrown instanceof Error) && !isErrorLike(thrown)) {
    return { name: "NonError", message: cut(describe(thrown)), ...valueOf(thrown) };
  }
  const error = thrown as Error & Record<string, unknown>;
  const record: Record<string, unknown> = {
    name: cut(String(error.name)),
    message: cut(String(error.message)),
  };
  if (typeof error.stack === "string") record["stack"] = cut(error.stack);
  for (const key of Object.keys(error)) {
    if (key in record || key === "cause" || key === "__proto__") continue;
    Object.assign(record, jsonProperty(key, error[key]));
  }
  if (error.cause !== undefined && depth > 0) record["cause"] = plain(error.cause, depth - 1);
  if (Array.isArray(error["errors"]) && depth > 0) {
    record["errors"] = error["errors"].slice(0, 20).map((each) => plain(each, depth - 1));
  }
  return record;
}

/** An error of another realm, or of a test's mock. */
function isErrorLike(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object Error]";
}

function jsonProperty(key: string, value: unknown): Record<string, unknown> {
  try {
    const text = JSON.stringify(value);
    return text !== undefined && text.length <= TEXT_LIMIT ? { [key]: JSON.parse(text) } : {};
  } catch {
    return {};
  }
}

function valueOf(thrown: unknown): Record<string, unknown> {
  return thrown === undefined ? {} : jsonProperty("value", thrown);
}

function describe(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  const json = typeof thrown === "object" ? JSON.stringify(thrown) : undefined;
  return `${json ?? String(thrown)} was thrown, which is no Error`;
}

function cut(text: string): string {
  return text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}…` : text;
}

/** The error that a recorded text stands for. A {@link Doubt} that counts as a failure is one too. */
export function reviveError(text: string): Error {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    record = { message: text };
  }
  return revive(typeof record === "string" ? { message: record } : record);
}

function revive(record: unknown): Error {
  const { name, message, stack, cause, ...rest } = (record ?? {}) as Record<string, unknown>;
  const error = new Error(typeof message === "string" ? message : "no message was recorded");
  const define = (key: string, value: unknown, enumerable: boolean): void => {
    Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
  };
  if (typeof name === "string") define("name", name, false);
  if (typeof stack === "string") define("stack", stack, false);
  if (cause !== undefined) define("cause", revive(cause), false);
  for (const [key, value] of Object.entries(rest)) define(key, value, true);
  return error;
}

/** The text of a failure's error, where a doubt is put into words. */
export function errorText({ node, attempt, error }: Failure): string {
  const words: Record<string, string> = {
    '"timeout"': "had no answer in time",
    '"aborted"': "ended after its signal was aborted",
    '"process"': "ended with its process",
  };
  const said = words[error];
  if (said === undefined) return error;
  const message = `attempt ${attempt} of \`${node}\` ${said}: whether it had its effect is not known`;
  return JSON.stringify({ name: "InDoubtError", message, code: "in-doubt" });
}

/** The error of a failure. */
export function reviveFailure(failure: Failure): Error {
  return reviveError(errorText(failure));
}

/** A failure as users see it. */
export function sagaFailure(failure: Failure): SagaFailure {
  const { node, attempt } = failure;
  return { node, attempt, error: reviveFailure(failure) };
}
