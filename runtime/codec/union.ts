/**
 * The codec of a union. A member whose JSON could be that of another is tagged:
 * `{ "$": "Date", "value": … }`; members that JSON itself tells apart are stored as they are.
 */
import { layoutOf, type Place, propertyOf, storedOf, valuesOf } from "../tags.js";
import { type Codec, kindOf, type Look, mismatch, Mismatch, type ValueKind } from "./codec.js";
import { type Tagged, tagOf } from "./simple.js";

interface Member extends Place {
  readonly codec: Codec;
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

function makeTable(codecs: readonly Codec[]): Table {
  const { places, byTag, byLook, discriminant, looks } = layoutOf(codecs);
  const members = new Map<Codec, Member>();
  const byKind = new Map<ValueKind, Member[]>();
  for (const codec of codecs) {
    const member: Member = { codec, ...(places.get(codec) as Place) };
    members.set(codec, member);
    for (const kind of codec.kinds()) byKind.set(kind, [...(byKind.get(kind) ?? []), member]);
  }
  const memberAt = <K>([key, codec]: readonly [K, Codec]): [K, Member] => [
    key,
    members.get(codec) as Member,
  ];
  return {
    byKind,
    byTag: new Map([...byTag].map(memberAt)),
    byLook: new Map([...byLook].map(memberAt)),
    objects: discriminant === undefined ? undefined : discriminated(discriminant, members),
    looks,
  };
}

function discriminated(key: string, members: ReadonlyMap<Codec, Member>): Discriminated {
  const byValue = new Map<unknown, Member>();
  const stored = new Map<unknown, Member>();
  for (const [codec, member] of members) {
    if (!codec.kinds().includes("object")) continue;
    for (const value of valuesOf(propertyOf(codec, key)) ?? []) {
      byValue.set(value, member);
      stored.set(storedOf(value), member);
    }
  }
  return { key, members: byValue, stored };
}
