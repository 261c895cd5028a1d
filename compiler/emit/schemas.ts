/**
 * Prints types as schemas of `steno-runtime/schema`. What is large or used more than once in a module
 * is a constant of its own, and so is what contains itself. Which value has which type is not known here.
 */
import {
  typeKey,
  type ElementType,
  type ObjectType,
  type PropertyType,
  type RecursiveType,
  type TypeModel,
} from "../type-model.js";
import { pascalCase, propertyKey, type Scope } from "./names.js";

/** A schema that is used again gets a name if it is longer than this; one of a named type, in any case from the second on. */
const WORTH_A_NAME = 60;
/** A schema of a named type that is longer than this gets a name even if it is used once. */
const LARGE = 300;

export class Schemas {
  private readonly counts = new Map<string, number>();
  private readonly names = new Map<string, string>();
  /** The types of recursive schemas. */
  private readonly shapes = new Map<RecursiveType, string>();
  private readonly constants = new Map<RecursiveType, string>();
  private readonly printing = new Set<RecursiveType>();
  private readonly parts: string[] = [];

  /** `namespace`: the name under which the module has the builders; asked for when one is used. */
  constructor(
    private readonly scope: Scope,
    private readonly namespace: () => string,
  ) {}

  /** Takes note of a type that will be printed: before any is. */
  count(type: TypeModel): void {
    if (type.kind !== "recursive" && partsOf(type).length > 0) {
      const key = typeKey(type);
      const before = this.counts.get(key) ?? 0;
      this.counts.set(key, before + 1);
      // What is in it is used no more often, since it is printed once.
      if (before > 0) return;
    }
    if (type.kind === "recursive") {
      if (this.shapes.has(type)) return;
      this.shapes.set(type, "");
      this.count(type.type);
      return;
    }
    for (const part of partsOf(type)) this.count(part);
  }

  /** The constants that printed schemas refer to, in an order in which they can be evaluated. */
  print(): readonly string[] {
    return this.parts;
  }

  /** A type as TypeScript has it. */
  type(type: TypeModel): string {
    return typeText(type, this.shapeOf);
  }

  /** An expression that is the schema of a type. */
  schema(type: TypeModel): string {
    if (type.kind === "recursive") return this.recursive(type);
    if (partsOf(type).length === 0) return this.text(type);
    const key = typeKey(type);
    const known = this.names.get(key);
    if (known !== undefined) return known;
    const text = this.text(type);
    const shared = (this.counts.get(key) ?? 0) > 1 && text.length > WORTH_A_NAME;
    const named = "name" in type ? type.name : undefined;
    if (!shared && (named === undefined || text.length < LARGE)) return text;
    const name = this.scope.take(`${camel(named ?? type.kind)}Schema`);
    this.names.set(key, name);
    this.parts.push(`const ${name} = ${text};`);
    return name;
  }

  /** It is referred to before it is there, and its type has to be said: TypeScript cannot infer it. */
  private recursive(type: RecursiveType): string {
    const known = this.constants.get(type);
    if (known !== undefined) {
      return this.printing.has(type) ? `${this.namespace()}.lazy(() => ${known})` : known;
    }
    const name = this.scope.take(`${camel(type.name)}Schema`);
    this.constants.set(type, name);
    this.printing.add(type);
    const shape = this.shape(type);
    const z = this.namespace();
    const text = this.text(type.type as Exclude<TypeModel, RecursiveType>);
    this.parts.push(`const ${name}: ${z}.Schema<${shape}> = ${z}.exactly<${shape}>()(${text});`);
    this.printing.delete(type);
    return name;
  }

  private text(type: Exclude<TypeModel, RecursiveType>): string {
    const z = this.namespace();
    const inner = (each: TypeModel): string => this.schema(each);
    switch (type.kind) {
      case "literal":
        return `${z}.literal([${literalText(type)}])`;
      case "template": {
        const parts = type.parts.map((part) =>
          typeof part === "string" ? JSON.stringify(part) : `${z}.${part.kind}()`,
        );
        return `${z}.template<${typeText(type, this.shapeOf)}>([${parts.join(", ")}])`;
      }
      case "array":
      case "set":
        return `${z}.${type.kind}(${inner(type.item)})`;
      case "map":
        return `${z}.map(${inner(type.key)}, ${inner(type.value)})`;
      case "tuple":
        return `${z}.tuple([${type.elements.map((each) => this.element(each)).join(", ")}])`;
      case "object":
        return this.object(type);
      case "union":
        return this.union(type.members);
      default:
        return `${z}.${type.kind}()`;
    }
  }

  private element({ type, is }: ElementType): string {
    const text = this.schema(type);
    return is === "required" ? text : `${this.namespace()}.${is}(${text})`;
  }

  private object({ properties, index }: ObjectType): string {
    const z = this.namespace();
    const shape = `{ ${properties.map((each) => this.property(each)).join(", ")} }`;
    if (index === undefined) return `${z}.object(${shape})`;
    const rest = `${this.schema(index.key)}, ${this.schema(index.value)}`;
    return properties.length === 0 ? `${z}.record(${rest})` : `${z}.openObject(${shape}, ${rest})`;
  }

  private property({ name, optional, type }: PropertyType): string {
    const text = this.schema(type);
    // In a literal, the key `__proto__` would set the prototype.
    const key = name === "__proto__" ? '["__proto__"]' : propertyKey(name);
    return `${key}: ${optional ? `${this.namespace()}.optional(${text})` : text}`;
  }

  /** All literals are one schema. */
  private union(members: readonly TypeModel[]): string {
    const literals = members.filter((each) => each.kind === "literal");
    const others = members.filter((each) => each.kind !== "literal");
    const z = this.namespace();
    const texts = others.map((each) => this.schema(each));
    if (literals.length > 0) {
      texts.unshift(`${z}.literal([${literals.map(literalText).join(", ")}])`);
    }
    return texts.length === 1 ? (texts[0] ?? "") : `${z}.union([${texts.join(", ")}])`;
  }

  private readonly shapeOf = (type: RecursiveType): string => this.shape(type);

  /** The name of the TypeScript type of a recursive schema. */
  private shape(type: RecursiveType): string {
    const known = this.shapes.get(type);
    if (known !== undefined && known !== "") return known;
    const name = this.scope.take(`${pascalCase(type.name)}Shape`);
    this.shapes.set(type, name);
    this.parts.push(`type ${name} = ${typeText(type.type, this.shapeOf)};`);
    return name;
  }
}

function camel(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function partsOf(type: TypeModel): readonly TypeModel[] {
  switch (type.kind) {
    case "array":
    case "set":
      return [type.item];
    case "map":
      return [type.key, type.value];
    case "tuple":
      return type.elements.map((each) => each.type);
    case "object": {
      const known = type.properties.map((each) => each.type);
      return type.index === undefined ? known : [...known, type.index.key, type.index.value];
    }
    case "union":
      return type.members;
    default:
      return [];
  }
}

function literalText({ value, bigint }: Extract<TypeModel, { readonly kind: "literal" }>): string {
  return bigint === true ? `${value}n` : JSON.stringify(value);
}

/** A type as TypeScript has it. */
function typeText(type: TypeModel, shapeOf: (type: RecursiveType) => string): string {
  const text = (each: TypeModel): string => typeText(each, shapeOf);
  switch (type.kind) {
    case "recursive":
      return shapeOf(type);
    case "literal":
      return literalText(type);
    case "template": {
      const parts = type.parts.map((part) =>
        typeof part === "string" ? part.replace(/[\\`]|\$\{/g, "\\$&") : `\${${part.kind}}`,
      );
      return `\`${parts.join("")}\``;
    }
    case "array":
      return `(${text(type.item)})[]`;
    case "set":
      return `Set<${text(type.item)}>`;
    case "map":
      return `Map<${text(type.key)}, ${text(type.value)}>`;
    case "tuple": {
      const marks = { required: ["", ""], optional: ["", "?"], rest: ["...", "[]"] } as const;
      const elements = type.elements.map(
        ({ type: element, is }) => `${marks[is][0]}(${text(element)})${marks[is][1]}`,
      );
      return `[${elements.join(", ")}]`;
    }
    case "object": {
      const properties = type.properties.map(
        ({ name, optional, type: property }) =>
          `${propertyKey(name)}${optional ? "?" : ""}: ${text(property)}`,
      );
      const index = type.index && `[key: ${text(type.index.key)}]: ${text(type.index.value)}`;
      return `{ ${[...properties, ...(index === undefined ? [] : [index])].join("; ")} }`;
    }
    case "union":
      return type.members.map((each) => `(${text(each)})`).join(" | ");
    default:
      return SIMPLE[type.kind];
  }
}

const SIMPLE = {
  string: "string",
  number: "number",
  boolean: "boolean",
  bigint: "bigint",
  null: "null",
  undefined: "undefined",
  date: "Date",
  bytes: "Uint8Array",
  url: "URL",
  never: "never",
} as const;
