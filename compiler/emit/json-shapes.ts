/**
 * What a type looks like in JSON, as far as tags depend on it (`steno-runtime/tags`), and the members of
 * unions as codecs have them. Codecs are made from the schemas that `schemas.ts` prints: this follows it.
 */
import { layoutOf, type Look, type Shape, type ValueKind } from "steno-runtime/tags";
import { NOTHING, type LiteralType, type ObjectType, type TypeModel } from "../type-model.js";

/** Several literals of a union are one member of it. */
export type Member =
  TypeModel | { readonly kind: "literals"; readonly all: readonly LiteralType[] };

/** The members of a union, the literals first. */
export function membersOf(members: readonly TypeModel[]): readonly Member[] {
  const all = members.filter((each) => each.kind === "literal");
  const others = members.filter((each) => each.kind !== "literal");
  return all.length > 0 ? [{ kind: "literals", all }, ...others] : others;
}

/** The type of what may be missing: it may also be there, and undefined. */
export function orUndefined(type: TypeModel): TypeModel {
  const inner = type.kind === "recursive" ? type.type : type;
  const members = inner.kind === "union" ? inner.members : [inner];
  if (members.some(({ kind }) => kind === "undefined")) return type;
  return { kind: "union", members: [...(type === inner ? members : [type]), NOTHING] };
}

const SIMPLE: Readonly<Partial<Record<Member["kind"], readonly [ValueKind, ...Look[]]>>> = {
  string: ["string", "string"],
  template: ["string", "string"],
  number: ["number", "number", "$number"],
  boolean: ["boolean", "boolean"],
  bigint: ["bigint", "string"],
  null: ["null", "null"],
  undefined: ["undefined", "null"],
  date: ["Date", "string"],
  bytes: ["bytes", "string"],
  url: ["url", "string"],
  array: ["array", "array"],
  tuple: ["array", "array"],
  set: ["Set", "array"],
  map: ["Map", "array"],
};

/** The shapes of types: one of each, since they are compared. */
export class Shapes {
  private readonly known = new Map<Member, Shape>();

  of(member: Member): Shape {
    const known = this.known.get(member);
    if (known !== undefined) return known;
    const made = this.make(member);
    this.known.set(member, made);
    return made;
  }

  private make(member: Member): Shape {
    switch (member.kind) {
      case "never":
        return { kinds: () => [], looks: () => [] };
      case "literal":
        return literals([member]);
      case "literals":
        return literals(member.all);
      case "object":
        return this.object(member);
      case "union":
        return this.union(membersOf(member.members));
      case "recursive":
        return this.later(() => this.of(member.type));
      default: {
        const [kind, ...looks] = SIMPLE[member.kind] ?? [];
        return { kinds: () => (kind === undefined ? [] : [kind]), looks: () => looks };
      }
    }
  }

  private object({ properties, index }: ObjectType): Shape {
    const open = index !== undefined || properties.some(({ name }) => name === "$");
    return {
      kinds: () => ["object"],
      looks: () => (open ? ["object", "$*"] : ["object"]),
      properties: properties.map(({ name, optional, type }) => ({
        key: name,
        optional,
        codec: this.later(() => this.of(optional ? orUndefined(type) : type)),
      })),
    };
  }

  private union(members: readonly Member[]): Shape {
    const [only, second] = members;
    if (only !== undefined && second === undefined) return this.of(only);
    const shapes = (): Shape[] => members.map((each) => this.of(each));
    return {
      kinds: () => [...new Set(shapes().flatMap((shape) => shape.kinds()))],
      looks: () => layoutOf(shapes()).looks,
    };
  }

  /** Of a type that may not be read yet: it may be the one that is being made. */
  private later(shape: () => Shape): Shape {
    return {
      kinds: () => shape().kinds(),
      looks: () => shape().looks(),
      get properties() {
        return shape().properties as NonNullable<Shape["properties"]>;
      },
      get values() {
        return shape().values as readonly unknown[];
      },
    };
  }
}

function literals(all: readonly LiteralType[]): Shape {
  const values = all.map(({ value, bigint }) => (bigint === true ? BigInt(value) : value));
  const looks = values.map((value) =>
    typeof value === "string" || typeof value === "bigint" ? `=${value}` : typeof value,
  );
  return {
    values,
    kinds: () => [...new Set(values.map((value) => typeof value as ValueKind))],
    looks: () => looks,
  };
}
