/**
 * Errors as the saga log holds them: plain data, and back. Whatever a body throws is recorded; this
 * never fails on it. Classes that actions declare, and the language's own, come back as instances.
 */
import { shownMismatch, SIZE_LIMIT } from "../codec.js";
import { type Codec, Mismatch } from "./codec.js";
import { json } from "./json.js";
import type { SagaFailure } from "../errors.js";
import type { Failure } from "../state.js";

/** A class of errors. It is not called: an instance is made of what was recorded. */
export type ErrorClass = abstract new (...args: never) => Error;

/** A class, and how its own data is stored; without a codec: what JSON can hold of it. */
export interface DeclaredError {
  readonly made: ErrorClass;
  readonly data?: Codec | undefined;
}

/** The classes that a saga's actions declare, by the names that the saga log has. */
export type ErrorClasses = ReadonlyMap<string, DeclaredError>;

/** Causes of causes are recorded this far. */
const DEPTH_LIMIT = 5;
/** Errors of an `AggregateError` that are recorded. */
const LIST_LIMIT = 20;
/** Longer texts are cut: a log must not grow by megabytes because somebody put a page in a message. */
const TEXT_LIMIT = 20_000;

/**
 * In a record: the name of the class, the own data of one that is declared, and a cause that is no
 * error. No error has such keys.
 */
const CLASS = "$class";
const DATA = "$data";
const VALUE = "$value";
/** Why an error is none of its class, though that is declared. */
const NOT_REVIVED = "notRevived";

const BUILT_IN: ErrorClasses = new Map(
  [
    ...[AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
  ].map((made) => [made.name, { made }]),
);
const NONE: ErrorClasses = new Map();

type Plain = Record<string, unknown>;

/** The JSON text of an error, or of whatever was thrown. */
export function recordError(thrown: unknown, classes: ErrorClasses = NONE): string {
  try {
    return JSON.stringify(plain(thrown, classes, DEPTH_LIMIT));
  } catch {
    // A proxy that answers nothing.
    return JSON.stringify({ name: "Error", message: "an error that cannot be read was thrown" });
  }
}

function plain(thrown: unknown, classes: ErrorClasses, depth: number): Plain {
  if (!isError(thrown)) {
    return { name: "NonError", message: cut(describe(thrown)), ...valueOf(thrown) };
  }
  const record: Plain = {
    name: cut(text(thrown, "name", "Error")),
    message: cut(text(thrown, "message", "an error without a readable message")),
  };
  const stack = read(thrown, "stack");
  if (typeof stack === "string") record["stack"] = cut(stack);
  const name = classOf(thrown, classes);
  const declared = name === undefined ? undefined : classes.get(name);
  const typed = declared?.data && typedData(thrown, declared.data);
  const fits = declared !== undefined && typed?.fault === undefined;
  if (name !== undefined && (fits || (!declared && name !== record["name"]))) record[CLASS] = name;
  if (fits) record[DATA] = typed?.data ?? ownData(thrown);
  else Object.assign(record, ownData(thrown));
  if (typed?.fault !== undefined) record[NOT_REVIVED] = typed.fault;
  if (depth > 0) addInner(record, thrown, classes, depth - 1);
  return record;
}

/** The errors in an error. */
function addInner(record: Plain, thrown: Error, classes: ErrorClasses, depth: number): void {
  const data = record[DATA] as Plain | undefined;
  const cause = read(thrown, "cause");
  if (cause !== undefined && !(data !== undefined && Object.hasOwn(data, "cause"))) {
    record["cause"] =
      (isError(cause) ? undefined : valueCause(cause)) ?? plain(cause, classes, depth);
  }
  const errors = read(thrown, "errors");
  if (Array.isArray(errors) && errors.length > 0 && errors.every(isError)) {
    delete (data ?? record)["errors"];
    record["errors"] = errors.slice(0, LIST_LIMIT).map((each) => plain(each, classes, depth));
  }
}

/** A cause that is data, as it is. */
function valueCause(cause: unknown): Plain | undefined {
  try {
    const value = json.encode(cause, 0);
    return JSON.stringify(value).length <= TEXT_LIMIT ? { [VALUE]: value } : undefined;
  } catch {
    return undefined;
  }
}

/** What JSON can hold of an error's own properties. */
function ownData(thrown: Error): Plain {
  const found: Plain = {};
  for (const key of Object.keys(thrown)) {
    if (!KEPT_APART.has(key)) Object.assign(found, jsonProperty(key, read(thrown, key)));
  }
  return found;
}

interface TypedData {
  readonly data?: Plain;
  /** Why there is none. */
  readonly fault?: string;
}

/** The data of a declared error, as its types say. */
function typedData(thrown: Error, codec: Codec): TypedData {
  try {
    const data = codec.encode(thrown, 0) as Plain;
    const { length } = JSON.stringify(data);
    if (length <= SIZE_LIMIT) return { data };
    return { fault: `its data is longer than ${SIZE_LIMIT} characters of JSON` };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

function faultOf(error: unknown): string {
  if (error instanceof Mismatch) return `its data is not of its type: ${shownMismatch(error)}`;
  return "its data cannot be read";
}

const KEPT_APART: ReadonlySet<string> = new Set([
  ...["name", "message", "stack", "cause", "__proto__", CLASS, DATA, VALUE],
]);

function isError(value: unknown): value is Error {
  // Also one of another realm, or of a test's mock.
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}

/** The nearest class of an error that can be brought back. */
function classOf(error: Error, classes: ErrorClasses): string | undefined {
  for (let each: unknown = error; ;) {
    each = Object.getPrototypeOf(each) as unknown;
    if (each === null || each === undefined) return undefined;
    for (const known of [classes, BUILT_IN]) {
      for (const [name, { made }] of known) if (made.prototype === each) return name;
    }
  }
}

/** A property, whatever its getter does. */
function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Plain)[key];
  } catch {
    return undefined;
  }
}

function text(error: Error, key: string, otherwise: string): string {
  const value = read(error, key);
  if (typeof value === "string") return value;
  return value === undefined ? otherwise : (inWords(value) ?? otherwise);
}

function jsonProperty(key: string, value: unknown): Plain {
  try {
    const json = JSON.stringify(value);
    return json !== undefined && json.length <= TEXT_LIMIT ? { [key]: JSON.parse(json) } : {};
  } catch {
    return {};
  }
}

function valueOf(thrown: unknown): Plain {
  return thrown === undefined ? {} : jsonProperty("value", thrown);
}

function describe(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  return `${inWords(thrown) ?? "something that cannot be read"} was thrown, which is no Error`;
}

function inWords(value: unknown): string | undefined {
  try {
    const json = typeof value === "object" ? JSON.stringify(value) : undefined;
    return json ?? String(value);
  } catch {
    // It contains itself, or its methods throw.
    return typeof value === "object" ? "an object" : undefined;
  }
}

function cut(long: string): string {
  return long.length > TEXT_LIMIT ? `${long.slice(0, TEXT_LIMIT)}…` : long;
}

/** The error that a recorded text stands for. A {@link Doubt} that counts as a failure is one too. */
export function reviveError(recorded: string, classes: ErrorClasses = NONE): Error {
  let record: unknown;
  try {
    record = JSON.parse(recorded);
  } catch {
    record = { message: recorded };
  }
  return revive(typeof record === "string" ? { message: record } : record, classes);
}

function revive(found: unknown, classes: ErrorClasses): Error {
  const { name, message, stack, cause, errors, ...rest } = (found ?? {}) as Plain;
  const { [CLASS]: className, [DATA]: data, ...other } = rest;
  // One that only has the name of a declared class is no instance of it.
  const known =
    (className === undefined ? undefined : classes.get(String(className))) ??
    BUILT_IN.get(String(className ?? name));
  const own = ownOf(other, data, known?.data);
  const error = new Error(typeof message === "string" ? message : "no message was recorded");
  const define = (key: string, value: unknown, enumerable: boolean): void => {
    Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
  };
  // No constructor is called: what it would be given is not known, and it may do anything.
  if (known !== undefined && !Object.hasOwn(own, NOT_REVIVED)) {
    Object.setPrototypeOf(error, known.made.prototype as object);
  }
  if (typeof name === "string") define("name", name, false);
  if (typeof stack === "string") define("stack", stack, false);
  if (cause !== undefined) define("cause", reviveCause(cause, classes), false);
  if (isErrorList(errors))
    define(
      "errors",
      errors.map((each) => revive(each, classes)),
      false,
    );
  else if (errors !== undefined) define("errors", errors, true);
  for (const [key, value] of Object.entries(own)) define(key, value, true);
  return error;
}

function reviveCause(found: unknown, classes: ErrorClasses): unknown {
  const isValue = typeof found === "object" && found !== null && Object.hasOwn(found, VALUE);
  return isValue ? json.decode((found as Plain)[VALUE], 0) : revive(found, classes);
}

/** The own properties of an error: of a declared one by their types. */
function ownOf(other: Plain, data: unknown, codec: Codec | undefined): Plain {
  if (typeof data !== "object" || data === null) return other;
  if (codec === undefined) return { ...other, ...data };
  try {
    return { ...other, ...(codec.decode(data, 0) as Plain) };
  } catch (error) {
    // Another definition recorded it.
    return { ...other, ...data, [NOT_REVIVED]: faultOf(error) };
  }
}

/** Whether these are records of errors, and not a property of that name. */
function isErrorList(value: unknown): value is readonly unknown[] {
  const isRecord = (each: unknown): boolean =>
    typeof (each as Partial<Plain> | null)?.["message"] === "string" &&
    typeof (each as Plain)["name"] === "string";
  return Array.isArray(value) && value.length > 0 && value.every(isRecord);
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
export function reviveFailure(failure: Failure, classes?: ErrorClasses): Error {
  return reviveError(errorText(failure), classes);
}

/** A failure as users see it. */
export function sagaFailure(failure: Failure, classes?: ErrorClasses): SagaFailure {
  const { node, attempt } = failure;
  return { node, attempt, error: reviveFailure(failure, classes) };
}
