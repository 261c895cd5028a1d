/** Codecs of values without parts: primitives, literals, dates, bytes, addresses. */
import { type Codec, kindOf, type Look, mismatch, Mismatch, type ValueKind } from "./codec.js";

/** The JSON of a value that has no other JSON of its own. */
export interface Tagged {
  readonly $: string;
  readonly value?: unknown;
}

export function tagOf(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  if (!Object.hasOwn(json, "$")) return undefined;
  const { $ } = json as Tagged;
  return typeof $ === "string" ? $ : undefined;
}

/** A type whose values JSON has. */
function same(kind: "string" | "boolean"): Codec {
  const expected = kind === "string" ? "a text" : "true or false";
  const check = (value: unknown): unknown => {
    if (typeof value === kind) return value;
    throw mismatch(expected, value);
  };
  return { expected, kinds: () => [kind], looks: () => [kind], encode: check, decode: check };
}

export const text: Codec = same("string");
export const boolean: Codec = same("boolean");

/** A value that there is one of. */
export function constant(value: null | undefined): Codec {
  const expected = String(value);
  return {
    expected,
    kinds: () => [value === null ? "null" : "undefined"],
    looks: () => ["null"],
    encode: (found) => {
      if (found === value) return null;
      throw mismatch(expected, found);
    },
    decode: (json) => {
      if (json === null || json === undefined) return value;
      throw mismatch(expected, json);
    },
  };
}

/** The numbers that JSON has no text for. */
const ODD: ReadonlyMap<unknown, number> = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["-0", -0],
]);

export const number: Codec = {
  expected: "a number",
  kinds: () => ["number"],
  looks: () => ["number", "$number"],
  encode: (value) => {
    if (typeof value !== "number") throw mismatch("a number", value);
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return { $: "number", value: Object.is(value, -0) ? "-0" : String(value) };
  },
  decode: (json) => {
    if (typeof json === "number") return json;
    const odd = tagOf(json) === "number" ? ODD.get((json as Tagged).value) : undefined;
    if (odd !== undefined) return odd;
    throw mismatch("a number", json);
  },
};

/** A value whose JSON is a text. */
function asText<T>(
  kind: ValueKind,
  expected: string,
  write: (value: T) => string,
  read: (text: string) => T | undefined,
): Codec {
  return {
    expected,
    kinds: () => [kind],
    looks: () => ["string"],
    encode: (value) => {
      if (kindOf(value) !== kind) throw mismatch(expected, value);
      return write(value as T);
    },
    decode: (json) => {
      const value = typeof json === "string" ? read(json) : undefined;
      if (value !== undefined) return value;
      throw mismatch(`${expected}, as text`, json);
    },
  };
}

export const bigint: Codec = asText<bigint>("bigint", "a bigint", String, (json) =>
  /^-?\d+$/.test(json) ? BigInt(json) : undefined,
);

export const date: Codec = asText<Date>(
  "Date",
  "a Date",
  (value) => {
    const time = Date.prototype.getTime.call(value);
    if (Number.isNaN(time)) throw new Mismatch("a Date", "an invalid Date");
    return new Date(time).toISOString();
  },
  (json) => {
    const value = new Date(json);
    return Number.isNaN(value.getTime()) ? undefined : value;
  },
);

export const bytes: Codec = asText<Uint8Array>(
  "bytes",
  "a Uint8Array",
  (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"),
  (json) =>
    /^[A-Za-z0-9+/]*={0,2}$/.test(json) ? new Uint8Array(Buffer.from(json, "base64")) : undefined,
);

export const url: Codec = asText<URL>(
  "url",
  "a URL",
  (value) => value.href,
  (json) => (URL.canParse(json) ? new URL(json) : undefined),
);

/** One of some values. */
export function literal(values: readonly unknown[]): Codec {
  const jsonOf = new Map(
    values.map((value) => [value, typeof value === "bigint" ? String(value) : value]),
  );
  const valueOf = new Map([...jsonOf].map(([value, json]) => [json, value]));
  const expected = values
    .map((value) => (typeof value === "bigint" ? `${value}n` : JSON.stringify(value)))
    .join(" or ");
  const looks = [...valueOf.keys()].map((json): Look =>
    typeof json === "string" ? `=${json}` : typeof json,
  );
  const kinds = new Set(values.map((value) => kindOf(value) as ValueKind));
  return {
    expected,
    values,
    kinds: () => [...kinds],
    looks: () => looks,
    encode: (value) => {
      if (jsonOf.has(value)) return jsonOf.get(value);
      throw mismatch(expected, value);
    },
    decode: (json) => {
      if (valueOf.has(json)) return valueOf.get(json);
      throw mismatch(expected, json);
    },
  };
}

/** Text of a form. */
export function template(pattern: RegExp, shown: string): Codec {
  const check = (value: unknown): unknown => {
    if (typeof value === "string" && pattern.test(value)) return value;
    throw mismatch(shown, value);
  };
  return {
    expected: shown,
    kinds: () => ["string"],
    looks: () => ["string"],
    encode: check,
    decode: check,
  };
}

export const never: Codec = {
  expected: "nothing",
  kinds: () => [],
  looks: () => [],
  encode: (value) => {
    throw mismatch("nothing", value);
  },
  decode: (json) => {
    throw mismatch("nothing", json);
  },
};
