/**
 * Which members of a union are tagged in JSON (`{ "$": "Date", "value": … }`), as the codecs write them
 * and as the compiler describes them. It encodes nothing.
 */
import type { Look, ValueKind } from "./codec/codec.js";

export type { Look, ValueKind } from "./codec/codec.js";

/** Of a type, what matters for tags. Functions, since a type may contain itself. */
export interface Shape {
  readonly kinds: () => readonly ValueKind[];
  readonly looks: () => readonly Look[];
  /** Of an object: what it has, by which unions tell objects apart. */
  readonly properties?: readonly ShapeProperty[];
  /** Of a literal. */
  readonly values?: readonly unknown[];
}

export interface ShapeProperty {
  readonly key: string;
  readonly optional: boolean;
  readonly codec: Shape;
}

export interface Place {
  /** Absent: stored as it is. */
  readonly tag: string | undefined;
  /** The tag of values of which the JSON itself looks tagged. Absent: there are none. */
  readonly escape: string | undefined;
}

/** How the members of a union share the JSON that there is. */
export interface Layout<S extends Shape> {
  readonly places: ReadonlyMap<S, Place>;
  /** Tags and escapes. */
  readonly byTag: ReadonlyMap<string, S>;
  /** Of members that are not tagged. */
  readonly byLook: ReadonlyMap<Look, S>;
  /** The property by which objects are told apart, if they are. */
  readonly discriminant: string | undefined;
  readonly looks: readonly Look[];
}

/** The order in which members may have the JSON that they share with others to themselves. */
const RANK: Readonly<Partial<Record<ValueKind, number>>> = {
  null: 0,
  boolean: 0,
  number: 0,
  string: 0,
  array: 1,
  object: 2,
};

function rankOf(shape: Shape): number {
  return Math.max(...shape.kinds().map((kind) => RANK[kind] ?? 3), 0);
}

export function layoutOf<S extends Shape>(shapes: readonly S[]): Layout<S> {
  const objects = shapes.filter((shape) => shape.kinds().includes("object"));
  const discriminant = objects.length > 1 ? discriminantOf(objects) : undefined;
  const byLook = new Map<Look, S>();
  const byTag = new Map<string, S>();
  const places = new Map<S, Place>();
  const order = [...shapes].sort((a, b) => rankOf(a) - rankOf(b));
  for (const shape of order) {
    const shares = discriminant !== undefined && objects.includes(shape);
    const mayLookTagged = shape.looks().includes("$*");
    const looks = shape.looks().filter((look) => look !== "$*" && (!shares || look !== "object"));
    const clash = looks.some((look) => clashes(look, byLook, byTag));
    const name = clash || mayLookTagged ? tagFor(shape, shapes, byTag, byLook) : undefined;
    places.set(shape, clash ? { tag: name, escape: undefined } : { tag: undefined, escape: name });
    if (name !== undefined) byTag.set(name, shape);
    if (!clash) for (const look of looks) byLook.set(look, shape);
  }
  const untagged = objects.every((shape) => places.get(shape)?.tag === undefined);
  const told = discriminant !== undefined && untagged;
  return {
    places,
    byTag,
    byLook,
    discriminant: told ? discriminant : undefined,
    looks: [
      ...byLook.keys(),
      ...(told ? ["object"] : []),
      ...[...byTag.keys()].map((tag) => `$${tag}`),
    ],
  };
}

function clashes(
  look: Look,
  taken: ReadonlyMap<Look, Shape>,
  byTag: ReadonlyMap<string, Shape>,
): boolean {
  if (taken.has(look)) return true;
  if (look[0] === "$") return byTag.has(look.slice(1));
  if (look[0] === "=") return taken.has("string");
  if (look === "string") return [...taken.keys()].some((each) => each[0] === "=");
  return false;
}

/** The kind of the member, if it is the only one of that; else its place. */
function tagFor(
  shape: Shape,
  shapes: readonly Shape[],
  byTag: ReadonlyMap<string, Shape>,
  taken: ReadonlyMap<Look, Shape>,
): string {
  const kinds = shape.kinds();
  const [kind] = kinds;
  const alone =
    kinds.length === 1 &&
    kind !== undefined &&
    shapes.every((other) => other === shape || !other.kinds().includes(kind));
  const name = alone ? kind : String(shapes.indexOf(shape));
  return byTag.has(name) || taken.has(`$${name}`) ? `${name}-${shapes.indexOf(shape)}` : name;
}

/** A property that all objects have, as one of some values that none of the others has. */
function discriminantOf(objects: readonly Shape[]): string | undefined {
  const [first, ...others] = objects;
  return first?.properties?.find((property) => {
    const all = [property, ...others.map((other) => propertyOf(other, property.key))];
    if (all.some((each) => each === undefined || each.optional)) return false;
    const values = all.flatMap((each) => valuesOf(each) ?? [NaN]);
    const stored = all.flatMap((each) => valuesOf(each) ?? []).map(storedOf);
    return (
      all.every((each) => valuesOf(each) !== undefined) &&
      new Set(values).size === values.length &&
      new Set(stored).size === stored.length
    );
  })?.key;
}

/** What an object has under a key. */
export function propertyOf({ properties }: Shape, key: string): ShapeProperty | undefined {
  return properties?.find((each) => each.key === key);
}

/** All values that a property can have, if they can be listed. */
export function valuesOf(property: ShapeProperty | undefined): readonly unknown[] | undefined {
  const { codec } = property ?? {};
  if (codec?.values !== undefined) return codec.values;
  const kinds = codec?.kinds();
  return kinds?.length === 1 && (kinds[0] === "null" || kinds[0] === "undefined")
    ? [kinds[0] === "null" ? null : undefined]
    : undefined;
}

/** What JSON has of one of `valuesOf`. */
export function storedOf(value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : (value ?? null);
}
