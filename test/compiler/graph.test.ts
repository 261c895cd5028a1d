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
