/**
 * What the checker says about types: whether one is a promise, whether operators are safe on it. What
 * is stored of their values is in `derive.ts`. It reports nothing itself.
 */
import type { Context } from "../context.js";
import ts from "../typescript.cjs";

const NULLISH = ts.TypeFlags.Undefined | ts.TypeFlags.Null | ts.TypeFlags.Void;
const PRIMITIVE =
  ts.TypeFlags.StringLike |
  ts.TypeFlags.NumberLike |
  ts.TypeFlags.BooleanLike |
  ts.TypeFlags.EnumLike;

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
