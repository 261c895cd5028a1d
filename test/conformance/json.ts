/**
 * JSON as steno prints and hashes it. Numbers that JavaScript cannot hold as they are written (`1.0`
 * beside `1`, `-0.0`, whole numbers above 2^53) are carried as `{ "$number": text }`, there and back.
 */

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Parses a text of which no number is lost. */
export function readJson(text: string): Json {
  return JSON.parse(
    text.replace(TOKEN, (token) => {
      if (token.startsWith('"')) return token;
      const value = Number(token);
      const isFloat = /[.eE]/.test(token) || Object.is(value, -0);
      if (isFloat ? !Number.isInteger(value) : Number.isSafeInteger(value)) return token;
      return `{"$number":"${isFloat ? printFloat(value) : token}"}`;
    }),
  ) as Json;
}

/** Compact, with sorted keys: the text that steno's hashes are made of, and one text for equal values. */
export function printJson(value: Json): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : printFloat(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(printJson).join(",")}]`;
  const record = value as { readonly [key: string]: Json };
  const keys = Object.keys(record);
  if (keys.length === 1 && typeof record["$number"] === "string") return record["$number"];
  const fields = keys
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((key) => `${JSON.stringify(key)}:${printJson(record[key] as Json)}`);
  return `{${fields.join(",")}}`;
}

/** Digits before the point, up to which floats are printed without an exponent. */
const LONGEST_DECIMAL = 16;

/** The shortest digits that give the number, laid out as Rust's `ryu` does. */
function printFloat(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "0", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(exponent) + 1;
  if (value === 0) return `${sign}0.0`;
  if (point > 0 && point <= LONGEST_DECIMAL) {
    const whole = digits.slice(0, point).padEnd(point, "0");
    return `${sign}${whole}.${digits.slice(point) || "0"}`;
  }
  if (point > -5 && point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  const rest = digits.length > 1 ? `.${digits.slice(1)}` : "";
  return `${sign}${digits[0]}${rest}e${point - 1}`;
}

/** 8 hex digits of FNV-1a-32 over the text's UTF-8 bytes. */
export function hash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}
