/**
 * The codec of a union. A member whose JSON could be that of another is tagged:
 * `{ "$": "Date", "value": … }`; members that JSON itself tells apart are stored as they are.
 */
import {
  type Codec,
  kindOf,
  type Look,
  mismatch,
  Mismatch,
  type Property,
  type ValueKind,
} from "./codec.js";
import { type Tagged, tagOf } from "./simple.js";

interface Member {
  readonly codec: Codec;
  /** Absent: stored as it is. */
  readonly tag: string | undefined;
  /** The tag of values of which the JSON itself looks tagged. Absent: there are none. */
  readonly escape: string | undefined;
}

/** Made on first use: only then are the codecs of schemas that contain themselves whole. */
interface Table {
  readonly byKind: ReadonlyMap<ValueKind, readonly Member[]>;
  readonly byTag: ReadonlyMap<string, Member>;
  readonly byLook: ReadonlyMap<Look, Member>;
  /** Objects that differ in what one property is. */
  readonly objects: Discriminated | undefined;
  readonly looks: readonly Look[];
}

interface Discriminated {
  readonly key: string;
  readonly members: ReadonlyMap<unknown, Member>;
  /** By what JSON has of the property. */
  readonly stored: ReadonlyMap<unknown, Member>;
}

/** `shown`: what it is called in messages. */
export function union(codecs: readonly Codec[], shown?: Codec): Codec {
  const expected = (): string =>
    shown?.expected ?? [...new Set(codecs.map((codec) => codec.expected))].join(" or ");
  let made: Table | undefined;
  const table = (): Table => (made ??= makeTable(codecs));
  return {
    get expected() {
      return expected();
    },
    kinds: () => [...new Set(codecs.flatMap((codec) => codec.kinds()))],
    looks: () => table().looks,
    encode: (value, depth) => encode(table(), expected, value, depth),
    decode: (json, depth) => decode(table(), expected, json, depth),
  };
}

function encode(table: Table, expected: () => string, value: unknown, depth: number): unknown {
  const kind = kindOf(value);
  const members = kind === undefined ? undefined : table.byKind.get(kind);
  if (members === undefined) throw mismatch(expected(), value);
  const [only, second] = members;
  if (only !== undefined && second === undefined)
    return wrap(only, only.codec.encode(value, depth));
  if (kind === "object" && table.objects !== undefined) {
    const { key, members: byValue } = table.objects;
    const member = byValue.get((value as Record<string, unknown>)[key]);
    if (member !== undefined) return wrap(member, member.codec.encode(value, depth));
    const found = mismatch(wanted(byValue), (value as Record<string, unknown>)[key]);
    found.path.unshift(key);
    throw found;
  }
  return best(members, expected, value, depth);
}

/** The member that keeps most of the value; of some that keep the same, the first. */
function best(
  members: readonly Member[],
  expected: () => string,
  value: unknown,
  depth: number,
): unknown {
  let found: unknown;
  let size = -1;
  for (const member of members) {
    try {
      const json = member.codec.encode(value, depth);
      const length = JSON.stringify(json).length;
      if (length > size) [found, size] = [wrap(member, json), length];
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
    }
  }
  if (size < 0) throw mismatch(expected(), value);
  return found;
}

function wrap({ tag, escape }: Member, json: unknown): unknown {
  if (tag !== undefined) return { $: tag, value: json } satisfies Tagged;
  if (escape === undefined || tagOf(json) === undefined) return json;
  return { $: escape, value: json } satisfies Tagged;
}

function decode(table: Table, expected: () => string, json: unknown, depth: number): unknown {
  const tag = tagOf(json);
  const tagged = tag === undefined ? undefined : table.byTag.get(tag);
  if (tagged !== undefined) return tagged.codec.decode((json as Tagged).value, depth);
  const member = memberOf(table, json, tag);
  if (member === undefined) throw mismatch(expected(), json);
  return member.codec.decode(json, depth);
}

/** The member of which some JSON is, without a tag of the union's own. */
function memberOf(
  { byLook, objects }: Table,
  json: unknown,
  tag: string | undefined,
): Member | undefined {
  if (json === null || json === undefined) return byLook.get("null");
  if (typeof json === "string") return byLook.get(`=${json}`) ?? byLook.get("string");
  if (typeof json !== "object") return byLook.get(typeof json);
  if (Array.isArray(json)) return byLook.get("array");
  const looks = tag === undefined ? undefined : byLook.get(`$${tag}`);
  if (looks !== undefined) return looks;
  const data = json as Readonly<Record<string, unknown>>;
  return objects === undefined ? byLook.get("object") : objects.stored.get(data[objects.key]);
}

function wanted(values: ReadonlyMap<unknown, Member>): string {
  return [...values.keys()].map((value) => JSON.stringify(value) ?? String(value)).join(" or ");
}

// --- which members are tagged

/** The order in which members may have the JSON that they share with others to themselves. */
const RANK: Readonly<Partial<Record<ValueKind, number>>> = {
  null: 0,
  boolean: 0,
  number: 0,
  string: 0,
  array: 1,
  object: 2,
};

function rankOf(codec: Codec): number {
  return Math.max(...codec.kinds().map((kind) => RANK[kind] ?? 3), 0);
}

function makeTable(codecs: readonly Codec[]): Table {
  const objects = codecs.filter((codec) => codec.kinds().includes("object"));
  const discriminant = objects.length > 1 ? discriminantOf(objects) : undefined;
  const taken = new Map<Look, Member>();
  const byTag = new Map<string, Member>();
  const members = new Map<Codec, Member>();
  const order = [...codecs].sort((a, b) => rankOf(a) - rankOf(b));
  for (const codec of order) {
    const shares = discriminant !== undefined && objects.includes(codec);
    const mayLookTagged = codec.looks().includes("$*");
    const looks = codec.looks().filter((look) => look !== "$*" && (!shares || look !== "object"));
    const clash = looks.some((look) => clashes(look, taken, byTag));
    const name = clash || mayLookTagged ? tagFor(codec, codecs, byTag, taken) : undefined;
    const member: Member = clash
      ? { codec, tag: name, escape: undefined }
      : { codec, tag: undefined, escape: name };
    members.set(codec, member);
    if (name !== undefined) byTag.set(name, member);
    if (!clash) for (const look of looks) taken.set(look, member);
  }
  const untagged = objects.every((codec) => members.get(codec)?.tag === undefined);
  const byKind = new Map<ValueKind, Member[]>();
  for (const codec of codecs) {
    const member = members.get(codec) as Member;
    for (const kind of codec.kinds()) byKind.set(kind, [...(byKind.get(kind) ?? []), member]);
  }
  const told = discriminant !== undefined && untagged;
  return {
    byKind,
    byTag,
    byLook: taken,
    objects: told ? discriminated(discriminant, objects, members) : undefined,
    looks: [
      ...taken.keys(),
      ...(told ? ["object"] : []),
      ...[...byTag.keys()].map((tag) => `$${tag}`),
    ],
  };
}

function clashes(
  look: Look,
  taken: ReadonlyMap<Look, Member>,
  byTag: ReadonlyMap<string, Member>,
): boolean {
  if (taken.has(look)) return true;
  if (look[0] === "$") return byTag.has(look.slice(1));
  if (look[0] === "=") return taken.has("string");
  if (look === "string") return [...taken.keys()].some((each) => each[0] === "=");
  return false;
}

/** The kind of the member, if it is the only one of that; else its place. */
function tagFor(
  codec: Codec,
  codecs: readonly Codec[],
  byTag: ReadonlyMap<string, Member>,
  taken: ReadonlyMap<Look, Member>,
): string {
  const kinds = codec.kinds();
  const [kind] = kinds;
  const alone =
    kinds.length === 1 &&
    kind !== undefined &&
    codecs.every((other) => other === codec || !other.kinds().includes(kind));
  const name = alone ? kind : String(codecs.indexOf(codec));
  return byTag.has(name) || taken.has(`$${name}`) ? `${name}-${codecs.indexOf(codec)}` : name;
}

/** A property that all objects have, as one of some values that none of the others has. */
function discriminantOf(objects: readonly Codec[]): string | undefined {
  const [first, ...others] = objects;
  return first?.properties?.find((property) => {
    const all = [property, ...others.map((other) => propertyOf(other, property.key))];
    if (all.some((each) => each === undefined || each.optional)) return false;
    const values = all.flatMap((each) => valuesOf(each) ?? [NaN]);
    const stored = all.flatMap((each) => storedOf(each) ?? []);
    return (
      all.every((each) => valuesOf(each) !== undefined) &&
      new Set(values).size === values.length &&
      new Set(stored).size === stored.length
    );
  })?.key;
}

function propertyOf({ properties }: Codec, key: string): Property | undefined {
  return properties?.find((each) => each.key === key);
}

function valuesOf(property: Property | undefined): readonly unknown[] | undefined {
  const { codec } = property ?? {};
  if (codec?.values !== undefined) return codec.values;
  const kinds = codec?.kinds();
  return kinds?.length === 1 && (kinds[0] === "null" || kinds[0] === "undefined")
    ? [kinds[0] === "null" ? null : undefined]
    : undefined;
}

function storedOf(property: Property | undefined): unknown[] | undefined {
  return valuesOf(property)?.map((value) => property?.codec.encode(value, 0));
}

function discriminated(
  key: string,
  objects: readonly Codec[],
  members: ReadonlyMap<Codec, Member>,
): Discriminated {
  const byValue = new Map<unknown, Member>();
  const stored = new Map<unknown, Member>();
  for (const codec of objects) {
    const member = members.get(codec) as Member;
    const property = propertyOf(codec, key);
    for (const value of valuesOf(property) ?? []) byValue.set(value, member);
    for (const value of storedOf(property) ?? []) stored.set(value, member);
  }
  return { key, members: byValue, stored };
}
