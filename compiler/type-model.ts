/**
 * The types of what is stored, after the frontend: plain data, and no TypeScript in it. What they are
 * printed as is the business of `emit/`.
 */

export type TypeModel =
  | { readonly kind: SimpleKind }
  | LiteralType
  | { readonly kind: "template"; readonly parts: readonly TemplatePart[] }
  | { readonly kind: "array" | "set"; readonly item: TypeModel }
  | { readonly kind: "map"; readonly key: TypeModel; readonly value: TypeModel }
  | { readonly kind: "tuple"; readonly elements: readonly ElementType[] }
  | ObjectType
  /** In an order that does not depend on the source. */
  | { readonly kind: "union"; readonly members: readonly TypeModel[]; readonly name?: string }
  | RecursiveType;

export type SimpleKind =
  | "string"
  | "number"
  | "boolean"
  | "bigint"
  | "null"
  | "undefined"
  | "date"
  | "bytes"
  | "url"
  | "never";

export interface LiteralType {
  readonly kind: "literal";
  /** Of a bigint, its digits. */
  readonly value: string | number | boolean;
  readonly bigint?: true;
}

/** Text as it stands, or what is filled in. */
export type TemplatePart = string | { readonly kind: "string" | "number" | "bigint" };

export interface ElementType {
  readonly type: TypeModel;
  readonly is: "required" | "optional" | "rest";
}

export interface PropertyType {
  readonly name: string;
  readonly optional: boolean;
  readonly type: TypeModel;
}

export interface ObjectType {
  readonly kind: "object";
  readonly properties: readonly PropertyType[];
  /** Any other keys that it may have. */
  readonly index: { readonly key: TypeModel; readonly value: TypeModel } | undefined;
  /** What the source calls it: for names in what is generated only. */
  readonly name?: string;
}

/** A type that contains itself: somewhere in `type`, this very object is found again. */
export interface RecursiveType {
  readonly kind: "recursive";
  readonly name: string;
  readonly type: TypeModel;
}

/** A text that is the same for two types if they are the same, whatever they are called. */
export function typeKey(type: TypeModel, open: readonly RecursiveType[] = []): string {
  const key = (inner: TypeModel): string => typeKey(inner, open);
  switch (type.kind) {
    case "literal":
      return `${JSON.stringify(type.value)}${type.bigint ? "n" : ""}`;
    case "template":
      return `\`${type.parts.map((part) => (typeof part === "string" ? JSON.stringify(part) : `\${${part.kind}}`)).join("")}\``;
    case "array":
    case "set":
      return `${type.kind}<${key(type.item)}>`;
    case "map":
      return `map<${key(type.key)},${key(type.value)}>`;
    case "tuple":
      return `[${type.elements.map((each) => `${MARKS[each.is]}${key(each.type)}`).join(",")}]`;
    case "object": {
      const properties = type.properties.map(
        ({ name, optional, type: inner }) =>
          `${JSON.stringify(name)}${optional ? "?" : ""}:${key(inner)}`,
      );
      const index = type.index && `[${key(type.index.key)}]:${key(type.index.value)}`;
      return `{${[...properties.sort(), ...(index ? [index] : [])].join(",")}}`;
    }
    case "union":
      return `(${type.members.map(key).join("|")})`;
    case "recursive": {
      const at = open.lastIndexOf(type);
      return at >= 0 ? `#${open.length - at}` : `@${typeKey(type.type, [...open, type])}`;
    }
    default:
      return type.kind;
  }
}

const MARKS: Readonly<Record<ElementType["is"], string>> = {
  required: "",
  optional: "?",
  rest: "...",
};

export const NOTHING: TypeModel = { kind: "undefined" };

/** The union of some types, in an order that depends on nothing but them. */
export function unionOf(types: readonly TypeModel[]): TypeModel {
  const members = new Map<string, TypeModel>();
  for (const each of types.flatMap((type) => (type.kind === "union" ? type.members : [type]))) {
    if (each.kind !== "never") members.set(typeKey(each), each);
  }
  if (members.has("boolean") || (members.has("true") && members.has("false"))) {
    members.delete("true");
    members.delete("false");
    members.set("boolean", { kind: "boolean" });
  }
  const sorted = [...members].sort(
    ([a, one], [b, other]) => rankOf(one) - rankOf(other) || (a < b ? -1 : 1),
  );
  const [first, second] = sorted.map(([, each]) => each);
  if (first === undefined) return { kind: "never" };
  if (second === undefined) return first;
  return { kind: "union", members: sorted.map(([, each]) => each) };
}

/** Primitives before objects, and what stands for nothing last. */
function rankOf({ kind }: TypeModel): number {
  if (kind === "undefined") return 4;
  if (kind === "null") return 3;
  return ["string", "number", "boolean", "bigint"].includes(kind) ? 0 : kind === "literal" ? 1 : 2;
}
