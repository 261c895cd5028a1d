/**
 * The harmless built-ins: what may be called in glue, because on arguments of its static types it
 * cannot throw, changes nothing and always answers the same. Keyed by interface and member, as the
 * libraries of TypeScript declare them: a user's own `Math` is not `Math`.
 */

/** What must hold of the arguments, beside that they are glue. */
export type Arguments =
  /** Strings, numbers, booleans, null, undefined. */
  | "primitive"
  /** Anything: they are only passed on or looked at. */
  | "any"
  /** A function written on the spot whose body is glue; then values that are only passed on. */
  | "callback"
  /** None at all. */
  | "none";

export const BUILTINS: ReadonlyMap<string, Arguments> = new Map([
  ...members("String", "primitive", [
    // Not `repeat`, `padStart`, `normalize` (RangeError), nor anything that takes a RegExp (state).
    ...["at", "charAt", "charCodeAt", "codePointAt", "concat", "endsWith", "includes", "indexOf"],
    ...["lastIndexOf", "slice", "startsWith", "substring", "toLowerCase", "toUpperCase"],
    ...["trim", "trimEnd", "trimStart"],
  ]),
  // Not `toFixed`, `toPrecision` and `toString(radix)`: RangeError.
  ...members("Number", "none", ["toString", "valueOf"]),
  ...members("Boolean", "none", ["toString", "valueOf"]),
  ...members("String", "none", ["toString", "valueOf"]),
  // Not `indexOf` and `includes`: these compare by identity, which `refusals.ts` looks at, and are fine for primitives.
  ...lists("primitive", ["includes", "indexOf", "lastIndexOf"]),
  ...lists("any", ["at", "concat", "slice"]),
  ...lists("callback", [
    ...["every", "filter", "find", "findIndex", "findLast", "findLastIndex", "flatMap", "map"],
    "some",
  ]),
  // Not `toISOString` (RangeError), nor what depends on the time zone of the process.
  ...members("Date", "none", [
    ...["getTime", "valueOf", "getUTCDate", "getUTCDay", "getUTCFullYear", "getUTCHours"],
    ...["getUTCMilliseconds", "getUTCMinutes", "getUTCMonth", "getUTCSeconds"],
  ]),
  // Of keys that are objects `refusals.ts` says that they are never identical.
  ...members("Map", "primitive", ["get", "has"]),
  ...members("ReadonlyMap", "primitive", ["get", "has"]),
  ...members("Set", "primitive", ["has"]),
  ...members("ReadonlySet", "primitive", ["has"]),
  ...members("BigInt", "none", ["toString", "valueOf"]),
  // Not `random`.
  ...members("Math", "primitive", [
    ...["abs", "cbrt", "ceil", "exp", "floor", "hypot", "log", "log10", "log2", "max", "min"],
    ...["pow", "round", "sign", "sqrt", "trunc"],
  ]),
  ...members("NumberConstructor", "any", ["isFinite", "isInteger", "isNaN", "isSafeInteger"]),
  ...members("NumberConstructor", "primitive", ["parseFloat", "parseInt"]),
  ...members("ArrayConstructor", "any", ["isArray"]),
  // Not `fromEntries`: a key may be anything.
  ...members("ObjectConstructor", "any", ["entries", "keys", "values"]),
  // Called by their own names.
  ...members("global", "primitive", ["Boolean", "Number", "String", "parseFloat", "parseInt"]),
]);

/** Globals that are values and never change. */
export const CONSTANTS: ReadonlySet<string> = new Set(["undefined", "NaN", "Infinity"]);

/** Methods that change the object they are called on, of arrays, maps, sets and dates. */
export const MUTATORS: ReadonlySet<string> = new Set([
  ...["copyWithin", "fill", "pop", "push", "reverse", "shift", "sort", "splice", "unshift"],
  ...["add", "clear", "delete", "set", "setDate", "setFullYear", "setHours", "setMilliseconds"],
  ...["setMinutes", "setMonth", "setSeconds", "setTime", "setUTCDate", "setUTCFullYear"],
  ...["setUTCHours", "setUTCMilliseconds", "setUTCMinutes", "setUTCMonth", "setUTCSeconds"],
]);

/** Functions of `Object` and `Reflect` that change their first argument. */
export const MUTATING_FUNCTIONS: ReadonlySet<string> = new Set([
  ...["assign", "defineProperties", "defineProperty", "deleteProperty", "freeze"],
  ...["preventExtensions", "seal", "set", "setPrototypeOf"],
]);

function members(
  owner: string,
  takes: Arguments,
  names: readonly string[],
): (readonly [string, Arguments])[] {
  return names.map((name) => [`${owner}.${name}`, takes] as const);
}

function lists(takes: Arguments, names: readonly string[]): (readonly [string, Arguments])[] {
  return [...members("Array", takes, names), ...members("ReadonlyArray", takes, names)];
}
