/**
 * The codec of values of which no schema is known, in definitions that were not compiled: JSON, and
 * strictly. What would not come back as it was is refused.
 */
import { checkDepth, type Codec, inside, mismatch, Mismatch, type ValueKind } from "./codec.js";
import { tagOf } from "./simple.js";

const KINDS: readonly ValueKind[] = [
  "undefined",
  "null",
  "boolean",
  "number",
  "string",
  "array",
  "object",
];

export const json: Codec = {
  expected: "a JSON value",
  kinds: () => KINDS,
  looks: () => ["null", "boolean", "number", "string", "array", "object", "$*"],
  encode: (value, depth) => {
    if (value === undefined) return { $: "undefined" };
    check(value, depth, []);
    return tagOf(value) === undefined ? value : { $: "json", value };
  },
  decode: (found) => {
    const tag = tagOf(found);
    if (tag === "undefined") return undefined;
    return tag === "json" ? (found as { readonly value: unknown }).value : found;
  },
};

/** `above`: the objects that hold it; as it was when it returns. */
function check(value: unknown, depth: number, above: object[]): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (Number.isFinite(value) && !Object.is(value, -0)) return;
      throw mismatch("a JSON value", value);
    case "object":
      if (value === null) return;
      checkDepth(depth);
      if (above.includes(value)) {
        throw new Mismatch("a JSON value", "an object that contains itself");
      }
      above.push(value);
      checkParts(value, depth, above);
      above.pop();
      return;
    default:
      throw mismatch("a JSON value", value);
  }
}

function checkParts(value: object, depth: number, above: object[]): void {
  if (!Array.isArray(value)) checkPlain(value);
  let key: string | number = 0;
  try {
    if (Array.isArray(value)) {
      const list = value as readonly unknown[];
      for (key = 0; key < list.length; key++) check(list[key], depth + 1, above);
      return;
    }
    for (key of Object.keys(value)) {
      const part = (value as Readonly<Record<string, unknown>>)[key];
      // JSON leaves out a property that is undefined, as most who read it do.
      if (part !== undefined) check(part, depth + 1, above);
    }
  } catch (error) {
    throw inside(error, key);
  }
}

function checkPlain(value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object of another realm is plain, too: its prototype is the last.
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (plain && typeof (value as { readonly toJSON?: unknown }).toJSON !== "function") return;
  throw mismatch("a JSON value", value);
}
