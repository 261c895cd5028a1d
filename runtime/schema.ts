/**
 * What generated modules describe stored values with: the builders of `zod/mini`, with the few that it
 * lacks, typed for one purpose only: that `tsc` can hold a schema to be exactly that of a type. How
 * values are stored by a schema is in `codec/`.
 */
import * as z from "zod/mini";
import type {
  AnySchema,
  Identical,
  ObjectOf,
  OptionalSchema,
  Plain,
  Rest,
  Schema,
  TupleOf,
  TypeOf,
  UrlObject,
} from "./codec/schema-types.js";

export type { StandardOutput } from "./codec/standard-schema.js";
export type { Identical, OptionalSchema, Plain, Schema, TypeOf } from "./codec/schema-types.js";

/** A kind of value that zod has no schema for: what the codec goes by. */
export type OwnKind = "bytes" | "url" | "tuple" | "rest" | "template";

interface Own {
  readonly kind: OwnKind;
  readonly items?: readonly (AnySchema | string)[];
}

/** The key of what is ours in a schema that zod knows as `custom`. */
const OWN: unique symbol = Symbol.for("steno.schema") as never;

/** What a schema that zod knows as `custom` is. */
export function ownOf(schema: AnySchema): Own | undefined {
  return (schema as { readonly [OWN]?: Own })[OWN];
}

function own(kind: OwnKind, items?: Own["items"]): AnySchema {
  const made = z.custom(() => true);
  return Object.assign(made, { [OWN]: items === undefined ? { kind } : { kind, items } }) as never;
}

export const string: () => Schema<string> = z.string as never;
/** Any number: NaN, the infinities and -0 are stored, too. */
export const number: () => Schema<number> = z.number as never;
export const boolean: () => Schema<boolean> = z.boolean as never;
export const bigint: () => Schema<bigint> = z.bigint as never;
export const date: () => Schema<Date> = z.date as never;
const makeNull: () => Schema<null> = z.null as never;
const makeUndefined: () => Schema<undefined> = z.undefined as never;
export { makeNull as null, makeUndefined as undefined };
export const never: () => Schema<never> = z.never as never;

export const literal: <const T extends string | number | boolean | bigint>(
  values: readonly T[],
) => Schema<T> = z.literal as never;

/** Text that fits a template: `z.template<`id-${number}`>(["id-", z.number()])`. */
export function template<T extends string>(
  parts: readonly (string | Schema<string | number | bigint>)[],
): Schema<T> {
  return own("template", parts) as never;
}

export const bytes = (): Schema<Uint8Array> => own("bytes") as never;
export const url = (): Schema<UrlObject> => own("url") as never;

export const array: <T>(item: Schema<T>) => Schema<T[]> = z.array as never;
export const set: <T>(item: Schema<T>) => Schema<Set<T>> = z.set as never;
export const map: <K, V>(key: Schema<K>, value: Schema<V>) => Schema<Map<K, V>> = z.map as never;

/** A property that may be missing, or an element that may be at the end of a tuple. */
export const optional: <T>(schema: Schema<T>) => OptionalSchema<T> = z.optional as never;

/** Of a tuple, any number of elements: `z.tuple([z.string(), z.rest(z.number())])`. */
export function rest<T>(item: Schema<T>): Rest<T> {
  return own("rest", [item]) as never;
}

/** A tuple, in which one element may be a {@link rest}. */
export function tuple<const Items extends readonly AnySchema[]>(
  items: Items,
): Schema<TupleOf<Items>> {
  return own("tuple", items) as never;
}

export const object: <const Shape extends Readonly<Record<string, AnySchema>>>(
  shape: Shape,
) => Schema<ObjectOf<Shape>> = z.object as never;

/** An object with any keys of a kind: `number` keys are those that look like one. */
export const record: <K extends string | number, V>(
  key: Schema<K>,
  value: Schema<V>,
) => Schema<{ [Key in K]: V }> = z.record as never;

/** An object that has known properties and others; what the others are must include the known. */
export function openObject<
  const Shape extends Readonly<Record<string, AnySchema>>,
  K extends string | number,
  V,
>(shape: Shape, key: Schema<K>, value: Schema<V>): Schema<ObjectOf<Shape> & { [Key in K]: V }> {
  return z.intersection(z.object(shape as never), z.record(key as never, value as never)) as never;
}

/** Of several that a value fits, the one that keeps most of it is taken. */
export const union: <const Members extends readonly AnySchema[]>(
  members: Members,
) => Schema<TypeOf<Members[number]>> = z.union as never;

/** For a schema that contains itself. */
export const lazy: <T>(schema: () => Schema<T>) => Schema<T> = z.lazy as never;

/**
 * Holds a schema to be exactly that of a type: the same keys, optional where the type has them
 * optional, and no `any`. It does nothing at run time.
 */
export function exactly<T>(): <S extends AnySchema>(
  schema: Identical<Plain<T>, Plain<TypeOf<S>>> extends true
    ? S
    : { readonly "the schema is not that of the type": [T, TypeOf<S>] },
) => Schema<T> {
  return (schema) => schema as never;
}

/** Holds a schema to fit a type that TypeScript has inferred: each is assignable to the other. */
export function like<T>(): <S extends AnySchema>(
  schema: [Plain<T>, Plain<TypeOf<S>>] extends [Plain<TypeOf<S>>, Plain<T>]
    ? S
    : { readonly "the schema is not that of the type": [T, TypeOf<S>] },
) => Schema<T> {
  return (schema) => schema as never;
}
