/**
 * Random types and random values of them: through the compiler, `tsc`, and the codecs, each value comes
 * back as what it was, and what is no value is refused.
 */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decode, encode } from "../../runtime/codec.js";
import { Codecs } from "../../runtime/codec/compile.js";
import { recordError, reviveError } from "../../runtime/codec/recorded-error.js";
import { validate } from "../../runtime/codec/standard-schema.js";
import { Batch, load, type Result } from "../oracle/compile.js";
import { randomOf, randomType, type RandomType } from "./random-type.js";

interface Failed extends Error {
  readonly value: unknown;
  readonly maybe?: unknown;
}

const SEED = 20261125;
const TYPES = Number(process.env["TYPES"] ?? 60);

function programOf({ text, declared }: RandomType): string {
  return `import { action, saga, type StandardResult, type StandardSchema } from "steno-runtime";
${[...new Set(declared)].join("\n")}
export type Value = ${text};
export class Failed extends Error {
  readonly value!: Value;
  maybe?: Value;
}
export const hook: { validate: (value: unknown) => unknown } = { validate: (value) => ({ value }) };
export const Own: StandardSchema<{ own: Value }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => hook.validate(value) as StandardResult<{ own: Value }>,
  },
};
export class Program {
  @action({ undo: "none" })
  async echo(value: Value): Promise<Value> {
    return value;
  }
  @action({ undo: "none", errors: [Failed], output: Own })
  async check(): Promise<unknown> {
    return 1;
  }
  @saga
  async main(params: Value): Promise<Value> {
    await this.check();
    return await this.echo(params);
  }
}
`;
}

const types = Array.from({ length: TYPES }, (_, index) => randomType(randomOf(SEED + index), 3));
let batch: Batch;
beforeAll(() => {
  batch = new Batch(types.map(programOf));
});
afterAll(() => batch.close());

test("tsc finds each schema to be exactly that of its type", () => {
  const refused = batch.results.flatMap(({ diagnostics, text }) =>
    diagnostics
      .filter(({ severity }) => severity === "error")
      .map(({ message }) => `${message}\n${text}`),
  );
  expect(refused).toEqual([]);
  expect(batch.typeErrors()).toEqual([]);
});

test("values come back as what they were, and what is no value is refused", async () => {
  let refused = 0;
  for (const [index, type] of types.entries()) {
    const result = batch.results[index];
    if (result === undefined) throw new Error(`there is no type ${index}`);
    const { main } = await load(result);
    const schema = main.spec.schemas?.params;
    if (schema === undefined) throw new Error(`${type.text} has no schema`);
    const codec = new Codecs().of(schema);
    const other = types[(index * 7 + 1) % types.length] as RandomType;
    fc.assert(
      fc.property(type.values, (value) => {
        const back = decode(codec, encode(codec, value, "v"), "v");
        expectSame(back, value);
      }),
      { seed: SEED, numRuns: 30 },
    );
    fc.assert(
      fc.property(other.values, (value) => {
        if (type.is(value)) return void encode(codec, value, "v");
        refused += 1;
        expect(() => encode(codec, value, "v"), type.text).toThrow(
          expect.objectContaining({ code: "value-invalid" }),
        );
      }),
      { seed: SEED, numRuns: 10 },
    );
  }
  expect(refused).toBeGreaterThan(types.length);
});

test("the data of a declared error comes back as what it was; without it, it is no instance", async () => {
  for (const [index, type] of types.entries()) {
    const { main } = await load(batch.results[index] as Result);
    const { Failed } = main.spec.errors as unknown as { readonly Failed: new () => Failed };
    const data = new Codecs().of(main.spec.errorData?.["Failed"] as never);
    const classes = new Map([["Failed", { made: Failed, data }]]);
    const back = (value: unknown, maybe: Pick<Failed, "maybe">): Failed => {
      const error = Object.assign(new Failed(), { value, ...maybe });
      return reviveError(recordError(error, classes), classes) as Failed;
    };
    fc.assert(
      fc.property(type.values, fc.boolean(), (value, both) => {
        const error = back(value, both ? { maybe: value } : {});
        expect(error).toBeInstanceOf(Failed);
        expectSame(error.value, value);
        expectSame(error.maybe, both ? value : undefined);
      }),
      { seed: SEED, numRuns: 10 },
    );
    const other = types[(index * 7 + 1) % types.length] as RandomType;
    fc.assert(
      fc.property(other.values, (value) => {
        const error = back(value, {});
        if (type.is(value)) expect(error).toBeInstanceOf(Failed);
        else expect(error).toMatchObject({ notRevived: expect.stringContaining(".value") });
      }),
      { seed: SEED, numRuns: 10 },
    );
  }
});

test("what a user's own schema gives comes back as that, and what it refuses is refused", async () => {
  for (const [index, type] of types.entries()) {
    const { main, exports } = await load(batch.results[index] as Result);
    const { check, output } = main.spec.schemas?.actions?.["check"] ?? {};
    if (check === undefined || output === undefined) throw new Error(`no schema: ${type.text}`);
    const codec = new Codecs().of(output);
    const { hook } = exports as { readonly hook: { validate: (value: unknown) => unknown } };
    hook.validate = (value) =>
      type.is(value) ? { value: { own: value } } : { issues: [{ message: "no", path: ["own"] }] };
    const other = types[(index * 7 + 1) % types.length] as RandomType;
    const made = (value: unknown): unknown =>
      decode(codec, encode(codec, validate(check, value, "it"), "it"), "it");
    fc.assert(
      fc.property(type.values, (value) => expectSame(made(value), { own: value })),
      { seed: SEED, numRuns: 10 },
    );
    fc.assert(
      fc.property(other.values, (value) => {
        // What its type does not have is dropped.
        if (type.is(value)) made(value);
        else expect(() => made(value)).toThrow("it.own: no");
      }),
      { seed: SEED, numRuns: 10 },
    );
  }
});

/** Vitest's own comparison is slower, and takes a property `constructor` for what it is not. */
function expectSame(found: unknown, value: unknown): void {
  if (!isDeepStrictEqual(found, value)) expect(found).toStrictEqual(value);
}
