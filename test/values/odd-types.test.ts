/**
 * Odd types, written by hand: of each, its values come back as what they were and `tsc` finds its
 * schema exact; or it is refused, at the declaration and with the path.
 */
import { inspect, isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decode, encode } from "../../runtime/codec.js";
import { Codecs } from "../../runtime/codec/compile.js";
import { Batch, load, type Result } from "../oracle/compile.js";

interface Odd {
  /** Stands above the class; `Value` is the type. */
  readonly text: string;
  /** Values of it; what comes back, where that is another. */
  readonly values?: readonly unknown[];
  readonly others?: readonly unknown[];
  /** What is said where it is refused. */
  readonly refused?: string;
}

const at = new Date(7);
const ODD: Readonly<Record<string, Odd>> = {
  "a generic that contains itself": {
    text: "export interface Tree<T> { value: T; kids?: Tree<T>[] }\nexport type Value = Tree<Date | null>;",
    values: [{ value: at, kids: [{ value: null }] }],
    others: [{ value: 1 }],
  },
  "generics that contain each other": {
    text: "export type A<T> = { b: B<T> } | null;\nexport type B<T> = { a: A<T>; t: T };\nexport type Value = A<bigint>;",
    values: [{ b: { a: { b: { a: null, t: 1n } }, t: 2n } }, null],
  },
  "a list that contains itself": {
    text: "export type Value = number | Value[];",
    values: [1, [1, [2, [3]]]],
    others: ["x", [["x"]]],
  },
  "nested without an end": {
    text: "export interface Box<T> { box?: Box<Box<T>> }\nexport type Value = Box<string>;",
    refused: "nested without an end",
  },
  "mapped with as": {
    text: "export interface P { a: string; b: Date }\nexport type Value = { [K in keyof P as `get${Capitalize<K>}`]: P[K] };",
    values: [{ getA: "x", getB: at }],
    others: [{ getA: "x" }],
  },
  "mapped with omission": {
    text: 'export type Value = { [K in "a" | "b" | "c" as K extends "b" ? never : K]?: 1 };',
    values: [{ a: 1 }, {}],
  },
  "a template of unions": {
    text: 'export type Value = `${"a" | "b"}-${1 | 2}`;',
    values: ["a-1", "b-2"],
    others: ["a-3", "c-1"],
  },
  "a template with a boolean": {
    text: "export type Value = `is-${boolean}`;",
    values: ["is-true"],
    others: ["is-1"],
  },
  "a template of templates": {
    text: "export type V4 = `${number}.${number}`;\nexport type Value = `${V4}/${V4}`;",
    values: ["1.2/3.4"],
    others: ["1/3.4"],
  },
  "text in capitals": {
    text: "export type Value = Uppercase<string>;",
    refused: "Uppercase<string>",
  },
  "an intersection of unions": {
    text: "export type Value = ({ a: 1 } | { a: 2 }) & ({ b: Date } | { c: bigint });",
    values: [
      { a: 1, b: at },
      { a: 2, c: 3n },
    ],
    others: [{ a: 1 }],
  },
  "an intersection that cannot be": {
    text: 'export type Value = { kind: ({ k: "a" } & { k: "b" }) | "ok" };',
    values: [{ kind: "ok" }],
  },
  "optional, undefined and both": {
    text: "export interface Value { a?: string; b: string | undefined; c?: string | undefined; d?: never }",
    values: [{ b: undefined }, { a: "x", b: "y", c: undefined }],
    others: [{ a: 1, b: "x" }],
  },
  "null, undefined and missing": {
    text: "export interface Value { a?: null | undefined | Date }",
    values: [{}, { a: null }, { a: undefined }, { a: at }],
  },
  "a read-only tuple with labels": {
    text: "export type Value = readonly [from: Date, to?: Date, ...stops: readonly string[]];",
    values: [[at], [at, at, "x", "y"]],
    others: [[], [at, "x"]],
  },
  "a tuple with a rest in the middle": {
    text: "export type Value = [string, ...Date[], bigint];",
    values: [
      ["a", 1n],
      ["a", at, at, 1n],
    ],
    others: [["a"]],
  },
  "a tuple of tuples": {
    text: "export type Value = [[], [[1n]], { x: [Date] }];",
    values: [[[], [[1n]], { x: [at] }]],
  },
  "a union of a tuple and a list": {
    text: "export type Value = [Date, number] | string[];",
    values: [[at, 1], ["x", "y"], []],
    others: [[at], ["x", 1]],
  },
  "a union of tuples": {
    text: 'export type Value = ["at", Date] | ["n", bigint] | [];',
    values: [["at", at], ["n", 3n], []],
    others: [["at", 3n]],
  },
  "a const enum": {
    text: "declare const enum Kind { A = 1, B = 2 }\nexport type Value = Record<Kind, string>;",
    values: [{ 1: "a", 2: "b" }],
    others: [{ 1: "a" }],
  },
  "a record by an enum": {
    text: 'export enum Color { Red = "r", Blue = "b" }\nexport type Value = Record<Color, Date>;',
    values: [{ r: at, b: at }],
    others: [{ Red: at }],
  },
  "an enum with computed values": {
    text: 'export enum Flag { A = 1 << 1, B = "xy".length }\nexport type Value = Flag;',
    values: [2],
    others: ["A"],
  },
  "a part of an enum": {
    text: 'export enum Color { Red = "r", Blue = "b" }\nexport type Value = Color.Red | null;',
    values: ["r", null],
    others: ["b"],
  },
  "a brand by a symbol": {
    text: "declare const brand: unique symbol;\nexport type Value = string & { readonly [brand]: true };",
    values: ["x"],
  },
  "a branded number in a key": {
    text: "export type Id = number & { readonly __id: 1 };\nexport type Value = Map<Id, Id[]>;",
    values: [new Map([[1, [2]]])],
  },
  "an object with a brand": {
    text: "declare const brand: unique symbol;\nexport type Value = { id: string } & { readonly [brand]: true };",
    refused: "an object with a property named by a symbol",
  },
  "a unique symbol": {
    text: "export declare const one: unique symbol;\nexport interface Value { a: typeof one }",
    refused: "Value.a is a symbol",
  },
  "an interface in two parts": {
    text: "export interface Value { a: string }\nexport interface Value { b?: Date }",
    values: [{ a: "x", b: at }],
    others: [{ b: at }],
  },
  "an interface that extends two": {
    text: "export interface A { id: string | number; x?: 1 }\nexport interface B { at: Date }\nexport interface Value extends A, Readonly<B> { id: string }",
    values: [{ id: "x", at }],
    others: [{ id: 1, at }],
  },
  "known keys beside an index": {
    text: "export interface Value { id: string; at?: Date; [other: string]: string | Date | undefined }",
    values: [{ id: "x", at, more: at, none: undefined }],
    others: [{ id: "x", more: 1 }],
  },
  "an index of numbers": {
    text: "export interface Value { [index: number]: Date }",
    values: [{ 1: at }],
    others: [{ 1: 1 }],
  },
  "an index by a template": {
    text: "export type Value = Record<`x-${string}`, bigint>;",
    values: [{ "x-a": 1n }, {}],
  },
  "two kinds of keys": {
    text: "export interface Value { [a: `a-${string}`]: 1; [b: `b-${string}`]: 2 }",
    refused: "an object with several kinds of keys",
  },
  object: { text: "export interface Value { a: object }", refused: "Value.a is `object`" },
  "{}": { text: "export interface Value { a: {} }", refused: "Value.a is `{}`" },
  never: { text: "export type Value = { a?: never; b: 1 };", values: [{ b: 1 }] },
  void: {
    text: "export interface Value { a: void }",
    values: [{ a: undefined }],
    others: [{ a: null }],
  },
  "a Date of its own": {
    text: "export class Day extends Date { day(): number { return this.getDate(); } }\nexport interface Value { at: Day[] }",
    refused: "Value.at[] is an object of the class Day",
  },
  "a list of its own": {
    text: "export class Stack extends Array<number> { top(): number { return 1; } }\nexport type Value = Stack | null;",
    refused: "an object of the class Stack",
  },
  "a map that is more": {
    text: "export interface Value { m: Map<string, number> & { size: 1 } }",
    refused: "Value.m is ",
  },
  "a class with data only": {
    text: "export class Point { x = 1; y = 2 }\nexport interface Value { at: Point }",
    refused: "Value.at is an object of the class Point",
  },
  "a Promise inside": {
    text: "export interface Value { later: { done: Promise<string> }[] }",
    refused: "Value.later[].done is a Promise<string>",
  },
  "a function in a union": {
    text: "export interface Value { next: string | (() => void) }",
    refused: "is a function",
  },
  "a type of a package": {
    text: 'import type { ParsedUrlQuery } from "node:querystring";\nexport type Value = ParsedUrlQuery;',
    values: [{ a: "x", b: ["y"], c: undefined }],
    others: [{ a: 1 }],
  },
  "a stream of a package": {
    text: 'import type { Readable } from "node:stream";\nexport interface Value { body: Readable }',
    refused: "Value.body is ",
  },
  "a buffer": {
    text: "export interface Value { body: Buffer }",
    refused: "Value.body is a Buffer",
  },
  "an ArrayBuffer": {
    text: "export interface Value { body: ArrayBuffer | null }",
    refused: "Value.body is a",
  },
  "any deep inside": {
    text: 'export interface Value { a: Record<string, [Date, { "odd key": any }]> }',
    refused: 'Value.a[…][1]["odd key"] is `any`',
  },
  "a conditional type that is resolved": {
    text: "export type Wire<T> = T extends Date ? bigint : T extends object ? { [K in keyof T]: Wire<T[K]> } : T;\nexport type Value = Wire<{ a: Date; b: { c: Date; d: string } }>;",
    values: [{ a: 1n, b: { c: 2n, d: "x" } }],
    others: [{ a: at, b: { c: 2n, d: "x" } }],
  },
  "Pick, Omit, Partial, Required, Readonly": {
    text: 'export interface T { a: Date; b?: string; c: bigint | null }\nexport type Value = Readonly<Required<Pick<T, "b">>> & Partial<Omit<T, "b">>;',
    values: [{ b: "x" }, { b: "x", a: at, c: null }],
    others: [{ a: at }],
  },
  "members that differ by what is missing": {
    text: "export type Value = { a: string; b?: Date } | { a: string; c: Map<string, Date> } | { a: Date };",
    values: [{ a: "x" }, { a: "x", b: at }, { a: "x", c: new Map([["k", at]]) }, { a: at }],
  },
  "texts that look like others": {
    text: "export type Value = Date | string | bigint | URL | Uint8Array | number | null | undefined;",
    values: [
      "1",
      1n,
      at,
      at.toISOString(),
      new URL("https://a.b/"),
      "https://a.b/",
      new Uint8Array([1]),
      "AQ==",
      NaN,
      -0,
      null,
      undefined,
    ],
  },
  "tags of its own": {
    text: "export type Value = { $: string; value: unknown[] extends never ? 1 : string } | Date | string;",
    values: [{ $: "Date", value: "2020-01-01T00:00:00.000Z" }, at, "x"],
  },
  "keys that others have": {
    text: 'export interface Value { constructor: string; "__proto__": Date; toString: bigint; "": 1; "a-b": 2 }',
    values: [
      Object.defineProperty({ constructor: "x", toString: 1n, "": 1, "a-b": 2 }, "__proto__", {
        value: at,
        enumerable: true,
        writable: true,
        configurable: true,
      }),
    ],
  },
};

const program = ({ text }: Odd): string => `import { action, saga } from "steno-runtime";
${text}
export class Program {
  @action({ undo: "none" })
  async echo(value: Value): Promise<void> { void value; }
  @action({ undo: "none" })
  async make(): Promise<Value> { throw new Error("none"); }
  @saga
  async main(params: Value): Promise<void> {
    await this.echo(params);
  }
}
`;

const names = Object.keys(ODD);
let batch: Batch;
beforeAll(() => {
  batch = new Batch(names.map((name) => program(ODD[name] as Odd)));
});
afterAll(() => batch.close());

test("tsc finds nothing wrong", () => {
  expect(batch.typeErrors()).toEqual([]);
});

const resultOf = (name: string): Result => batch.results[names.indexOf(name)] as Result;
const errorsOf = (name: string): readonly string[] =>
  resultOf(name)
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code, message }) => `${code}: ${message}`);

const kept = names.filter((name) => ODD[name]?.refused === undefined);
test.each(kept)("%s comes back", async (name) => {
  expect(errorsOf(name)).toEqual([]);
  const { main } = await load(resultOf(name));
  const { values = [], others = [] } = ODD[name] as Odd;
  const codecs = new Codecs();
  const codec = codecs.of(main.spec.schemas?.params as never);
  for (const value of values) {
    const back = decode(codec, encode(codec, value, "v"), "v");
    if (!isDeepStrictEqual(back, value)) expect(back).toStrictEqual(value);
  }
  for (const value of others) {
    expect(() => encode(codec, value, "v"), inspect(value)).toThrow(
      expect.objectContaining({ code: "value-invalid" }),
    );
  }
});

test.each(names.filter((name) => !kept.includes(name)))("%s is refused", (name) => {
  const { diagnostics, text } = resultOf(name);
  const [first] = diagnostics;
  expect(first?.message).toContain((ODD[name] as Odd).refused);
  expect(new Set(diagnostics.map(({ code }) => code))).toEqual(new Set(["value-not-storable"]));
  const places = diagnostics.map(({ span }) => text.slice(span?.start, span?.end));
  for (const place of places) expect(["Value", "Promise<Value>"]).toContain(place);
});
