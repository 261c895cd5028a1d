/**
 * Derives from the checker's types what is stored of their values; or says what of a type cannot be
 * stored. Each type is read once. It reports nothing itself.
 */
import {
  unionOf,
  type ElementType,
  type ObjectType,
  type PropertyType,
  type RecursiveType,
  type TemplatePart,
  type TypeModel,
} from "../../type-model.js";
import ts from "../typescript.cjs";

/** What of a type cannot be stored. */
export interface NotStorable {
  /** From the type to it: `.payment.paidAt`, `[]`. */
  readonly path: string;
  /** `a function`. */
  readonly is: string;
}

export type Derived = { readonly type: TypeModel; readonly problem?: undefined } | NotDerived;

interface NotDerived {
  readonly type?: undefined;
  readonly problem: NotStorable;
}

/** Types that are nested deeper than this are recursive without end (`Box<Box<…>>`). */
const MAX_DEPTH = 40;

const { TypeFlags } = ts;

/** A type that is being read. */
interface Open {
  readonly at: number;
  readonly recursive: { kind: "recursive"; name: string; type: TypeModel };
  used: boolean;
}

export class Deriver {
  private readonly done = new Map<ts.Type, Derived>();
  private readonly open = new Map<ts.Type, Open>();
  /** The outermost type being read that was met again since. */
  private reached = Infinity;
  private readonly exact: boolean;

  constructor(
    private readonly program: ts.Program,
    private readonly checker: ts.TypeChecker,
  ) {
    this.exact = program.getCompilerOptions().exactOptionalPropertyTypes === true;
  }

  derive(type: ts.Type): Derived {
    const known = this.done.get(type);
    if (known !== undefined) return known;
    const simple = this.simple(type);
    if (simple !== undefined) {
      this.done.set(type, simple);
      return simple;
    }
    const open = this.open.get(type);
    if (open !== undefined) {
      open.used = true;
      this.reached = Math.min(this.reached, open.at);
      return { type: open.recursive };
    }
    if (this.open.size > MAX_DEPTH) return not("nested without an end");
    return this.deriveParts(type);
  }

  /** The type of a parameter: in its tuple, one that may be left out may also be given as `undefined`. */
  parameter(type: ts.Type, optional: boolean): Derived {
    const derived = optional ? this.optional(type) : this.derive(type);
    if (!optional || !this.exact || derived.type === undefined) return derived;
    return { type: unionOf([derived.type, { kind: "undefined" }]) };
  }

  private deriveParts(type: ts.Type): Derived {
    const before = this.reached;
    this.reached = Infinity;
    const name = nameOf(type) ?? "value";
    const own: Open = {
      at: this.open.size,
      recursive: { kind: "recursive", name, type: { kind: "never" } },
      used: false,
    };
    this.open.set(type, own);
    const found = type.isUnion() ? this.union(type.types, type) : this.object(type);
    this.open.delete(type);
    const closed = this.reached >= own.at;
    const result = own.used && found.type !== undefined ? close(own.recursive, found.type) : found;
    // What was read within an outer type that contains it is known only when that is.
    if (closed || found.type === undefined) this.done.set(type, result);
    this.reached = Math.min(before, closed ? Infinity : this.reached);
    return result;
  }

  /** What has no parts. Undefined: it has. */
  private simple(type: ts.Type): Derived | undefined {
    const { flags } = type;
    if (flags & TypeFlags.Any) return not("`any`");
    if (flags & TypeFlags.Unknown) return not("`unknown`");
    if (flags & TypeFlags.ESSymbolLike) return not("a symbol");
    if (flags & (TypeFlags.Undefined | TypeFlags.Void)) return is({ kind: "undefined" });
    if (flags & TypeFlags.Null) return is({ kind: "null" });
    if (flags & TypeFlags.Never) return is({ kind: "never" });
    if (flags & TypeFlags.Boolean) return is({ kind: "boolean" });
    if (type.isUnion()) return undefined;
    if (flags & TypeFlags.BooleanLiteral) {
      return is({ kind: "literal", value: this.checker.typeToString(type) === "true" });
    }
    if (type.isStringLiteral() || type.isNumberLiteral()) {
      return is({ kind: "literal", value: type.value });
    }
    if (flags & TypeFlags.BigIntLiteral) {
      const { negative, base10Value } = (type as ts.BigIntLiteralType).value;
      return is({ kind: "literal", value: `${negative ? "-" : ""}${base10Value}`, bigint: true });
    }
    if (flags & TypeFlags.TemplateLiteral) return this.template(type as ts.TemplateLiteralType);
    const primitive = primitiveOf(type);
    if (primitive !== undefined) return is({ kind: primitive });
    if (flags & TypeFlags.NonPrimitive) return not("`object`, of which nothing is known");
    if (flags & UNRESOLVED) {
      return not(`\`${this.checker.typeToString(type)}\`, which is not known here`);
    }
    return undefined;
  }

  private template({ texts, types }: ts.TemplateLiteralType): Derived {
    const parts: TemplatePart[] = [];
    for (const [index, text] of texts.entries()) {
      if (text !== "") parts.push(text);
      const type = types[index];
      if (type === undefined) continue;
      const kind = primitiveOf(type);
      if (kind === undefined || kind === "boolean") {
        return not("a template of which nothing is known");
      }
      parts.push({ kind });
    }
    return is({ kind: "template", parts });
  }

  private union(types: readonly ts.Type[], type: ts.Type): Derived {
    const members: TypeModel[] = [];
    for (const member of types) {
      const derived = this.derive(member);
      if (derived.type === undefined) return derived;
      members.push(derived.type);
    }
    return is(named(unionOf(members), type));
  }

  private object(type: ts.Type): Derived {
    const { checker } = this;
    if (checker.isTupleType(type)) return this.tuple(type as ts.TupleTypeReference);
    if (checker.isArrayType(type)) {
      const [item] = checker.getTypeArguments(type as ts.TypeReference);
      return item === undefined ? not("`any`") : this.list("array", item);
    }
    if (type.isIntersection()) {
      const primitive = type.types.map(primitiveOf).find((kind) => kind !== undefined);
      if (primitive !== undefined) return is({ kind: primitive });
    }
    // Two members that exclude each other: TypeScript finds that out only when it is asked.
    if (type.isIntersection() && this.checker.typeToString(type) === "never") {
      return is({ kind: "never" });
    }
    const parts = type.isIntersection() ? type.types : [type];
    for (const part of parts) {
      const special = this.special(part);
      if (special === undefined) continue;
      if (parts.length === 1) return special;
      return special.type === undefined
        ? special
        : not(`\`${this.checker.typeToString(type)}\`, which is no plain object`);
    }
    if (isEmpty(this.checker, type)) return not("`{}`, of which nothing is known");
    return this.properties(type);
  }

  /** What is no plain object; undefined: it is one. */
  private special(type: ts.Type): Derived | undefined {
    if (type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0) {
      return not("a function");
    }
    if (this.checker.isArrayType(type) || this.checker.isTupleType(type))
      return is({ kind: "never" });
    const symbol = type.getSymbol();
    if (symbol === undefined) return undefined;
    const files = (symbol.declarations ?? []).map((declaration) => declaration.getSourceFile());
    const library = files.some((file) => this.program.isSourceFileDefaultLibrary(file));
    const platform =
      library || files.some(({ fileName }) => fileName.includes("/node_modules/@types/node/"));
    if (symbol.name === "URL" && platform) return is({ kind: "url" });
    const text = this.checker.typeToString(type).replace("<ArrayBufferLike>", "");
    if (symbol.flags & ts.SymbolFlags.Class) return not(`an object of the class ${symbol.name}`);
    if (!(symbol.flags & ts.SymbolFlags.Interface)) return undefined;
    if (!library) return platform ? this.ofPlatform(type, text) : undefined;
    const [first, second] = this.checker.getTypeArguments(type as ts.TypeReference);
    switch (symbol.name) {
      case "Date":
        return is({ kind: "date" });
      case "Uint8Array":
        return is({ kind: "bytes" });
      case "Set":
      case "ReadonlySet":
        return first && this.list("set", first);
      case "Map":
      case "ReadonlyMap":
        return first && second && this.map(first, second);
      default:
        return not(withArticle(text));
    }
  }

  /** An interface of Node.js: some are data, most are objects with methods. */
  private ofPlatform(type: ts.Type, text: string): Derived {
    const data = this.properties(type);
    return data.problem === undefined ? data : not(withArticle(text));
  }

  private list(kind: "array" | "set", item: ts.Type): Derived {
    const derived = this.derive(item);
    return derived.type === undefined ? at("[]", derived) : is({ kind, item: derived.type });
  }

  private map(key: ts.Type, value: ts.Type): Derived {
    const keys = this.derive(key);
    if (keys.type === undefined) return at(".keys()", keys);
    const values = this.derive(value);
    if (values.type === undefined) return at(".values()", values);
    return is({ kind: "map", key: keys.type, value: values.type });
  }

  private tuple(type: ts.TupleTypeReference): Derived {
    const flags = type.target.elementFlags;
    const elements: ElementType[] = [];
    for (const [index, element] of this.checker.getTypeArguments(type).entries()) {
      const flag = flags[index] ?? ts.ElementFlags.Required;
      if (flag & ts.ElementFlags.Variadic)
        return not("a list of which the length is not known here");
      const optional = (flag & ts.ElementFlags.Optional) !== 0;
      const derived = optional ? this.optional(element) : this.derive(element);
      if (derived.type === undefined) return at(`[${index}]`, derived);
      const rest = (flag & ts.ElementFlags.Rest) !== 0;
      elements.push({ type: derived.type, is: rest ? "rest" : optional ? "optional" : "required" });
    }
    return is({ kind: "tuple", elements });
  }

  private properties(type: ts.Type): Derived {
    const fields = this.fields(this.checker.getPropertiesOfType(type));
    if (fields.problem !== undefined) return fields;
    const index = this.index(type);
    if (index?.problem !== undefined) return index;
    return is(named({ ...fields.type, index: index?.found }, type));
  }

  /** An object that has some properties of a type. */
  fields(
    symbols: readonly ts.Symbol[],
  ): { readonly type: ObjectType; readonly problem?: undefined } | NotDerived {
    const properties: PropertyType[] = [];
    for (const property of symbols) {
      if (property.name.startsWith("__@"))
        return not("an object with a property named by a symbol");
      const optional = (property.flags & ts.SymbolFlags.Optional) !== 0;
      const declared = this.checker.getTypeOfSymbol(property);
      const derived = optional ? this.optional(declared) : this.derive(declared);
      if (derived.type === undefined) return at(stepOf(property.name), derived);
      properties.push({ name: property.name, optional, type: derived.type });
    }
    return { type: { kind: "object", properties, index: undefined } };
  }

  private index(
    type: ts.Type,
  ):
    | { readonly found: NonNullable<ObjectType["index"]>; readonly problem?: undefined }
    | { readonly problem: NotStorable }
    | undefined {
    const infos = this.checker.getIndexInfosOfType(type);
    const [info, second] = infos;
    if (info === undefined) return undefined;
    if (second !== undefined)
      return { problem: { path: "", is: "an object with several kinds of keys" } };
    if (info.keyType.flags & TypeFlags.ESSymbolLike) {
      return { problem: { path: "", is: "an object with symbols as keys" } };
    }
    const key = this.derive(info.keyType);
    if (key.type === undefined) return key;
    const value = this.derive(info.type);
    if (value.type === undefined) return { problem: within("[…]", value.problem) };
    return { found: { key: key.type, value: value.type } };
  }

  /** What may be missing, without the `undefined` that says so. */
  private optional(type: ts.Type): Derived {
    if (!type.isUnion()) return this.derive(type);
    const explicit = this.checker.getUndefinedType();
    const members = type.types.filter(
      (member) => (member.flags & TypeFlags.Undefined) === 0 || (this.exact && member === explicit),
    );
    const [only, second] = members;
    if (only !== undefined && second === undefined) return this.derive(only);
    return members.length === type.types.length ? this.derive(type) : this.union(members, type);
  }
}

const UNRESOLVED =
  TypeFlags.TypeParameter |
  TypeFlags.Conditional |
  TypeFlags.Index |
  TypeFlags.IndexedAccess |
  TypeFlags.Substitution |
  TypeFlags.StringMapping;

/** Whether a type is written as `{}`, of which any value but null and undefined is one. */
function isEmpty(checker: ts.TypeChecker, type: ts.Type): boolean {
  const mapped = ((type as Partial<ts.ObjectType>).objectFlags ?? 0) & ts.ObjectFlags.Mapped;
  return (
    !type.isIntersection() &&
    mapped === 0 &&
    type.symbol?.name !== "__object" &&
    checker.getPropertiesOfType(type).length === 0 &&
    checker.getIndexInfosOfType(type).length === 0
  );
}

function withArticle(name: string): string {
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

function is(type: TypeModel): Derived {
  return { type };
}

function not(what: string): NotDerived {
  return { problem: { path: "", is: what } };
}

function within(step: string, { path, is: what }: NotStorable): NotStorable {
  return { path: step + path, is: what };
}

function at(step: string, { problem }: NotDerived): NotDerived {
  return { problem: within(step, problem) };
}

function close(recursive: { type: TypeModel }, type: TypeModel): Derived {
  recursive.type = type;
  return { type: recursive as RecursiveType };
}

/** How a path goes on to a property. */
export function stepOf(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
    ? `.${name}`
    : `[${JSON.stringify(name)}]`;
}

/** The primitive that a type is, if nothing more is known of it; of an enum whose values are computed, `number`. */
function primitiveOf(type: ts.Type): "string" | "number" | "bigint" | "boolean" | undefined {
  const { flags } = type;
  if (flags & TypeFlags.StringLike && !(flags & TypeFlags.StringMapping)) return "string";
  if (flags & TypeFlags.NumberLike) return "number";
  if (flags & TypeFlags.BigIntLike) return "bigint";
  return flags & TypeFlags.BooleanLike ? "boolean" : undefined;
}

/** What the source calls a type. */
function nameOf(type: ts.Type): string | undefined {
  const name = (type.aliasSymbol ?? type.getSymbol())?.name;
  return name === undefined || name.startsWith("__") || name === "Array" ? undefined : name;
}

function named(model: TypeModel, type: ts.Type): TypeModel {
  const name = nameOf(type);
  if (name === undefined || (model.kind !== "object" && model.kind !== "union")) return model;
  return { ...model, name };
}
