/**
 * Random types and random values of them: through the compiler, `tsc`, and the codecs, each value comes
 * back as what it was, and what is no value is refused.
 */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decode, encode } from "../../runtime/codec.js";
import { Codecs } from "../../runtime/codec/compile.js";
import { Batch, load } from "../oracle/compile.js";
import { randomOf, randomType, type RandomType } from "./random-type.js";

const SEED = 20261125;
const TYPES = Number(process.env["TYPES"] ?? 60);

function programOf({ text, declared }: RandomType): string {
  return `import { action, saga } from "steno-runtime";
${[...new Set(declared)].join("\n")}
export type Value = ${text};
export class Program {
  @action({ undo: "none" })
  async echo(value: Value): Promise<Value> {
    return value;
  }
  @saga
  async main(params: Value): Promise<Value> {
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
        if (!isDeepStrictEqual(back, value)) expect(back).toStrictEqual(value);
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
