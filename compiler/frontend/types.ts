/**
 * What the checker says about types: whether values of one can be stored as JSON, whether it is a
 * promise, whether operators are safe on it. It reports nothing itself.
 */
import type { Context } from "./context.js";
import ts from "./typescript.cjs";

/** Where in a type something is that JSON cannot hold. */
export interface NotJson {
  /** `Trip.payment.paidAt`. */
  readonly path: string;
  /** `a Date`. */
  readonly is: string;
}

/** Types that are nested deeper than this are recursive without end (`Box<Box<…>>`). */
const MAX_DEPTH = 40;

const NULLISH = ts.TypeFlags.Undefined | ts.TypeFlags.Null | ts.TypeFlags.Void;
const PRIMITIVE =
  ts.TypeFlags.StringLike |
  ts.TypeFlags.NumberLike |
  ts.TypeFlags.BooleanLike |
  ts.TypeFlags.EnumLike;

/** The first part of a type that JSON cannot hold; undefined: all of it can be stored. */
export function notJson(
  context: Context,
  type: ts.Type,
  at: ts.Node,
  name: string,
): NotJson | undefined {
  return new JsonCheck(context, at).top(type, name);
}

class JsonCheck {
  private readonly seen = new Set<ts.Type>();

  constructor(
    private readonly context: Context,
    private readonly at: ts.Node,
  ) {}

  /** A value on its own may be undefined; one in an array may not. */
  top(type: ts.Type, path: string): NotJson | undefined {
    return type.flags & NULLISH ? undefined : this.check(type, path, true, 0);
  }

  private check(
    type: ts.Type,
    path: string,
    maybeUndefined: boolean,
    depth: number,
  ): NotJson | undefined {
    const is = (what: string): NotJson => ({ path, is: what });
    if (type.flags & ts.TypeFlags.Any) return is("`any`");
    if (type.flags & ts.TypeFlags.Unknown) return is("`unknown`");
    if (type.flags & ts.TypeFlags.BigIntLike) return is("a bigint");
    if (type.flags & ts.TypeFlags.ESSymbolLike) return is("a symbol");
    if (type.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) {
      return maybeUndefined ? undefined : is("possibly undefined, inside of an array");
    }
    if (type.flags & (PRIMITIVE | ts.TypeFlags.Null | ts.TypeFlags.Never)) return undefined;
    if (type.flags & (ts.TypeFlags.StringMapping | ts.TypeFlags.TemplateLiteral)) return undefined;
    if (type.isUnion()) {
      return first(type.types, (member) => this.check(member, path, maybeUndefined, depth));
    }
    if (type.isIntersection() && type.types.some((member) => member.flags & PRIMITIVE)) {
      return undefined;
    }
    if (type.flags & ts.TypeFlags.NonPrimitive) return is("`object`, of which nothing is known");
    if (type.flags & (ts.TypeFlags.TypeParameter | ts.TypeFlags.Conditional | ts.TypeFlags.Index)) {
      return is(`\`${this.context.checker.typeToString(type)}\`, which is not known here`);
    }
    if (this.seen.has(type)) return undefined;
    this.seen.add(type);
    if (depth > MAX_DEPTH) return is("nested without an end");
    return this.object(type, path, depth + 1);
  }

  private object(type: ts.Type, path: string, depth: number): NotJson | undefined {
    const { checker } = this.context;
    if (checker.isArrayType(type) || checker.isTupleType(type)) {
      const elements = checker.getTypeArguments(type as ts.TypeReference);
      return first(elements, (element) => this.check(element, `${path}[]`, false, depth));
    }
    const special = this.special(type);
    if (special !== undefined) return { path, is: special };
    return (
      first(checker.getPropertiesOfType(type), (property) => {
        if (property.name.startsWith("__@")) {
          return { path, is: "an object with a property named by a symbol" };
        }
        const inside = checker.getTypeOfSymbolAtLocation(property, this.at);
        return this.check(inside, `${path}.${property.name}`, true, depth);
      }) ??
      first(checker.getIndexInfosOfType(type), (index) =>
        this.check(index.type, `${path}[…]`, true, depth),
      )
    );
  }

  /** What is no plain object, in words. */
  private special(type: ts.Type): string | undefined {
    const { checker, program } = this.context;
    if (type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0) {
      return "a function";
    }
    const symbol = type.getSymbol();
    if (symbol === undefined) return undefined;
    if (symbol.flags & ts.SymbolFlags.Class) return `an object of the class ${symbol.name}`;
    const lib = symbol.declarations?.some((declaration) =>
      program.isSourceFileDefaultLibrary(declaration.getSourceFile()),
    );
    const named = symbol.flags & ts.SymbolFlags.Interface && lib === true;
    return named ? `a ${checker.typeToString(type)}` : undefined;
  }
}

function first<T, R>(list: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of list) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

// --- promises

/** Whether a value of this type can be awaited for something: it has a `then`. */
export function isPromise(context: Context, type: ts.Type): boolean {
  const members = type.isUnion() ? type.types : [type];
  return members.some((member) => {
    if (member.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown | PRIMITIVE | NULLISH))
      return false;
    const then = context.checker.getPropertyOfType(member, "then");
    return (
      then !== undefined && (then.flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Property)) !== 0
    );
  });
}

/** What a promise resolves to; undefined for what is no promise. */
export function awaited(context: Context, type: ts.Type): ts.Type | undefined {
  return isPromise(context, type) ? context.checker.getAwaitedType(type) : undefined;
}

// --- what operators do

/** Whether every value of the type is a string, number, boolean, null or undefined. */
export function isSafePrimitive(type: ts.Type): boolean {
  return every(
    type,
    (member) => (member.flags & (PRIMITIVE | NULLISH | ts.TypeFlags.TemplateLiteral)) !== 0,
  );
}

/** Whether some value of the type may be an object. */
export function mayBeObject(type: ts.Type): boolean {
  return !every(
    type,
    (member) =>
      (member.flags &
        (PRIMITIVE |
          NULLISH |
          ts.TypeFlags.TemplateLiteral |
          ts.TypeFlags.BigIntLike |
          ts.TypeFlags.ESSymbolLike)) !==
        0 ||
      (member.isIntersection() && member.types.some((part) => part.flags & PRIMITIVE)),
  );
}

/** Whether null or undefined is among the values, or the type says nothing. */
export function mayBeNullish(type: ts.Type): boolean {
  return !every(
    type,
    (member) =>
      (member.flags &
        (NULLISH | ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.TypeParameter)) ===
      0,
  );
}

export function isAny(type: ts.Type): boolean {
  return (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0;
}

/** Whether nothing is returned: void or undefined, and no other value. */
export function isVoid(type: ts.Type): boolean {
  return every(
    type,
    (member) => (member.flags & (ts.TypeFlags.Void | ts.TypeFlags.Undefined)) !== 0,
  );
}

export function every(type: ts.Type, test: (member: ts.Type) => boolean): boolean {
  return type.isUnion() ? type.types.every(test) : test(type);
}
