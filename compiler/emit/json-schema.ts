/**
 * Types as JSON Schema 2020-12, for those who write or read what runs store: what the runtime's codecs
 * write and accept, not the TypeScript type. How values are encoded is the runtime's business.
 */
import { layoutOf, type Layout, type Place, type Shape } from "steno-runtime/tags";
import type {
  LiteralType,
  ObjectType,
  RecursiveType,
  TemplatePart,
  TypeModel,
} from "../type-model.js";
import { membersOf, orUndefined, Shapes, type Member } from "./json-shapes.js";

/** A JSON Schema, as JSON. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The schema of a type: a document of its own, with what contains itself in `$defs`. */
export function jsonSchemaOf(type: TypeModel): JsonSchema {
  const writer = new Writer();
  const schema = writer.schema(type);
  const defs = writer.definitions();
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...schema,
    ...(defs.length > 0 && { $defs: Object.fromEntries(defs) }),
  };
}

/** `"1.5"`, as JavaScript writes a number that is a key. */
const NUMBER_KEY =
  "(?:0|-?(?:0\\.\\d*[1-9]|[1-9]\\d*(?:\\.\\d*[1-9])?)(?:e[+-]\\d+)?|NaN|-?Infinity)";

const ODD_NUMBER = tagged("number", { enum: ["NaN", "Infinity", "-Infinity", "-0"] }, false);

const SIMPLE = {
  string: { type: "string" },
  number: { anyOf: [{ type: "number" }, ODD_NUMBER] },
  boolean: { type: "boolean" },
  bigint: { type: "string", pattern: "^-?\\d+$" },
  null: { type: "null" },
  undefined: { type: "null" },
  date: { type: "string", format: "date-time" },
  bytes: { type: "string", pattern: "^[A-Za-z0-9+/]*={0,2}$", contentEncoding: "base64" },
  url: { type: "string", format: "uri" },
  never: { not: {} },
} as const satisfies Record<string, JsonSchema>;

class Writer {
  private readonly shapes = new Shapes();
  private readonly names = new Map<RecursiveType, string>();
  private readonly defs = new Map<string, JsonSchema>();

  definitions(): readonly (readonly [string, JsonSchema])[] {
    return [...this.defs];
  }

  schema(type: Member): JsonSchema {
    switch (type.kind) {
      case "literal":
        return literals([type]);
      case "literals":
        return literals(type.all);
      case "template":
        return { type: "string", pattern: `^${templatePattern(type.parts)}$` };
      case "array":
      case "set":
        return { type: "array", items: this.schema(type.item) };
      case "map": {
        const prefixItems = [this.schema(type.key), this.schema(type.value)];
        return { type: "array", items: { type: "array", prefixItems, minItems: 2, maxItems: 2 } };
      }
      case "tuple":
        return this.tuple(type);
      case "object":
        return this.object(type);
      case "union":
        return this.union(membersOf(type.members));
      case "recursive":
        return this.recursive(type);
      default:
        return SIMPLE[type.kind];
    }
  }

  private recursive(type: RecursiveType): JsonSchema {
    const known = this.names.get(type);
    if (known !== undefined) return { $ref: `#/$defs/${known}` };
    const plain = type.name.replace(/[^\w]/g, "_");
    const taken = [...this.names.values()];
    let name = plain;
    for (let count = 2; taken.includes(name); count++) name = `${plain}${count}`;
    this.names.set(type, name);
    this.defs.set(name, this.schema(type.type));
    return { $ref: `#/$defs/${name}` };
  }

  /** What follows a rest is counted from the end, which JSON Schema cannot: it may be anywhere. */
  private tuple({ elements }: Extract<TypeModel, { readonly kind: "tuple" }>): JsonSchema {
    const at = elements.findIndex(({ is }) => is === "rest");
    const schemas = elements.map(({ type, is }) =>
      this.schema(is === "optional" ? orUndefined(type) : type),
    );
    const first = at < 0 ? schemas : schemas.slice(0, at);
    const others = at < 0 ? [] : schemas.slice(at);
    return {
      type: "array",
      ...(first.length > 0 && { prefixItems: first }),
      ...(others.length > 0 && { items: anyOf(others) }),
      minItems: elements.filter(({ is }) => is === "required").length,
      ...(at < 0 && { maxItems: elements.length }),
    };
  }

  /** Keys that the type does not have are dropped, so there may be any. */
  private object({ properties, index }: ObjectType): JsonSchema {
    const known = properties.map(({ name, optional, type }) => {
      const present = optional ? orUndefined(type) : type;
      const missing = optional || this.mayBeMissing(present);
      return { name, missing, schema: this.schema(present) };
    });
    const required = known.filter(({ missing }) => !missing).map(({ name }) => name);
    const names = properties.map(({ name }) => name);
    return {
      type: "object",
      ...(known.length > 0 && {
        properties: Object.fromEntries(known.map(({ name, schema }) => [name, schema])),
      }),
      ...(required.length > 0 && { required }),
      ...(index !== undefined && this.others(names, index)),
    };
  }

  private others(
    names: readonly string[],
    { key, value }: NonNullable<ObjectType["index"]>,
  ): JsonSchema {
    const pattern = keyPattern(key);
    if (pattern === undefined) return { additionalProperties: this.schema(value) };
    const but = names.length > 0 ? `(?!(?:${names.map(quoted).join("|")})$)` : "";
    return { patternProperties: { [`^${but}${pattern}$`]: this.schema(value) } };
  }

  /** What JSON has no value for is read as null. */
  private mayBeMissing(type: Member): boolean {
    return this.shapes.of(type).looks().includes("null");
  }

  private union(members: readonly Member[]): JsonSchema {
    const [only, second] = members;
    if (only !== undefined && second === undefined) return this.schema(only);
    const layout = layoutOf(members.map((each) => this.shapes.of(each)));
    return anyOf(members.flatMap((member) => this.member(member, layout)));
  }

  /** The forms in which a member of a union is stored. */
  private member(member: Member, layout: Layout<Shape>): JsonSchema[] {
    const shape = this.shapes.of(member);
    const { tag, escape } = layout.places.get(shape) as Place;
    const schema = this.schema(member);
    const missing = this.mayBeMissing(member);
    if (tag !== undefined) return [tagged(tag, schema, missing)];
    if (!shape.looks().includes("object")) return [schema];
    const plain = { ...schema, ...told(schema, layout), ...untagged(schema, shape, layout) };
    return escape === undefined ? [plain] : [plain, tagged(escape, schema, missing)];
  }
}

/** The property by which objects are told apart must be there. */
function told(schema: JsonSchema, { discriminant }: Layout<Shape>): JsonSchema {
  if (discriminant === undefined) return {};
  const required = (schema["required"] ?? []) as readonly string[];
  return { required: [...new Set([...required, discriminant])] };
}

/** What has the tag of another form is none of this one. */
function untagged(schema: JsonSchema, shape: Shape, { byTag, byLook }: Layout<Shape>): JsonSchema {
  const taken = [...byLook].filter(([look, whose]) => look[0] === "$" && whose !== shape);
  const tags = [...byTag.keys(), ...taken.map(([look]) => look.slice(1))];
  if (tags.length === 0) return {};
  const not = { type: "object", properties: { $: { enum: tags } }, required: ["$"] };
  return "not" in schema ? { allOf: [{ not }] } : { not };
}

function tagged(tag: string, value: JsonSchema, missing: boolean): JsonSchema {
  const required = missing ? ["$"] : ["$", "value"];
  return { type: "object", properties: { $: { const: tag }, value }, required };
}

function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  const [only, second] = schemas;
  return only !== undefined && second === undefined ? only : { anyOf: schemas };
}

function literals(all: readonly LiteralType[]): JsonSchema {
  const [only, second] = all;
  return only !== undefined && second === undefined
    ? { const: only.value }
    : { enum: all.map(({ value }) => value) };
}

/** Of the keys that are kept; undefined: any. */
function keyPattern(key: TypeModel): string | undefined {
  switch (key.kind) {
    case "number":
      return NUMBER_KEY;
    case "template":
      return templatePattern(key.parts);
    case "literal":
      return quoted(String(key.value));
    case "union": {
      const patterns = key.members.map(keyPattern);
      return patterns.includes(undefined) ? undefined : `(?:${patterns.join("|")})`;
    }
    default:
      return undefined;
  }
}

/** What TypeScript takes for a number in a template: any text that JavaScript reads as a finite one. */
const NUMBER =
  "(?:[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?|0[xX][\\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)";

function templatePattern(parts: readonly TemplatePart[]): string {
  const forms = parts.map((part) => {
    if (typeof part === "string") return quoted(part);
    if (part.kind === "number") return NUMBER;
    return part.kind === "bigint" ? "-?\\d+" : "[\\s\\S]*";
  });
  return forms.join("");
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
