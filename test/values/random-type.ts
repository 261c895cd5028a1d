/**
 * Random types: as TypeScript text, with random values of each, and with a test of its own for what is
 * a value of it. It shares nothing with the compiler nor with the codecs.
 */
import fc from "fast-check";

export interface RandomType {
  readonly text: string;
  /** Declarations that the text refers to. */
  readonly declared: readonly string[];
  readonly values: fc.Arbitrary<unknown>;
  readonly is: (value: unknown) => boolean;
}

/** Numbers from 0 up to a limit, from a seed. */
export type Random = (limit: number) => number;

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
const leaf = (
  text: string,
  values: fc.Arbitrary<unknown>,
  is: RandomType["is"],
  declared: readonly string[] = [],
): RandomType => ({ text, values, is, declared });

const LEAVES: readonly RandomType[] = [
  leaf("string", fc.string(), (value) => typeof value === "string"),
  leaf(
    "number",
    fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, -0)),
    (value) => typeof value === "number",
  ),
  leaf("boolean", fc.boolean(), (value) => typeof value === "boolean"),
  leaf("bigint", fc.bigInt(), (value) => typeof value === "bigint"),
  leaf("null", fc.constant(null), (value) => value === null),
  leaf("undefined", fc.constant(undefined), (value) => value === undefined),
  leaf(
    "Date",
    fc.date({ noInvalidDate: true }),
    (value) => tagOf(value) === "Date" && !Number.isNaN((value as Date).getTime()),
  ),
  leaf(
    "URL",
    fc.webUrl().map((url) => new URL(url)),
    (value) => tagOf(value) === "URL",
  ),
  leaf(
    "Uint8Array",
    fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
    (value) => tagOf(value) === "Uint8Array",
  ),
  leaf('("a" | 2 | "NaN")', fc.constantFrom("a", 2, "NaN"), (value) =>
    ["a", 2, "NaN"].includes(value as string),
  ),
  leaf("(true | 7n)", fc.constantFrom(true, 7n), (value) => value === true || value === 7n),
  leaf("Card", fc.string(), (value) => typeof value === "string", [
    'type Card = string & { readonly __brand: "Card" };',
  ]),
  leaf("Color", fc.constantFrom("red", "blue"), (value) => value === "red" || value === "blue", [
    'export enum Color { Red = "red", Blue = "blue" }',
  ]),
  leaf(
    "`id-${number}`",
    fc.integer().map((n) => `id-${n}`),
    (value) =>
      typeof value === "string" && /^id-./.test(value) && Number.isFinite(Number(value.slice(3))),
  ),
];

const KEYS = ["a", "b", "kind", "odd key", "$", "__proto__", "constructor", "value"];

export function randomType(random: Random, depth: number): RandomType {
  if (depth <= 0 || random(10) < 2) return LEAVES[random(LEAVES.length)] as RandomType;
  const inner = (): RandomType => randomType(random, depth - 1);
  const makers = [list, set, map, tuple, object, object, union, union, record, recursive, generic];
  return (makers[random(makers.length)] as Maker)(inner, random);
}

type Maker = (inner: () => RandomType, random: Random) => RandomType;

const list: Maker = (inner, random) => {
  const item = inner();
  return {
    ...item,
    text: random(2) === 0 ? `readonly (${item.text})[]` : `Array<${item.text}>`,
    values: fc.array(item.values, { maxLength: 4 }),
    is: (value) => Array.isArray(value) && Array.from(value).every(item.is),
  };
};

const set: Maker = (inner) => {
  const item = inner();
  return {
    ...item,
    text: `Set<${item.text}>`,
    values: fc.array(item.values, { maxLength: 4 }).map((items) => new Set(items)),
    is: (value) => tagOf(value) === "Set" && [...(value as Set<unknown>)].every(item.is),
  };
};

const map: Maker = (inner) => {
  const [key, item] = [inner(), inner()];
  return {
    text: `ReadonlyMap<${key.text}, ${item.text}>`,
    declared: [...key.declared, ...item.declared],
    values: fc
      .array(fc.tuple(key.values, item.values), { maxLength: 3 })
      .map((pairs) => new Map(pairs)),
    is: (value) =>
      tagOf(value) === "Map" &&
      [...(value as Map<unknown, unknown>)].every(([k, v]) => key.is(k) && item.is(v)),
  };
};

/** A required one, one that may be missing, and any number of a third. */
const tuple: Maker = (inner, random) => {
  const [first, second, rest] = [inner(), inner(), inner()];
  const declared = [first, second, rest].flatMap((each) => each.declared);
  if (random(2) === 0) {
    return {
      text: `[${first.text}, (${second.text})?]`,
      declared,
      values: fc.oneof(fc.tuple(first.values), fc.tuple(first.values, second.values)),
      is: (value) =>
        Array.isArray(value) &&
        (value.length === 1 || value.length === 2) &&
        first.is(value[0]) &&
        (value.length === 1 || value[1] === undefined || second.is(value[1])),
    };
  }
  return {
    text: `[${first.text}, ...(${rest.text})[], ${second.text}]`,
    declared,
    values: fc
      .tuple(first.values, fc.array(rest.values, { maxLength: 3 }), second.values)
      .map(([a, list, z]) => [a, ...list, z]),
    is: (value) =>
      Array.isArray(value) &&
      value.length >= 2 &&
      first.is(value[0]) &&
      value.slice(1, -1).every(rest.is) &&
      second.is(value.at(-1)),
  };
};

interface Part {
  readonly key: string;
  readonly optional: boolean;
  readonly type: RandomType;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return tagOf(value) === "Object";
}

function has(value: Record<string, unknown>, { key, optional, type }: Part): boolean {
  const found = Object.hasOwn(value, key) ? value[key] : undefined;
  return (found === undefined && optional) || type.is(found);
}

/** The value with its properties as own ones, `__proto__` too. */
function made(parts: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(parts);
}

function objectOf(parts: readonly Part[], text: (body: string) => string): RandomType {
  const body = parts
    .map(({ key, optional, type }) => `${JSON.stringify(key)}${optional ? "?" : ""}: ${type.text}`)
    .join("; ");
  const entries = parts.map(({ key, optional, type }) =>
    optional
      ? fc.option(
          type.values.map((value) => [key, value] as const),
          { nil: undefined },
        )
      : type.values.map((value) => [key, value] as const),
  );
  return {
    text: text(`{ ${body} }`),
    declared: parts.flatMap(({ type }) => type.declared),
    values: fc.tuple(...entries).map((found) => made(found.filter((each) => each !== undefined))),
    is: (value) => isPlain(value) && parts.every((part) => has(value, part)),
  };
}

function partsOf(inner: () => RandomType, random: Random, most: number): Part[] {
  const keys = new Set(Array.from({ length: random(most) + 1 }, () => KEYS[random(KEYS.length)]));
  return [...keys].map((key) => ({ key: key as string, optional: random(3) === 0, type: inner() }));
}

const object: Maker = (inner, random) => {
  const wraps = [
    (body: string) => body,
    (body: string) => `Readonly<${body}>`,
    (body: string) => `(${body} & unknown)`,
  ];
  return objectOf(partsOf(inner, random, 3), wraps[random(wraps.length)] as (b: string) => string);
};

const record: Maker = (inner, random) => {
  const item = inner();
  const known = random(3) === 0;
  return {
    ...item,
    text: known
      ? `({ [key: string]: ${item.text}; known: ${item.text} })`
      : `Record<string, ${item.text}>`,
    values: fc
      .tuple(
        fc.array(fc.tuple(fc.constantFrom(...KEYS), item.values), { maxLength: 3 }),
        item.values,
      )
      .map(([pairs, value]) => made(known ? [...pairs, ["known", value]] : pairs)),
    is: (value) =>
      isPlain(value) &&
      (!known || item.is(Object.hasOwn(value, "known") ? value["known"] : undefined)) &&
      Object.keys(value).every((key) => item.is(value[key])),
  };
};

const union: Maker = (inner, random) => {
  const members = Array.from({ length: random(3) + 2 }, inner);
  const told = random(3) === 0;
  const parts = told
    ? members.map((type, index) =>
        objectOf(
          [
            {
              key: "kind",
              optional: false,
              type: leaf(`"k${index}"`, fc.constant(`k${index}`), (value) => value === `k${index}`),
            },
            { key: "of", optional: random(2) === 0, type },
          ],
          (body) => body,
        ),
      )
    : members;
  return {
    text: `(${parts.map(({ text }) => text).join(" | ")})`,
    declared: parts.flatMap(({ declared }) => declared),
    values: fc.oneof(...parts.map(({ values }) => values)),
    is: (value) => parts.some((part) => part.is(value)),
  };
};

/** A tree, by itself or through another type. */
const recursive: Maker = (inner, random) => {
  const item = inner();
  const name = `Tree${random(1e9)}`;
  const isTree = (value: unknown): boolean =>
    isPlain(value) &&
    item.is(Object.hasOwn(value, "of") ? value["of"] : undefined) &&
    Array.isArray(value["branches"]) &&
    value["branches"].every(isTree) &&
    (!Object.hasOwn(value, "twig") ||
      value["twig"] === undefined ||
      value["twig"] === null ||
      isTree(value["twig"]));
  // By hand and not by `letrec`: nested two deep, and no deeper.
  const treesOf = (depth: number): fc.Arbitrary<unknown> => {
    if (depth === 0) return item.values.map((of) => ({ of, branches: [] }));
    const below = treesOf(depth - 1);
    return fc
      .tuple(item.values, fc.array(below, { maxLength: 2 }), fc.option(below), fc.boolean())
      .map(([of, branches, twig, has]) => ({ of, branches, ...(has && { twig }) }));
  };
  return {
    text: name,
    declared: [
      ...item.declared,
      `interface ${name} { of: ${item.text}; readonly branches: readonly ${name}[]; twig?: ${name} | null }`,
    ],
    values: treesOf(2),
    is: isTree,
  };
};

/** An instantiation, through a mapped and a conditional type. */
const generic: Maker = (inner) => {
  const item = inner();
  return {
    ...objectOf(
      [
        { key: "a", optional: false, type: item },
        { key: "b", optional: true, type: item },
      ],
      () => `Both<${item.text}>`,
    ),
    declared: [
      ...item.declared,
      'type Both<T> = { [K in "a" | "b" as K extends "a" ? K : never]: T } & { b?: T };',
    ],
  };
};
