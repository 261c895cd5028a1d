/**
 * The JSON Schemas of random types beside the codecs: what a codec writes is valid, and of any other JSON
 * a schema says what the codec does. `ajv` judges.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jsonSchemaOf } from "../../compiler/emit/json-schema.js";
import { decodeJson, encode } from "../../runtime/codec.js";
import type { Codec } from "../../runtime/codec/codec.js";
import { Codecs } from "../../runtime/codec/compile.js";
import { Batch, load } from "../oracle/compile.js";
import { randomOf, randomType, type RandomType } from "./random-type.js";

const SEED = 20261126;
const TYPES = Number(process.env["TYPES"] ?? 60);

/** What random types may not have enough of. */
const CHOSEN: readonly string[] = [
  "undefined",
  "{ a?: Date; b: string | null | undefined; c: undefined }",
  "{ at: Date | string | bigint; by: Map<string, Set<number>> | string[] }",
  '{ kind: "card"; id: 1n } | { kind: "cash"; at?: URL }',
  '{ kind: null } | { kind: "a"; a: null }',
  "{ a: string } | { b: number } | { $: string; value: number }",
  "Record<string, number | undefined> | { at: Date } | number",
  "{ [key: number]: string; 1: 'one' }",
  "{ [key: `x-${number}`]: Date; plain: boolean }",
  "[string, Date?, ...(number | Date)[]]",
  "Tree",
  "Json",
];

const DECLARED = `export interface Tree { label: string; next?: Tree; among: Map<string, Tree> | null }
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };`;

interface Case extends Pick<RandomType, "text" | "declared"> {
  readonly values?: fc.Arbitrary<unknown>;
}

const cases: readonly Case[] = [
  ...CHOSEN.map((text) => ({ text, declared: [DECLARED] })),
  ...Array.from({ length: TYPES }, (_, index) => randomType(randomOf(SEED + index), 3)),
];

let batch: Batch;
beforeAll(() => {
  batch = new Batch(
    cases.map(
      ({ text, declared }) => `import { action, saga } from "steno-runtime";
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
`,
    ),
  );
});
afterAll(() => batch.close());

/** Formats as the runtime reads them; only own properties are there, as for the runtime. */
const ajv = new Ajv2020({
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  ownProperties: true,
  formats: {
    "date-time": (text: string) => !Number.isNaN(new Date(text).getTime()),
    uri: (text: string) => URL.canParse(text),
  },
});

interface Judged {
  readonly codec: Codec;
  readonly valid: (json: unknown) => boolean;
}

async function judgesOf(index: number): Promise<Judged> {
  const result = batch.results[index];
  const saga = result?.model?.sagas[0];
  if (result === undefined || saga === undefined) {
    throw new Error(`${cases[index]?.text}: ${JSON.stringify(result?.diagnostics)}`);
  }
  const { main } = await load(result);
  const schema = main.spec.schemas?.params;
  if (schema === undefined) throw new Error(`${cases[index]?.text} has no schema`);
  const valid = ajv.compile(jsonSchemaOf(saga.params));
  return { codec: new Codecs().of(schema), valid: (json) => valid(json) };
}

function accepts(codec: Codec, json: unknown): boolean {
  try {
    decodeJson(codec, json, "v");
    return true;
  } catch {
    return false;
  }
}

/** What a schema cannot say: where elements after a rest are. What `ajv` leaves out: `__proto__`. */
function isExact({ text, declared }: Case): boolean {
  const all = [text, ...declared].join("\n");
  return !all.includes("__proto__") && !/\.\.\.\(.*\)\[\], /.test(all);
}

/** JSON near to that of types: pieces of what codecs write, put together in other ways. */
function jsonNear(stored: readonly unknown[]): fc.Arbitrary<unknown> {
  const pieces = fc.constantFrom(...stored.flatMap(piecesOf), null, true, 0, "", "a", "7");
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { weight: 5, arbitrary: pieces },
      { weight: 1, arbitrary: fc.array(tie("json"), { maxLength: 3 }) },
      { weight: 2, arbitrary: fc.dictionary(key, tie("json"), { maxKeys: 3 }) },
      {
        weight: 2,
        arbitrary: fc.record({ $: tag, value: tie("json") }, { requiredKeys: ["$"] }),
      },
    ),
  }));
  return json as fc.Arbitrary<unknown>;
}
const key = fc.constantFrom("a", "b", "kind", "odd key", "value", "at", "label", "among", "1", "$");
const tag = fc.constantFrom("number", "Date", "undefined", "bigint", "Map", "Set", "object", "1");

function piecesOf(json: unknown): unknown[] {
  if (typeof json !== "object" || json === null) return [json];
  const entries = Object.entries(json);
  const without = Array.isArray(json)
    ? [json.slice(1), [...(json as unknown[]), 1]]
    : entries.map(([name]) => Object.fromEntries(entries.filter(([other]) => other !== name)));
  return [json, ...without, ...entries.flatMap(([, part]) => piecesOf(part))];
}

/** JSON that codecs of the other types wrote, as a store has it. */
function sample(values: fc.Arbitrary<unknown>, codec: Codec): unknown[] {
  return fc.sample(values, { seed: SEED, numRuns: 12 }).map((value) => {
    const text = encode(codec, value, "v");
    return text === undefined ? null : (JSON.parse(text) as unknown);
  });
}

test("what is stored is valid, and what a schema says of any JSON is what the codec does", async () => {
  const judges = await Promise.all(cases.map((_, index) => judgesOf(index)));
  const stored = cases.map(({ values }, index) =>
    values === undefined ? [] : sample(values, (judges[index] as Judged).codec),
  );
  let [valid, refused] = [0, 0];
  for (const [index, each] of cases.entries()) {
    const { codec, valid: isValid } = judges[index] as Judged;
    for (const json of stored[index] ?? []) {
      if (!isValid(json)) throw new Error(`${each.text} refuses ${JSON.stringify(json)}`);
    }
    const other = stored[(index * 7 + 1) % cases.length] ?? [];
    fc.assert(
      fc.property(jsonNear([...(stored[index] ?? []), ...other]), (json) => {
        const accepted = accepts(codec, json);
        if (accepted || isExact(each)) {
          const said = JSON.stringify(json);
          expect(isValid(json), `${each.text} of ${said}`).toBe(accepted);
        }
        if (accepted) valid += 1;
        else refused += 1;
      }),
      { seed: SEED, numRuns: 100 },
    );
  }
  expect(valid).toBeGreaterThan(cases.length * 5);
  expect(refused).toBeGreaterThan(cases.length * 5);
});
