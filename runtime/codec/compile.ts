/** Makes codecs of schemas: once for each, when a definition is loaded. */
import { ownOf } from "../schema.js";
import type { AnySchema } from "./schema-types.js";
import type { Codec, Property } from "./codec.js";
import { array, map, object, record, set, tuple, type Element } from "./parts.js";
import * as simple from "./simple.js";
import { union } from "./union.js";

/** What zod says of a schema. Which of it there is depends on the type. */
interface Definition {
  readonly type: string;
  readonly values: readonly unknown[];
  readonly element: AnySchema;
  readonly innerType: AnySchema;
  readonly keyType: AnySchema;
  readonly valueType: AnySchema;
  readonly shape: Readonly<Record<string, AnySchema>>;
  readonly options: readonly AnySchema[];
  readonly left: AnySchema;
  readonly right: AnySchema;
  readonly getter: () => AnySchema;
}

/** The codecs of a coordinator's definitions: a schema that several use has one. */
export class Codecs {
  readonly #made = new Map<AnySchema, Codec>();

  of(schema: AnySchema): Codec {
    const known = this.#made.get(schema);
    if (known !== undefined) return known;
    const made = this.#make(schema);
    this.#made.set(schema, made);
    return made;
  }

  #make(schema: AnySchema): Codec {
    const own = ownOf(schema);
    switch (own?.kind) {
      case "bytes":
        return simple.bytes;
      case "url":
        return simple.url;
      case "tuple":
        return tuple(schemasIn(own.items).map((item) => this.#element(item)));
      case "template":
        return this.#template(own.items ?? []);
      default:
    }
    const def = definitionOf(schema);
    switch (def.type) {
      case "string":
        return simple.text;
      case "number":
        return simple.number;
      case "boolean":
        return simple.boolean;
      case "bigint":
        return simple.bigint;
      case "date":
        return simple.date;
      case "null":
        return simple.constant(null);
      case "undefined":
        return simple.constant(undefined);
      case "never":
        return simple.never;
      case "literal":
        return simple.literal(def.values);
      case "array":
        return array(this.of(def.element));
      case "set":
        return set(this.of(def.valueType));
      case "map":
        return map(this.of(def.keyType), this.of(def.valueType));
      case "object":
        return object(this.#properties(def.shape));
      case "record":
        return record([], this.#isKey(def.keyType), this.of(def.valueType));
      case "intersection":
        return this.#open(def);
      case "union":
        return union(def.options.map((option) => this.of(option)));
      case "lazy":
        return this.#lazy(def.getter);
      default:
        throw new TypeError(`a schema of type ${def.type} cannot be stored`);
    }
  }

  #properties(shape: Definition["shape"]): Property[] {
    return Object.keys(shape).map((key) => {
      const schema = shape[key] as AnySchema;
      const def = definitionOf(schema);
      if (def.type !== "optional") return { key, optional: false, codec: this.of(schema) };
      return { key, optional: true, codec: this.#orUndefined(def.innerType) };
    });
  }

  /** What may be missing may also be there, and undefined. */
  #orUndefined(schema: AnySchema): Codec {
    const def = definitionOf(schema);
    const inner = this.of(schema);
    const takesUndefined =
      def.type === "undefined" ||
      (def.type === "union" && def.options.some((each) => definitionOf(each).type === "undefined"));
    if (takesUndefined) return inner;
    const both = def.type === "union" ? def.options.map((each) => this.of(each)) : [inner];
    return union([...both, simple.constant(undefined)], inner);
  }

  #element(schema: AnySchema): Element {
    const def = definitionOf(schema);
    if (def.type === "optional") {
      return { codec: this.#orUndefined(def.innerType), optional: true, rest: false };
    }
    const own = ownOf(schema);
    const [inner] = own?.kind === "rest" ? schemasIn(own.items) : [];
    return { codec: this.of(inner ?? schema), optional: false, rest: inner !== undefined };
  }

  #template(parts: readonly (AnySchema | string)[]): Codec {
    const forms = parts.map((part) => {
      const def = typeof part === "string" ? undefined : definitionOf(part);
      if (def === undefined) return quoted(part as string);
      if (def.type === "number") return NUMBER;
      return def.type === "bigint" ? "-?\\d+" : "[^]*";
    });
    const shown = parts.map((part) =>
      typeof part === "string" ? part : `\${${definitionOf(part).type}}`,
    );
    return simple.template(new RegExp(`^${forms.join("")}$`), `a text like \`${shown.join("")}\``);
  }

  #open({ left, right }: Definition): Codec {
    const { keyType, valueType } = definitionOf(right);
    const known = this.#properties(definitionOf(left).shape);
    return record(known, this.#isKey(keyType), this.of(valueType));
  }

  #isKey(schema: AnySchema): (key: string) => boolean {
    const def = definitionOf(schema);
    if (def.type === "string") return () => true;
    if (def.type === "number") return (key) => String(Number(key)) === key;
    if (def.type === "union") {
      const tests = def.options.map((option) => this.#isKey(option));
      return (key) => tests.some((test) => test(key));
    }
    const codec = this.of(schema);
    return (key) => {
      try {
        codec.encode(key, 0);
        return true;
      } catch {
        return false;
      }
    };
  }

  /** A schema that contains itself: its codec is there when it is used. */
  #lazy(getter: () => AnySchema): Codec {
    let made: Codec | undefined;
    const inner = (): Codec => (made ??= this.of(getter()));
    return {
      get expected() {
        return inner().expected;
      },
      get properties() {
        return inner().properties as readonly Property[];
      },
      get values() {
        return inner().values as readonly unknown[];
      },
      kinds: () => inner().kinds(),
      looks: () => inner().looks(),
      encode: (value, depth) => inner().encode(value, depth),
      decode: (json, depth) => inner().decode(json, depth),
    };
  }
}

function definitionOf(schema: AnySchema): Definition {
  return schema._zod.def as unknown as Definition;
}

function schemasIn(items: readonly (AnySchema | string)[] = []): AnySchema[] {
  return items.filter((item) => typeof item !== "string");
}

/** What TypeScript takes for a number in a template is any text that JavaScript reads as a finite one. */
const NUMBER =
  "(?:[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?|0[xX][\\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)";

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
