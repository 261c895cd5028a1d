/**
 * The types behind `schema.ts`: what a schema is the schema of, and when two types are one. Types
 * only; nothing here exists at run time.
 */

/** A schema of `zod/mini`, as the type of the values that it is for. */
export interface Schema<T> {
  readonly _zod: { readonly output: T; readonly def: { readonly type: string } };
}

/** Of a property that may be missing. */
export interface OptionalSchema<T> extends Schema<T> {
  readonly _zod: Schema<T>["_zod"] & { readonly optout: "optional" };
}

/** Of any number of elements in a tuple. */
export interface Rest<T> extends Schema<T[]> {
  readonly _zod: Schema<T[]>["_zod"] & { readonly rest: true };
}

export type AnySchema = Schema<unknown>;

export type TypeOf<S> = S extends Schema<infer T> ? T : never;

/** The global `URL`, where there is one. */
export type UrlObject = typeof globalThis extends { readonly URL: { prototype: infer Url } }
  ? Url
  : never;

type IsOptional<S> = S extends OptionalSchema<unknown> ? true : false;

export type ObjectOf<Shape> = Flat<
  {
    -readonly [Key in keyof Shape as IsOptional<Shape[Key]> extends true ? never : Key]: TypeOf<
      Shape[Key]
    >;
  } & {
    -readonly [Key in keyof Shape as IsOptional<Shape[Key]> extends true ? Key : never]?: TypeOf<
      Shape[Key]
    >;
  }
>;

type Flat<T> = { [Key in keyof T]: T[Key] };

export type TupleOf<
  Items extends readonly unknown[],
  Made extends unknown[] = [],
> = Items extends readonly [infer First, ...infer Others]
  ? TupleOf<
      Others,
      First extends Rest<infer T>
        ? [...Made, ...T[]]
        : IsOptional<First> extends true
          ? [...Made, TypeOf<First>?]
          : [...Made, TypeOf<First>]
    >
  : Made;

// --- when two types are one

/** TypeScript relates these two functions only if the types are identical: keys, optionality, `any`. */
export type Identical<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

declare const ANY: unique symbol;

/**
 * A type as what is stored of it: without `readonly`, brands and the names of enums; intersections of
 * objects are one object. `any` and `unknown` become a type of its own, like no other.
 */
export type Plain<T> = unknown extends T ? typeof ANY : PlainMember<T>;

// Distributes over the members of a union.
type PlainMember<T> = T extends string
  ? PlainText<T>
  : T extends number
    ? PlainNumber<T>
    : T extends bigint
      ? PlainBigint<T>
      : T extends boolean
        ? T extends true
          ? true
          : false
        : T extends null
          ? null
          : T extends void
            ? undefined
            : PlainObject<T>;

// A brand adds properties to those that every text has.
type PlainText<T extends string> = [keyof T] extends [keyof string] ? `${T}` : string;
type PlainNumber<T extends number> = [keyof T] extends [keyof number]
  ? `${T}` extends `${infer N extends number}`
    ? N
    : number
  : number;
type PlainBigint<T extends bigint> = [keyof T] extends [keyof bigint] ? T : bigint;

// What can contain itself stands inside of an object type, since TypeScript resolves that only when it
// is looked at.
type PlainObject<T> = T extends Date
  ? Date
  : T extends ReadonlyMap<infer K, infer V>
    ? { readonly keys: Plain<K>; readonly values: Plain<V>; readonly is: "Map" }
    : T extends ReadonlySet<infer V>
      ? { readonly values: Plain<V>; readonly is: "Set" }
      : T extends Uint8Array
        ? Uint8Array
        : T extends UrlObject
          ? UrlObject
          : T extends readonly unknown[]
            ? { readonly items: PlainProperties<T>; readonly is: "list" }
            : PlainProperties<T>;

type PlainProperties<T> = { -readonly [Key in keyof T]: Plain<T[Key]> };
