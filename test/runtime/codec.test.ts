/** What JSON cannot hold as it is, is refused with its path; the rest comes back as it was. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decode, decodeInputs, encode, encodeInputs } from "../../runtime/codec.js";
import { recordError, reviveError } from "../../runtime/recorded-error.js";

class Money {}
const cycle: { self?: unknown } = {};
cycle.self = cycle;

test.each<[string, unknown, string]>([
  ["NaN", NaN, "v is the number NaN"],
  ["-0", { a: -0 }, "v.a is the number -0"],
  ["bigint", [1n], "v[0] is a bigint"],
  ["function", { f: () => 1 }, "v.f is a function"],
  ["symbol", { "a-b": Symbol("x") }, 'v["a-b"] is a symbol'],
  ["date", { d: new Date() }, "v.d is an instance of Date"],
  ["map", new Map(), "v is an instance of Map"],
  ["class", [[new Money()]], "v[0][0] is an instance of Money"],
  ["cycle", cycle, "v.self is an object that contains itself"],
  ["toJSON", { toJSON: () => 1 }, "v is an object with a method toJSON"],
  ["hole", [1, , 2], "v[1] is a hole in an array"],
  ["undefined in an array", [undefined], "v[0] is undefined in an array"],
])("%s is refused", (_name, value, message) => {
  expect(() => encode(value, "v")).toThrow(message);
  expect(() => encode(value, "v")).toThrow(expect.objectContaining({ code: "value-not-json" }));
});

test("JSON values come back as they were", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      fc.pre(
        !JSON.stringify(value, (_k, v: unknown) => (Object.is(v, -0) ? "-0" : v)).includes('"-0"'),
      );
      expect(decode(encode(value, "v"))).toEqual(value);
    }),
  );
  expect(encode(undefined, "v")).toBeUndefined();
  expect(decode(encode({ a: undefined, b: 1 }, "v"))).toEqual({ b: 1 });
  const odd = JSON.parse('{"__proto__": {"polluted": true}}') as object;
  expect(Object.keys(decode(encode(odd, "v")) as object)).toEqual(["__proto__"]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test("arguments may be undefined", () => {
  for (const inputs of [[], [1, "a"], [undefined, 1], [1, undefined], [undefined]]) {
    expect(decodeInputs(encodeInputs(inputs, "v"))).toEqual(inputs);
  }
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
  for (const thrown of [undefined, null, 7n, Symbol("s"), cycle, bad]) {
    expect(reviveError(recordError(thrown)).message).toEqual(expect.any(String));
  }
});
