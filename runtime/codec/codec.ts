/**
 * What a codec is: from a value to what JSON can hold of it, and back, checking both ways. Codecs are
 * made from schemas once, when a definition is loaded (`compile.ts`).
 */

/**
 * What the JSON of a value can look like, so that a union can tell its members apart: `null`,
 * `boolean`, `number`, `string`, `array`, `object`; `=text` for one text; `$name` for an object
 * `{ "$": name, "value": … }`; `$*` for an object that may look like one of those.
 */
export type Look = string;

/** What `typeof` says of a value, with the kinds of objects that are stored told apart. */
export type ValueKind =
  | "null"
  | "undefined"
  | "boolean"
  | "number"
  | "string"
  | "bigint"
  | "Date"
  | "Map"
  | "Set"
  | "bytes"
  | "url"
  | "array"
  | "object";

export interface Codec {
  /** What a value must be, in words: `a Date`. */
  readonly expected: string;
  /** Asked for only when all codecs are made: a schema may contain itself. */
  readonly kinds: () => readonly ValueKind[];
  readonly looks: () => readonly Look[];
  /** @throws Mismatch */
  readonly encode: (value: unknown, depth: number) => unknown;
  /** @throws Mismatch */
  readonly decode: (json: unknown, depth: number) => unknown;
  /** Of an object: what it has, by which unions tell objects apart. */
  readonly properties?: readonly Property[];
  /** Of a literal. */
  readonly values?: readonly unknown[];
}

export interface Property {
  readonly key: string;
  readonly optional: boolean;
  readonly codec: Codec;
}

/** Values nested deeper than this are refused: they would exhaust the stack. */
export const DEPTH_LIMIT = 500;

/** A value is not what its type says. Not for users: what they are told is made from it. */
export class Mismatch extends Error {
  /** From the outside to where it is. */
  readonly path: (string | number)[] = [];

  constructor(
    readonly expected: string,
    readonly found: string,
  ) {
    super(`expected ${expected}, found ${found}`);
  }
}

export function mismatch(expected: string, value: unknown): Mismatch {
  return new Mismatch(expected, describe(value));
}

/** Adds where it happened. */
export function inside(error: unknown, step: string | number): unknown {
  if (error instanceof Mismatch) error.path.unshift(step);
  return error;
}

export function checkDepth(depth: number): void {
  if (depth <= DEPTH_LIMIT) return;
  throw new Mismatch(
    `a value nested at most ${DEPTH_LIMIT} deep`,
    "one that is deeper, or that contains itself",
  );
}

/** The kind of a value; undefined: nothing that is stored. An object of a class is an object. */
export function kindOf(value: unknown): ValueKind | undefined {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
    case "bigint":
    case "undefined":
      return typeof value as ValueKind;
    case "object":
      return value === null ? "null" : kindOfObject(value);
    default:
      return undefined;
  }
}

/** By tags and not by `instanceof`: an object may be from another realm, as in some test runners. */
const TAGS: Readonly<Record<string, ValueKind>> = {
  "[object Date]": "Date",
  "[object Map]": "Map",
  "[object Set]": "Set",
  "[object Uint8Array]": "bytes",
  "[object URL]": "url",
};

function kindOfObject(value: object): ValueKind {
  if (Array.isArray(value)) return "array";
  if (Object.getPrototypeOf(value) === Object.prototype) return "object";
  return TAGS[Object.prototype.toString.call(value)] ?? "object";
}

/** Text longer than this is cut in messages. */
const SHOWN = 40;

function describe(value: unknown): string {
  switch (typeof value) {
    case "string": {
      const cut = value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
      return `the text ${JSON.stringify(cut)}`;
    }
    case "number":
      return `the number ${Object.is(value, -0) ? "-0" : value}`;
    case "boolean":
    case "undefined":
      return String(value);
    case "bigint":
      return `the bigint ${value}n`;
    case "object":
      return value === null ? "null" : describeObject(value);
    default:
      return `a ${typeof value}`;
  }
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return "an array";
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return "an object";
  const { name } = value.constructor as { readonly name?: unknown };
  return typeof name === "string" && name !== "Object" && name !== "" ? `a ${name}` : "an object";
}

/** Sets a property, also one of a name that would change the prototype. */
export function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    object[key] = value;
  }
}
