/** Codecs of values with parts: lists, tuples, maps, sets, objects, records. */
import {
  checkDepth,
  type Codec,
  inside,
  kindOf,
  mismatch,
  Mismatch,
  type Property,
  put,
} from "./codec.js";

type Step = (part: unknown, depth: number) => unknown;

function each(parts: Iterable<unknown>, step: Step, depth: number): unknown[] {
  checkDepth(depth);
  const made: unknown[] = [];
  let index = 0;
  try {
    for (const part of parts) {
      made.push(step(part, depth + 1));
      index++;
    }
  } catch (error) {
    throw inside(error, index);
  }
  return made;
}

function listOf(value: unknown, expected: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw mismatch(expected, value);
}

export function array(item: Codec): Codec {
  return {
    expected: "an array",
    kinds: () => ["array"],
    looks: () => ["array"],
    encode: (value, depth) => each(listOf(value, "an array"), item.encode, depth),
    decode: (json, depth) => each(listOf(json, "an array"), item.decode, depth),
  };
}

export function set(item: Codec): Codec {
  return {
    expected: "a Set",
    kinds: () => ["Set"],
    looks: () => ["array"],
    encode: (value, depth) => {
      if (kindOf(value) !== "Set") throw mismatch("a Set", value);
      return each(value as Set<unknown>, item.encode, depth);
    },
    decode: (json, depth) => new Set(each(listOf(json, "a Set, as an array"), item.decode, depth)),
  };
}

export function map(key: Codec, value: Codec): Codec {
  const pair = tuple([
    { codec: key, optional: false, rest: false },
    { codec: value, optional: false, rest: false },
  ]);
  return {
    expected: "a Map",
    kinds: () => ["Map"],
    looks: () => ["array"],
    encode: (found, depth) => {
      if (kindOf(found) !== "Map") throw mismatch("a Map", found);
      return each(found as Map<unknown, unknown>, pair.encode, depth);
    },
    decode: (json, depth) => {
      const pairs = each(listOf(json, "a Map, as an array of pairs"), pair.decode, depth);
      return new Map(pairs as [unknown, unknown][]);
    },
  };
}

export interface Element {
  readonly codec: Codec;
  readonly optional: boolean;
  /** Stands for any number of elements. */
  readonly rest: boolean;
}

export function tuple(elements: readonly Element[]): Codec {
  const at = elements.findIndex(({ rest }) => rest);
  const least = elements.filter(({ optional, rest }) => !optional && !rest).length;
  const most = at < 0 ? elements.length : Infinity;
  const expected =
    least === most
      ? `an array of ${most}`
      : `an array of ${most === Infinity ? `${least} or more` : `${least} to ${most}`}`;
  const through = (value: unknown, depth: number, way: "encode" | "decode"): unknown[] => {
    const list = listOf(value, expected);
    if (list.length < least || list.length > most) {
      throw new Mismatch(expected, `one of ${list.length}`);
    }
    let index = 0;
    // After the rest, elements are counted from the end.
    const last = list.length - (elements.length - 1 - at);
    const step: Step = (part, inner) => {
      const own = index++;
      const isRest = at >= 0 && own >= at && own < last;
      const place = isRest ? at : at < 0 || own < at ? own : own - last + at + 1;
      return (elements[place] as Element).codec[way](part, inner);
    };
    return each(list, step, depth);
  };
  return {
    expected,
    kinds: () => ["array"],
    looks: () => ["array"],
    encode: (value, depth) => through(value, depth, "encode"),
    decode: (json, depth) => through(json, depth, "decode"),
  };
}

type Data = Record<string, unknown>;

function dataOf(value: unknown, expected: string): Data {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Data;
  throw mismatch(expected, value);
}

/** What objects inherit is none of theirs. */
function read(data: Data, key: string): unknown {
  return key in Object.prototype && !Object.hasOwn(data, key) ? undefined : data[key];
}

/**
 * A property that may be missing has a codec that also takes `undefined`, since it may be there and
 * undefined: it comes back so.
 */
export function object(properties: readonly Property[]): Codec {
  const through = (data: Data, depth: number, way: "encode" | "decode"): Data => {
    checkDepth(depth);
    const made: Data = {};
    let at: string | undefined;
    try {
      for (const { key, optional, codec } of properties) {
        at = key;
        const part = read(data, key);
        if (part === undefined && optional && !(key in data && Object.hasOwn(data, key))) continue;
        put(made, key, codec[way](part, depth + 1));
      }
    } catch (error) {
      throw at === undefined ? error : inside(error, at);
    }
    return made;
  };
  return {
    expected: "an object",
    properties,
    kinds: () => ["object"],
    looks: () => (properties.some(({ key }) => key === "$") ? ["object", "$*"] : ["object"]),
    encode: (value, depth) => {
      if (kindOf(value) !== "object") throw mismatch("an object", value);
      return through(value as Data, depth, "encode");
    },
    decode: (json, depth) => through(dataOf(json, "an object"), depth, "decode"),
  };
}

/** An object with any keys of a kind, and with some that are known. */
export function record(
  known: readonly Property[],
  isKey: (key: string) => boolean,
  item: Codec,
): Codec {
  const base = object(known);
  const names = new Set(known.map(({ key }) => key));
  const through = (data: Data, depth: number, way: "encode" | "decode"): Data => {
    const made = base[way](data, depth) as Data;
    for (const key of Object.keys(data)) {
      if (names.has(key) || !isKey(key)) continue;
      try {
        put(made, key, item[way](data[key], depth + 1));
      } catch (error) {
        throw inside(error, key);
      }
    }
    return made;
  };
  return {
    expected: "an object",
    properties: known,
    kinds: () => ["object"],
    looks: () => ["object", "$*"],
    encode: (value, depth) => {
      if (kindOf(value) !== "object") throw mismatch("an object", value);
      return through(value as Data, depth, "encode");
    },
    decode: (json, depth) => through(dataOf(json, "an object"), depth, "decode"),
  };
}
