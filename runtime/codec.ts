/**
 * Values to JSON text and back, strictly: what would not come back as it was is refused, with its
 * path. It knows no types; those of a saga are the compiler's business.
 */
import { StenoError } from "./errors.js";

/**
 * The JSON text of a value; `undefined` for `undefined`. A property that is `undefined` is left out.
 * @throws StenoError `value-not-json`, saying where in `what` it is.
 */
export function encode(value: unknown, what: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null) {
    checkPrimitive(value, what, "");
  } else {
    checkTree(value, what);
  }
  return JSON.stringify(value);
}

/** The value of a text that `encode` made: a copy of its own. */
export function decode(text: string | undefined): unknown {
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

/** Values nested deeper than this are refused: `JSON.stringify` would exhaust the stack. */
const DEPTH_LIMIT = 1000;

function checkTree(value: object, what: string): void {
  const path: (string | number)[] = [];
  const above: object[] = [];
  walk(value, what, path, above);
}

function walk(value: object, what: string, path: (string | number)[], above: object[]): void {
  if (above.includes(value)) throw refuse(what, path, "an object that contains itself");
  if (above.length >= DEPTH_LIMIT) {
    throw refuse(what, path, `a value nested more than ${DEPTH_LIMIT} deep`);
  }
  above.push(value);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      path.push(i);
      const item: unknown = value[i];
      if (item === undefined) {
        throw refuse(what, path, i in value ? "undefined in an array" : "a hole in an array");
      }
      check(item, what, path, above);
      path.pop();
    }
    if (Object.keys(value).length !== value.length) {
      throw refuse(what, path, "an array with properties");
    }
  } else {
    checkPlain(value, what, path);
    for (const key of Object.keys(value)) {
      const item = (value as Record<string, unknown>)[key];
      if (item === undefined) continue;
      path.push(key);
      check(item, what, path, above);
      path.pop();
    }
  }
  above.pop();
}

function check(item: unknown, what: string, path: (string | number)[], above: object[]): void {
  if (typeof item === "object" && item !== null) walk(item, what, path, above);
  else if (typeof item !== "string" && typeof item !== "boolean") {
    checkPrimitive(item, what, path);
  }
}

function checkPlain(value: object, what: string, path: readonly (string | number)[]): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    // An object of another realm is plain too: its prototype is the last.
    const last = Object.getPrototypeOf(prototype) === null;
    const name = (value.constructor as { name?: string } | undefined)?.name;
    if (!last || name !== "Object") throw refuse(what, path, `an instance of ${name || "a class"}`);
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") {
    throw refuse(what, path, "an object with a method toJSON");
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw refuse(what, path, "an object with a symbol as a key");
  }
}

function checkPrimitive(
  value: unknown,
  what: string,
  path: readonly (string | number)[] | "",
): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (Number.isFinite(value) && !Object.is(value, -0)) return;
      throw refuse(what, path, Object.is(value, -0) ? "the number -0" : `the number ${value}`);
    case "object":
      return;
    default:
      throw refuse(what, path, `a ${typeof value}`);
  }
}

function refuse(what: string, path: readonly (string | number)[] | "", found: string): StenoError {
  const steps = [...path].map((step) =>
    typeof step === "number"
      ? `[${step}]`
      : /^[A-Za-z_$][\w$]*$/.test(step)
        ? `.${step}`
        : `[${JSON.stringify(step)}]`,
  );
  return new StenoError(
    "value-not-json",
    `${what}${steps.join("")} is ${found}, which JSON cannot hold as it is: ` +
      "use strings, finite numbers, booleans, null, and plain arrays and objects of those",
  );
}

/**
 * The JSON text of the arguments of a call: an array. Arguments may be `undefined`, which an array
 * in JSON cannot hold: then it is `{ "0": …, "2": …, "length": 3 }`.
 */
export function encodeInputs(inputs: readonly unknown[], what: string): string {
  const texts = inputs.map((input, index) => encode(input, `${what}[${index}]`));
  if (!texts.includes(undefined)) return `[${texts.join(",")}]`;
  const items = texts.flatMap((text, index) => (text === undefined ? [] : [`"${index}":${text}`]));
  return `{${[...items, `"length":${inputs.length}`].join(",")}}`;
}

/** The arguments that a text of `encodeInputs` stands for. */
export function decodeInputs(text: string): unknown[] {
  const value = JSON.parse(text) as unknown[];
  return Array.isArray(value) ? value : Array.from(value);
}
