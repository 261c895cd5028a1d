/** The hash of a saga: what changes it, and what does not. Models are written by hand. */
import { describe, expect, test } from "vitest";
import { analyse } from "../../compiler/analysis/passes.js";
import { hashOf } from "../../compiler/emit/hash.js";
import type { CodePart, SagaModel } from "../../compiler/model.js";
import { SagaBuilder, sourceOf } from "./models.js";

const retry = { attempts: 5, delayMs: 1, factor: 2, maxDelayMs: 9, jitter: true };

interface Variation {
  readonly trip?: string;
  readonly input?: string;
  readonly second?: Parameters<SagaBuilder["action"]>[2];
  readonly output?: string;
  readonly local?: string;
}

/** A saga with one action, one glue statement, one more action. */
function vary({ trip, input, second = {}, output, local = "trip" }: Variation = {}): SagaModel {
  return new SagaBuilder()
    .action("hotel", [input ?? "$params.hotel, { a: 'it', list: [1, 2] }"])
    .glue(local, trip ?? "{ $$hotel, price: $hotel.price * 2 }")
    .action("receipt", [`$${local}`], second)
    .saga(output ?? `$${local}.price`);
}

const original = hashOf(vary());

describe("does not change the hash", () => {
  const same: Readonly<Record<string, Variation>> = {
    "white space": { trip: "{\n  $$hotel,\n  price: $hotel.price*2 }" },
    "a trailing comma": { trip: "{ $$hotel, price: $hotel.price * 2, }" },
    quotes: { input: '$params.hotel, { a: "it", list: [1, 2,] }' },
    "quotes around a key": { input: '$params.hotel, { "a": "it", "list": [1, 2] }' },
    "parentheses around a whole": { trip: "({ $$hotel, price: ($hotel.price * 2) })" },
    "the name of a local variable": { local: "journey" },
    "a retry policy": { second: { retry } },
    "a timeout": { second: { timeoutMs: 1000 } },
  };
  test.each(Object.entries(same))("%s", (_, variation) => {
    expect(hashOf(vary(variation))).toBe(original);
  });

  test("parentheses around the one parameter of an arrow function", () => {
    const arrow = (text: string): string => hashOf(vary({ trip: text }));
    expect(arrow("$hotel.xs.map((x) => x + 1)")).toBe(arrow("$hotel.xs.map(x => (x + 1))"));
  });

  test("a semicolon", () => {
    const block = (text: string): string => hashOf(vary({ trip: text }));
    expect(block("f(() => { return $hotel; })")).toBe(block("f(() => { return $hotel })"));
  });

  test("where the file is, and where in the file", () => {
    const moved = { ...vary(), file: "/elsewhere/x.ts", span: { file: "x", start: 9, end: 10 } };
    expect(hashOf(moved)).toBe(original);
  });

  test("another saga of the source", () => {
    const [one] = analyse([sourceOf(vary(), new SagaBuilder("other").saga())], () => {});
    expect(one?.sagas[0] && hashOf(one.sagas[0])).toBe(original);
  });
});

describe("changes the hash", () => {
  const others: Readonly<Record<string, Variation>> = {
    "an operator in glue": { trip: "{ $$hotel, price: $hotel.price + 2 }" },
    "a text": { input: "$params.hotel, { a: 'It', list: [1, 2] }" },
    "white space in a text": { input: "$params.hotel, { a: 'i t', list: [1, 2] }" },
    "white space in a template": { input: "$params.hotel, { a: `i t`, list: [1, 2] }" },
    "parentheses that bind": { trip: "{ $$hotel, price: ($hotel.price + 1) * 2 }" },
    "a hole in an array": { input: "$params.hotel, { a: 'it', list: [1, , 2] }" },
    "which output is read": { input: "$params, { a: 'it', list: [1, 2] }" },
    "the action": { second: { method: "otherwise" } },
    "the undo": { second: { undo: "none" } },
    "the order": { second: { after: [] } },
    "what is returned": { output: "$trip" },
  };
  test.each(Object.entries(others))("%s", (_, variation) => {
    expect(hashOf(vary(variation))).not.toBe(original);
  });

  test("when an undo is due", () => {
    const undo = (when: "started" | undefined): string => {
      const { undo } = { undo: { method: "u", span: vary().span, when, retry, timeoutMs: 1 } };
      return hashOf(vary({ second: { undo } }));
    };
    expect(undo("started")).not.toBe(undo(undefined));
  });

  test("the saga's name, a node's name, an additional node, the embedded saga", () => {
    const hashes = [
      vary(),
      { ...vary(), name: "Other.name" },
      new SagaBuilder().action("a", []).saga(),
      new SagaBuilder().action("b", [], { method: "do_a" }).saga(),
      new SagaBuilder().action("a", []).action("b", []).saga(),
      new SagaBuilder().subsaga("sub", new SagaBuilder("x").action("a", []).saga(), "1").saga(),
      new SagaBuilder().subsaga("sub", new SagaBuilder("x").action("b", []).saga(), "1").saga(),
      new SagaBuilder().subsaga("sub", new SagaBuilder("x").saga(), "1", ["servers"]).saga(),
      new SagaBuilder().subsaga("sub", new SagaBuilder("x").saga(), "1", ["others"]).saga(),
    ].map((saga) => hashOf(saga));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test("from which of two files something of one name is imported", () => {
    const text = (first: string, second: string, folder = "."): string => {
      const external = (name: string): CodePart => {
        const from = { kind: "import", module: `${folder}/${name}.js`, imported: "f" } as const;
        const whole = { ...from, attributes: undefined };
        return {
          external: { name, file: "/project/x.ts", from: whole, typeOnly: false },
          shorthand: false,
        };
      };
      const parts = [external(first), "(", external(second), "(1))"];
      const saga = new SagaBuilder().compute("made", "1").saga();
      const nodes = saga.nodes.map((node) =>
        node.kind === "compute" ? { ...node, code: { ...node.code, parts } } : node,
      );
      return hashOf({ ...saga, nodes });
    };
    expect(new Set([text("a", "b"), text("b", "a"), text("a", "a")]).size).toBe(3);
    expect(text("b", "b")).toBe(text("a", "a"));
    expect(text("a", "b", "./moved")).toBe(text("a", "b"));
  });

  test("a semicolon that keeps two statements apart", () => {
    const block = (text: string): string => hashOf(vary({ trip: `f(() => { ${text} })` }));
    expect(block("t = f; (g(2));")).not.toBe(block("t = f(g(2));"));
    expect(block("if (a) return; g(2);")).not.toBe(block("if (a) return g(2);"));
    expect(block("if (a); g(2);")).not.toBe(block("if (a) g(2);"));
    expect(block("for (; a; b) c();")).not.toBe(block("for (a; b; ) c();"));
    expect(block("a(); b();")).toBe(block("a()\nb()"));
  });

  test("a template as against two texts", () => {
    const one = hashOf(vary({ trip: "`${$hotel.a} ${$hotel.b}`" }));
    expect(one).not.toBe(hashOf(vary({ trip: "`${$hotel.a}  ${$hotel.b}`" })));
    expect(one).toBe(hashOf(vary({ trip: "`${ ($hotel.a) } ${$hotel.b}`" })));
  });
});

describe("conditions, values by path and inner graphs are in the hash", () => {
  const inner = (method: string): SagaModel => new SagaBuilder().action("x", [], { method }).saga();
  const decided = (...when: readonly (readonly [string, string, true?])[]): SagaBuilder =>
    new SagaBuilder()
      .decision("if:a", "$params.a ? 'then' : 'else'")
      .action("one", [])
      .when(...when);
  const chosen = (arm: string, other: string): SagaModel => {
    const builder = decided();
    const first = { when: [{ decision: "if:a", arm }], code: builder.code("$one") };
    builder.variable("x", {
      kind: "choice",
      alternatives: [first, { when: [], code: builder.code(other) }],
      type: undefined,
    });
    return builder.saga("$x");
  };
  const variants: Readonly<Record<string, SagaModel>> = {
    "no condition": decided().saga(),
    "a condition": decided(["if:a", "then"]).saga(),
    "another arm": decided(["if:a", "else"]).saga(),
    "the opposite of an arm": decided(["if:a", "then", true]).saga(),
    "a conditional wait": decided()
      .action("b", [], { after: [{ node: "one", when: [{ decision: "if:a", arm: "then" }] }] })
      .saga(),
    "the wait without its condition": decided().action("b", []).saga(),
    "a value by path": chosen("then", "1"),
    "a value by another path": chosen("else", "1"),
    "another value by path": chosen("then", "2"),
    "a map": new SagaBuilder().loop("map", "m", "[]", inner("y")).saga(),
    "a loop": new SagaBuilder().loop("loop", "m", "[]", inner("y")).saga(),
    "a map with another action": new SagaBuilder().loop("map", "m", "[]", inner("z")).saga(),
    "a map of another list": new SagaBuilder().loop("map", "m", "[1]", inner("y")).saga(),
    "an exit": new SagaBuilder()
      .loop("loop", "m", "[]", { ...inner("y"), exits: [{ to: "break", when: [] }] })
      .saga(),
    "a scope": new SagaBuilder().scope("m", inner("y"), inner("z")).saga(),
    "a scope the other way round": new SagaBuilder().scope("m", inner("z"), inner("y")).saga(),
  };

  test("and all of them differ", () => {
    const hashes = new Map(Object.entries(variants).map(([name, saga]) => [hashOf(saga), name]));
    const lost = Object.keys(variants).filter((name) => ![...hashes.values()].includes(name));
    expect(lost).toEqual([]);
  });
});
