/** Schemas are held to be exactly those of types: `tsc` checks this file, nothing runs it. */
import * as z from "steno-runtime/schema";

enum Color {
  Red = "red",
  Blue = "blue",
}
enum Level {
  Low,
  High = 5,
}
type Card = string & { readonly __brand: "Card" };
interface Trip {
  readonly id: string;
  at: Date;
  note?: string;
  tags: readonly string[];
}
const trip = z.object({
  id: z.string(),
  at: z.date(),
  note: z.optional(z.string()),
  tags: z.array(z.string()),
});

z.exactly<Trip>()(trip);
z.exactly<Readonly<Trip>>()(trip);
z.exactly<Omit<Trip, "note"> & { note?: string }>()(trip);
z.exactly<Color>()(z.literal(["red", "blue"]));
z.exactly<Level | null>()(z.union([z.literal([0, 5]), z.null()]));
z.exactly<Card[]>()(z.array(z.string()));
z.exactly<number & { __brand: 1 }>()(z.number());
z.exactly<[name: string, nights?: number]>()(z.tuple([z.string(), z.optional(z.number())]));
z.exactly<readonly [string, ...number[], boolean]>()(
  z.tuple([z.string(), z.rest(z.number()), z.boolean()]),
);
z.exactly<[]>()(z.tuple([]));
z.exactly<ReadonlyMap<string, ReadonlySet<bigint>>>()(z.map(z.string(), z.set(z.bigint())));
z.exactly<Record<string, URL | Uint8Array>>()(z.record(z.string(), z.union([z.bytes(), z.url()])));
z.exactly<{ a: number; [key: string]: number | string }>()(
  z.openObject({ a: z.number() }, z.string(), z.union([z.number(), z.string()])),
);
z.exactly<`id-${number}`>()(z.template<`id-${number}`>(["id-", z.number()]));
z.exactly<Record<`x-${string}`, number>>()(
  z.record(z.template<`x-${string}`>(["x-", z.string()]), z.number()),
);
z.exactly<void>()(z.undefined());
z.exactly<boolean | 1n>()(z.union([z.boolean(), z.literal([1n])]));
z.exactly<{ kind: "a"; n: number } | { kind: "b" }>()(
  z.union([
    z.object({ kind: z.literal(["b"]) }),
    z.object({ kind: z.literal(["a"]), n: z.number() }),
  ]),
);

// A type that contains itself, alone and by another.
interface Tree {
  readonly value: string;
  readonly children: readonly Tree[];
  readonly owner?: Person | null;
}
interface Person {
  tree: Tree;
}
interface TreeShape {
  value: string;
  children: TreeShape[];
  owner?: PersonShape | null;
}
interface PersonShape {
  tree: TreeShape;
}
const tree: z.Schema<TreeShape> = z.exactly<TreeShape>()(
  z.object({
    value: z.string(),
    children: z.array(z.lazy(() => tree)),
    owner: z.optional(z.union([z.null(), z.lazy(() => person)])),
  }),
);
const person: z.Schema<PersonShape> = z.exactly<PersonShape>()(
  z.object({ tree: z.lazy(() => tree) }),
);
z.exactly<Tree>()(tree);
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type JsonShape = string | number | boolean | null | JsonShape[] | { [key: string]: JsonShape };
const json: z.Schema<JsonShape> = z.exactly<JsonShape>()(
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    z.array(z.lazy(() => json)),
    z.record(
      z.string(),
      z.lazy(() => json),
    ),
  ]),
);
z.exactly<Json>()(json);

// --- what must not pass

// @ts-expect-error: the optional property is lost
z.exactly<Trip>()(z.object({ id: z.string(), at: z.date(), tags: z.array(z.string()) }));
// @ts-expect-error: the string became a Date
z.exactly<{ at: string }>()(z.object({ at: z.date() }));
// @ts-expect-error: the property is optional
z.exactly<{ at?: string }>()(z.object({ at: z.string() }));
// @ts-expect-error: the property is not optional
z.exactly<{ at: string }>()(z.object({ at: z.optional(z.string()) }));
// @ts-expect-error: any is like no other type
z.exactly<any>()(z.string());
// @ts-expect-error: nor inside of others
z.exactly<{ at: any[] }>()(z.object({ at: z.array(z.string()) }));
// @ts-expect-error: nothing is known of it
z.exactly<unknown>()(z.object({}));
// @ts-expect-error: a member is missing
z.exactly<Color | null>()(z.literal(["red", "blue"]));
// @ts-expect-error: a member of an enum is missing
z.exactly<Color>()(z.literal(["red"]));
// @ts-expect-error: a type that contains itself, with a property less
z.exactly<TreeShape>()(z.object({ value: z.string(), children: z.array(tree) }));
// @ts-expect-error: deep inside
z.exactly<Tree[]>()(z.array(z.object({ value: z.string(), children: z.array(z.string()) })));
// @ts-expect-error: an element of a tuple
z.exactly<[string, number?]>()(z.tuple([z.string(), z.number()]));
// @ts-expect-error: another template
z.exactly<`id-${number}`>()(z.template<`id-${string}`>(["id-", z.string()]));
