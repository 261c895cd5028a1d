/** What a schema's values are stored as, and that they come back as what they were. Random types: `types.test.ts`. */
import fc from "fast-check";
import * as z from "steno-runtime/schema";
import { describe, expect, test } from "vitest";
import { decode, encode, SIZE_LIMIT } from "../../runtime/codec.js";
import { Codecs } from "../../runtime/codec/compile.js";
import { json } from "../../runtime/codec/json.js";
import { recordError, reviveError } from "../../runtime/codec/recorded-error.js";

const codecOf = (schema: z.Schema<unknown>) => new Codecs().of(schema);
const textOf = (schema: z.Schema<unknown>, value: unknown) => encode(codecOf(schema), value, "v");
const backOf = (schema: z.Schema<unknown>, text: string | undefined) =>
  decode(codecOf(schema), text, "v");

const at = new Date("2026-11-25T20:12:13.456Z");
const dateOrText = z.union([z.string(), z.date()]);
const shape = z.union([
  z.object({ kind: z.literal(["circle"]), r: z.number() }),
  z.object({ kind: z.literal(["box"]), w: z.number(), h: z.optional(z.bigint()) }),
]);
const loose = z.union([z.object({ a: z.string() }), z.object({ a: z.string(), b: z.number() })]);
type Tree = { value: Date; children: Tree[] };
const tree: z.Schema<Tree> = z.exactly<Tree>()(
  z.object({ value: z.date(), children: z.array(z.lazy(() => tree)) }),
);

test.each<[string, z.Schema<unknown>, unknown, string]>([
  ["a Date", z.date(), at, '"2026-11-25T20:12:13.456Z"'],
  ["a bigint", z.bigint(), -12345678901234567890n, '"-12345678901234567890"'],
  ["NaN", z.number(), NaN, '{"$":"number","value":"NaN"}'],
  ["-0", z.array(z.number()), [-0, 0], '[{"$":"number","value":"-0"},0]'],
  ["a Map", z.map(z.string(), z.set(z.number())), new Map([["a", new Set([1])]]), '[["a",[1]]]'],
  ["bytes", z.bytes(), new Uint8Array([1, 2, 255]), '"AQL/"'],
  ["a URL", z.url(), new URL("https://example.com/a?b=1"), '"https://example.com/a?b=1"'],
  [
    "undefined or a text",
    z.array(z.union([z.string(), z.undefined()])),
    ["a", undefined],
    '["a",null]',
  ],
  [
    "undefined or null",
    z.array(z.union([z.null(), z.undefined()])),
    [null, undefined],
    '[null,{"$":"undefined","value":null}]',
  ],
  ["a text where a Date may be", dateOrText, "2026", '"2026"'],
  ["a Date where a text may be", dateOrText, at, '{"$":"Date","value":"2026-11-25T20:12:13.456Z"}'],
  [
    "one of a discriminated union",
    shape,
    { kind: "box", w: 1, h: 2n },
    '{"kind":"box","w":1,"h":"2"}',
  ],
  ["what keeps most of it", loose, { a: "x", b: 1 }, '{"$":"1","value":{"a":"x","b":1}}'],
  [
    "a tuple",
    z.tuple([z.string(), z.rest(z.date()), z.boolean()]),
    ["a", at, at, true],
    '["a","2026-11-25T20:12:13.456Z","2026-11-25T20:12:13.456Z",true]',
  ],
  [
    "what contains itself",
    tree,
    { value: at, children: [{ value: at, children: [] }] },
    '{"value":"2026-11-25T20:12:13.456Z","children":[{"value":"2026-11-25T20:12:13.456Z","children":[]}]}',
  ],
  [
    "a record with a key `$`",
    z.union([z.record(z.string(), z.string()), z.number()]),
    { $: "number" },
    '{"$":"object","value":{"$":"number"}}',
  ],
])("%s is stored readably, and comes back", (_name, schema, value, text) => {
  expect(textOf(schema, value)).toBe(text);
  expect(backOf(schema, text)).toStrictEqual(value);
});

test("a property that is there and undefined comes back so", () => {
  const schema = z.object({ a: z.optional(z.string()), b: z.union([z.string(), z.undefined()]) });
  for (const value of [{ b: undefined }, { a: undefined, b: "x" }, { a: "y", b: "x" }]) {
    expect(backOf(schema, textOf(schema, value))).toStrictEqual(value);
  }
  // What is written by hand may leave it out.
  expect(backOf(schema, "{}")).toStrictEqual({ b: undefined });
});

test("what the type does not have is dropped, and nothing reaches a prototype", () => {
  const schema = z.object({ a: z.string() });
  const given = Object.assign(Object.create({ inherited: 1 }), { a: "x", more: 1 }) as object;
  expect(textOf(schema, given)).toBe('{"a":"x"}');
  expect(backOf(schema, '{"a":"x","__proto__":{"polluted":true}}')).toStrictEqual({ a: "x" });
  const open = z.record(z.string(), z.object({ polluted: z.boolean() }));
  const odd = JSON.parse('{"__proto__":{"polluted":true}}') as object;
  const back = backOf(open, textOf(open, odd)) as object;
  expect(Object.keys(back)).toEqual(["__proto__"]);
  expect((back as { polluted?: boolean }).polluted).toBeUndefined();
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  // A key that objects inherit is not there for that.
  const named = z.object({ constructor: z.optional(z.string()) });
  expect(textOf(named, {})).toBe("{}");
});

describe("what is refused says where, what was wanted, and what was found", () => {
  const schema = z.object({
    at: z.date(),
    tags: z.array(z.string()),
    shape: z.optional(shape),
    by: z.map(z.string(), z.number()),
  });
  const good = { at, tags: [], by: new Map() };
  test.each<[string, unknown, string]>([
    ["a text for a Date", { ...good, at: "2026" }, 'v.at must be a Date, and is the text "2026"'],
    [
      "an invalid Date",
      { ...good, at: new Date(NaN) },
      "v.at must be a Date, and is an invalid Date",
    ],
    ["missing", { tags: [] }, "v.at must be a Date, and is undefined"],
    ["an item", { ...good, tags: ["a", 1] }, "v.tags[1] must be a text, and is the number 1"],
    ["a hole", { ...good, tags: [, "a"] }, "v.tags[0] must be a text, and is undefined"],
    ["a function", { ...good, at: () => 1 }, "v.at must be a Date, and is a function"],
    [
      "an unknown kind",
      { ...good, shape: { kind: "star" } },
      'v.shape.kind must be "circle" or "box", and is the text "star"',
    ],
    [
      "a part of a member",
      { ...good, shape: { kind: "box", w: "1" } },
      "v.shape.w must be a number",
    ],
    ["a value of a Map", { ...good, by: new Map([["a", "b"]]) }, "v.by[0][1] must be a number"],
    ["an array", [], "v must be an object, and is an array"],
    ["undefined", undefined, "v must be an object, and is undefined"],
  ])("%s", (_name, value, message) => {
    expect(() => textOf(schema, value)).toThrow(message);
    expect(() => textOf(schema, value)).toThrow(expect.objectContaining({ code: "value-invalid" }));
  });

  test("what was stored by another type", () => {
    const wrong = () => backOf(schema, '{"at":"no date","tags":[],"by":[]}');
    expect(wrong).toThrow('v.at must be a Date, as text, and was stored as the text "no date"');
    expect(wrong).toThrow(expect.objectContaining({ code: "value-unreadable" }));
    expect(() => backOf(schema, "{")).toThrow("v must be JSON");
  });

  test("what is too deep, contains itself, or is too large", () => {
    const self: Tree = { value: at, children: [] };
    self.children.push(self);
    expect(() => textOf(tree, self)).toThrow("nested at most 500 deep");
    let deep = "[]";
    for (let level = 0; level < 100_000; level++) deep = `[{"value":"2026","children":${deep}}]`;
    expect(() => backOf(tree, `{"value":"2026","children":${deep}}`)).toThrow(
      /nested at most|v must be JSON/,
    );
    expect(() => textOf(z.string(), "x".repeat(SIZE_LIMIT))).toThrow("at most 16777216 characters");
  });
});

describe("without a schema", () => {
  test.each<[string, unknown, string]>([
    ["NaN", NaN, "v must be a JSON value, and is the number NaN"],
    ["-0", { a: -0 }, "v.a must be a JSON value, and is the number -0"],
    ["a Date", { "a-b": [new Date(0)] }, 'v["a-b"][0] must be a JSON value, and is a Date'],
    ["undefined in an array", [undefined], "v[0] must be a JSON value, and is undefined"],
    ["toJSON", { toJSON: () => 1 }, "v must be a JSON value, and is an object"],
  ])("%s is refused", (_name, value, message) => {
    expect(() => encode(json, value, "v")).toThrow(message);
  });

  test("JSON comes back as it was", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        fc.pre(
          !JSON.stringify(value, (_k, v: unknown) => (Object.is(v, -0) ? "-0" : v)).includes(
            '"-0"',
          ),
        );
        expect(decode(json, encode(json, value, "v"), "v")).toEqual(value);
      }),
    );
  });
});

test("errors come back with their causes and properties, whatever was thrown", () => {
  const cause = Object.assign(new RangeError("deep"), { code: "E_DEEP" });
  const error = reviveError(recordError(new TypeError("top", { cause })));
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: "TypeError",
    message: "top",
    cause: { name: "RangeError", code: "E_DEEP" },
  });
  expect(reviveError(recordError("just text")).message).toBe("just text");
  const bad = {
    get message(): string {
      throw new Error("no");
    },
  };
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const thrown of [undefined, null, 7n, Symbol("s"), cycle, bad]) {
    expect(reviveError(recordError(thrown)).message).toEqual(expect.any(String));
  }
});
