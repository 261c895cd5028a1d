/** The pictures of manifests: every node and edge is there, and no name breaks the syntax. */
import { expect, test } from "vitest";
import { drawGraphs } from "../../compiler/emit/graph.js";
import { manifestOf } from "../../compiler/emit/manifest.js";
import { SagaBuilder } from "./models.js";

const nasty = 'a "b" \\ c; {d} [e] <f> #g | h-->i end';
const inner = new SagaBuilder("allocate").action("pick", []).action("reserve", ["$pick"]).saga();
const manifest = manifestOf(
  new SagaBuilder()
    .action("payment", [])
    .compute(nasty, "1")
    .subsaga("servers", inner, "1")
    .action("end", [], { undo: "none" })
    .saga(),
);

test("DOT: a subsaga is a cluster, with arrows into its first and out of its last node", () => {
  const text = drawGraphs([manifest], "dot");
  expect(text.split("\n").map((line) => line.trim())).toEqual([
    "digraph steno {",
    "rankdir=TB;",
    "subgraph cluster_n0 {",
    'label="BookTrip.bookTrip";',
    'n1 [label="payment\\ndo_payment\\nundo: undo_payment", shape=box];',
    'n2 [label="a \\"b\\" \\\\ c; {d} [e] <f> #g | h-->i end\\ncompute", shape=ellipse];',
    "subgraph cluster_n3 {",
    'label="servers: BookTrip.allocate";',
    'n4 [label="pick\\ndo_pick\\nundo: undo_pick", shape=box];',
    'n5 [label="reserve\\ndo_reserve\\nundo: undo_reserve", shape=box];',
    "n4 -> n5;",
    "}",
    'n6 [label="end\\ndo_end", shape=box];',
    "n1 -> n2;",
    "n2 -> n4;",
    "n5 -> n6;",
    "}",
    "}",
  ]);
});

test("Mermaid: names are quoted, and their signs are entities", () => {
  const text = drawGraphs([manifest], "mermaid");
  expect(text).toContain('subgraph n3["servers: BookTrip.allocate"]');
  expect(text).toContain("n5 --> n6");
  const label = /n2\(\["(.*)"\]\)/.exec(text)?.[1] ?? "";
  expect(label).toMatch(/^[\w .,:()#;-]+<br>compute$/);
  const read = label.replace(/#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
  expect(read).toBe(`${nasty}<br>compute`);
});

test("several sagas are beside each other in one picture", () => {
  expect(drawGraphs([manifest, manifest], "dot").match(/label="BookTrip.bookTrip"/g)).toHaveLength(
    2,
  );
});

test("decisions are diamonds, arrows have their arms, and maps, loops and scopes are groups", () => {
  const create = new SagaBuilder().action("create", [], { undo: "none" }).saga();
  const whole = new SagaBuilder()
    .decision("if:paid", "1")
    .action("ship", [], { undo: "none" })
    .when(["if:paid", "then"])
    .action("remind", [], { undo: "none", after: ["if:paid"] })
    .when(["if:paid", "then", true])
    .loop("map", "nics", "[]", create)
    .scope("try", create, new SagaBuilder().action("tell", [], { undo: "none" }).saga())
    .action("end", [], {
      undo: "none",
      after: ["try", { node: "ship", when: [{ decision: "if:paid", arm: "then" }] }],
    })
    .saga();
  const text = drawGraphs([manifestOf(whole)], "dot");
  expect(text.split("\n").map((line) => line.trim())).toEqual([
    "digraph steno {",
    "rankdir=TB;",
    "subgraph cluster_n0 {",
    'label="BookTrip.bookTrip";',
    'n1 [label="if:paid\\ndecision", shape=diamond];',
    'n2 [label="ship\\ndo_ship", shape=box];',
    'n3 [label="remind\\ndo_remind", shape=box];',
    "subgraph cluster_n4 {",
    'label="nics: map";',
    'n5 [label="create\\ndo_create", shape=box];',
    "}",
    "subgraph cluster_n6 {",
    'label="try: scope";',
    'n7 [label="create\\ndo_create", shape=box];',
    "subgraph cluster_n8 {",
    'label="catch";',
    'n9 [label="tell\\ndo_tell", shape=box];',
    "}",
    "}",
    'n10 [label="end\\ndo_end", shape=box];',
    'n1 -> n2 [label="then"];',
    'n1 -> n3 [label="not then"];',
    "n3 -> n5;",
    "n5 -> n7;",
    "n7 -> n10;",
    "n9 -> n10;",
    'n2 -> n10 [label="if:paid then"];',
    "}",
    "}",
  ]);
  const mermaid = drawGraphs([manifestOf(whole)], "mermaid");
  expect(mermaid).toContain('n1{"if:paid<br>decision"}');
  expect(mermaid).toContain('n1 -- "then" --> n2');
});
