/**
 * Names in generated code, on models written by hand: two things of one name, names that are taken,
 * patterns with parts that nobody needs. The text of each function is compared as it is printed.
 */
import { describe, expect, test } from "vitest";
import { format } from "../../compiler/emit/format.js";
import { printModule } from "../../compiler/emit/module.js";
import type { CodePart, External, SagaModel } from "../../compiler/model.js";
import { SagaBuilder, sourceOf } from "./models.js";

/** The module, formatted, without what is the same in each. */
async function printed(...sagas: readonly SagaModel[]): Promise<string> {
  return format(printModule(sourceOf(...sagas)));
}

const imported = (name: string, module: string, file = "/project/src/book-trip.ts"): External => ({
  name,
  typeOnly: false,
  file,
  from: { kind: "import", module, imported: name, attributes: undefined },
});

/** The saga with one more part in the code of its output. */
function withPart(saga: SagaModel, ...parts: readonly CodePart[]): SagaModel {
  const code = saga.outputs[0]?.code;
  if (code === undefined) throw new Error("the saga returns something");
  return { ...saga, outputs: [{ when: [], code: { ...code, parts: [...code.parts, ...parts] } }] };
}

describe("names", () => {
  test("two variables of one name are told apart, and a shorthand keeps its key", async () => {
    const builder = new SagaBuilder().action("a", []).action("b", []).glue("x", "$a.id");
    builder.glue("first", "{ $$x }").glue("x", "$b.id");
    const text = await printed(builder.saga("{ $$first, $$x }"));
    expect(text).toContain("const x = a.id;\n    const first = { x };\n    const x2 = b.id;");
    expect(text).toContain("return { first, x: x2 };");
  });

  test("a variable gives way to a global that its function refers to", async () => {
    const saga = new SagaBuilder().action("Math", []).saga("Math.max($Math, 1)");
    expect(await printed(saga)).toContain("({ Math: Math2 }: BookTripValues)");
  });

  test("words in texts, members and keys are no names that are taken", async () => {
    const saga = new SagaBuilder()
      .action("hotel", [])
      .saga('{ hotel: $hotel, text: `hotel ${$hotel.hotel} "`, more: "hotel" + $hotel }');
    expect(await printed(saga)).toContain("({ hotel }: BookTripValues)");
  });

  test("a node whose name is no identifier, or reserved", async () => {
    const builder = new SagaBuilder().action("reserve-2", []).action("delete", []);
    const one = builder.variable("reserve-2", { kind: "node", node: "reserve-2" });
    const two = builder.variable("delete", { kind: "node", node: "delete" });
    const parts = [
      ", ",
      { variable: one, shorthand: false },
      ", ",
      { variable: two, shorthand: false },
    ];
    const saga = builder.saga("f(0");
    const text = await printed(withPart(saga, ...parts, ")"));
    expect(text).toMatch(/"reserve-2": reserve2,\s+delete: delete2,/);
    expect(text).toContain("f(0, reserve2, delete2)");
  });

  test("`self` gives way", async () => {
    const saga = new SagaBuilder()
      .action("self", [])
      .compute("x", "$self.id + $this.agency")
      .saga();
    expect(await printed(saga)).toMatch(/\(\{ self \}: BookTripValues, self2: BookTrip\)/);
    expect(await printed(saga)).toContain('self.id + self2["agency"]');
  });

  test("imports of one name from two files are told apart, and found from where the module is", async () => {
    const base = new SagaBuilder().action("a", []).saga("[");
    const saga = withPart(
      base,
      { external: imported("find", "./here.js"), shorthand: false },
      ", ",
      { external: imported("find", "./there.js", "/project/lib/deep/other.ts"), shorthand: false },
      "]",
    );
    const text = await printed(saga);
    expect(text).toContain('import { find } from "./here.js";');
    expect(text).toContain('import { find as find2 } from "../lib/deep/there.js";');
    expect(text).toContain("[find, find2]");
  });

  test("an import gives way to what the module itself must be called", async () => {
    const base = new SagaBuilder("Output").action("a", []).saga("{");
    const saga = withPart(base, { external: imported("bookTrip", "x"), shorthand: true }, "}");
    const text = await printed(saga, new SagaBuilder("bookTrip").saga());
    expect(text).toContain("bookTrip as bookTrip2");
    expect(text).toContain("export const bookTrip:");
    expect(text).toContain("type Output as Output2");
    expect(text).toContain("export const Output:");
  });
});

describe("patterns", () => {
  test("what nobody needs is left out", async () => {
    const builder = new SagaBuilder().action("a", []);
    builder.destructure("$a", (declare) => ({
      kind: "object",
      properties: [
        { key: "id", target: { kind: "variable", variable: declare("id") }, fallback: undefined },
        { key: "no", target: { kind: "variable", variable: declare("no") }, fallback: undefined },
        {
          key: "list",
          target: {
            kind: "array",
            elements: [
              { target: { kind: "variable", variable: declare("one") }, fallback: undefined },
              { target: { kind: "variable", variable: declare("two") }, fallback: undefined },
              { target: { kind: "variable", variable: declare("end") }, fallback: undefined },
            ],
            rest: undefined,
          },
          fallback: undefined,
        },
      ],
      rest: undefined,
    }));
    expect(await printed(builder.saga("[$id, $two]"))).toContain(
      "const {\n      id,\n      list: [, two],\n    } = a;",
    );
  });

  test("a rest keeps its siblings, since they are what it leaves out", async () => {
    const builder = new SagaBuilder().action("a", []);
    builder.destructure("$a", (declare) => ({
      kind: "object",
      properties: [
        { key: "id", target: { kind: "variable", variable: declare("id") }, fallback: undefined },
      ],
      rest: declare("others"),
    }));
    expect(await printed(builder.saga("$others"))).toContain("const { id, ...others } = a;");
  });
});

test("a body that begins with a brace, or holds a comma, stays what it is", async () => {
  const saga = new SagaBuilder().compute("object", "{}").compute("last", "f(), g()").saga("$last");
  const text = await printed(saga);
  expect(text).toContain("const computeObject = () => ({});");
  expect(text).toContain("const computeLast = () => (f(), g());");
});
