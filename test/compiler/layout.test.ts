/**
 * The layout of our own gives what prettier gives, to the byte, wherever it gives something: for all
 * modules of the fixtures, and for random code.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatByPrettier } from "../../compiler/emit/format.js";
import { layOut } from "../../compiler/emit/layout/index.js";

const WIDTH = 100;

describe("modules", () => {
  const folder = join(import.meta.dirname, "../fixtures/saga");
  const modules = readdirSync(folder).map((name) =>
    readFileSync(join(folder, name, "input.saga.ts"), "utf8"),
  );

  it("are laid out by us, nearly all of them", () => {
    const known = modules.filter((text) => layOut(text, WIDTH) !== undefined);
    expect(known.length).toBeGreaterThan(modules.length * 0.75);
  });

  it("are left as they are once laid out", () => {
    for (const text of modules) expect(layOut(text, WIDTH) ?? text).toBe(text);
  });
});

// --- random code

const name = fc.constantFrom("a", "box", "weight", "shipmentOfTheCustomer", "params", "$x");
const leaf = fc.oneof(
  name,
  name,
  fc.constantFrom("1", "42", "1.5", "60_000", "true", "null", "undefined"),
  fc.constantFrom(
    `"text"`,
    `'it'`,
    `"it's"`,
    `'say "a"'`,
    `"a\\n\\"b"`,
    "`n-${a}`",
    "`${box.id}/${a}`",
  ),
);
const operator = fc.constantFrom(..."+ - * / % === !== == < > <= >= && || ?? & | ^ <<".split(" "));
const type = fc.constantFrom(
  "Room",
  `Parameters<Rooms["book"]>[0]`,
  "string | undefined",
  "readonly string[]",
  "{ readonly id: string; size?: number }",
  `Map<string, Awaited<ReturnType<Rooms["bookAll"]>>>`,
  "(room: Room) => boolean",
  "`room-${string}/${number}`",
);
const break_ = fc.constantFrom("", "", " ", "\n");

const { expression } = fc.letrec<{
  expression: string;
  body: string;
  entry: string;
  block: string;
}>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small", withCrossShrink: true, maxDepth: 6 },
    leaf,
    fc.tuple(tie("expression"), operator, tie("expression")).map((parts) => parts.join(" ")),
    tie("expression").map((inner) => `(${inner})`),
    tie("expression").map((inner) => `!(${inner})`),
    fc.tuple(tie("expression"), type).map(([inner, as]) => `(${inner}) as ${as}`),
    fc.tuple(tie("expression"), type).map(([inner, as]) => `(${inner}) satisfies ${as}`),
    fc
      .tuple(tie("expression"), tie("expression"), tie("expression"))
      .map(([test, yes, no]) => `(${test}) ? (${yes}) : (${no})`),
    fc.tuple(name, name, tie("expression")).map(([a, b, c]) => `${a}.${b}(${c})`),
    fc
      .tuple(name, fc.array(tie("expression"), { maxLength: 3 }))
      .map(([f, x]) => `${f}(${x.join(", ")})`),
    fc
      .tuple(name, name, type, fc.array(tie("expression"), { maxLength: 2 }))
      .map(([a, b, t, x]) => `${a}.${b}<${t}>()(${x.join(", ")})`),
    fc.tuple(name, name, tie("expression")).map(([a, b, c]) => `${a}?.${b}[${c}]!.${b}`),
    fc.tuple(name, tie("expression")).map(([a, b]) => `new ${a}(${b})`),
    fc
      .tuple(break_, fc.array(tie("entry"), { maxLength: 4 }))
      .map(([space, entries]) => `({${space}${entries.join(", ")}${space}})`),
    fc.array(tie("expression"), { maxLength: 4 }).map((items) => `[${items.join(", ")}]`),
    fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `[...${a}, ...(${b})]`),
    fc.tuple(name, type, tie("body")).map(([a, of, body]) => `((${a}: ${of}) => ${body})`),
    fc
      .tuple(name, name, type, tie("body"))
      .map(([a, b, of, body]) => `(({ ${a}, ${b} }: Values): ${of} => ${body})`),
    fc
      .tuple(name, tie("expression"), tie("expression"))
      .map(([a, b, c]) => `${a}.filter((x) => ${b}).map((x) => (${c}))`),
  ),
  body: fc.oneof(
    tie("expression").map((inner) => `(${inner})`),
    tie("block"),
  ),
  block: fc
    .tuple(name, type, tie("expression"), tie("expression"))
    .map(
      ([a, of, b, c]) =>
        `{\nconst ${a}: ${of} = ${b};\nif (${c}) {\nreturn ${c};\n}\n\nreturn ${b};\n}`,
    ),
  entry: fc.oneof(
    name,
    fc.tuple(name, tie("expression")).map((parts) => parts.join(": ")),
    fc.tuple(fc.constantFrom(`"a-b"`, "key"), tie("expression")).map((parts) => parts.join(": ")),
    tie("expression").map((inner) => `...(${inner})`),
  ),
}));

const module = fc.array(
  fc.oneof(
    fc.tuple(name, expression).map(([a, b]) => `const ${a} = ${b};`),
    fc.tuple(name, type, expression).map(([a, of, b]) => `export const ${a}: ${of} = ${b};`),
    fc
      .tuple(name, expression)
      .map(([a, b]) => `const ${a} = defineSaga({\nnodes: {\nx: { inputs: ${b} },\n},\n});`),
    fc
      .tuple(name, type, type)
      .map(([a, b, c]) => `interface A {\nreadonly ${a}: ${b};\n"x-1"?: ${c}\n}`),
    type.map((of) => `type Alias = ${of};`),
    fc
      .array(name, { minLength: 1, maxLength: 9 })
      .map(
        (names) =>
          `import { ${names.map((each, index) => `${each} as n${index}`).join(", ")} } from "./x.js";`,
      ),
  ),
  { minLength: 1, maxLength: 3 },
);

describe("random code", () => {
  it("is laid out as prettier lays it out, or left to it", async () => {
    let known = 0;
    await fc.assert(
      fc.asyncProperty(module, fc.constantFrom(60, WIDTH), async (statements, width) => {
        const text = statements.join("\n\n");
        const ours = layOut(text, width);
        if (ours === undefined) return;
        known++;
        expect(ours).toBe(await formatByPrettier(text, width));
      }),
      {
        numRuns: Number(process.env["LAYOUT_RUNS"] ?? 300),
        seed: Number(process.env["LAYOUT_SEED"] ?? 1),
      },
    );
    expect(known).toBeGreaterThan(50);
  });
});
