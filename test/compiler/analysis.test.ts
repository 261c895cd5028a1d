/** The passes on models: the list checks itself, and order is reduced exactly and in linear time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analyse, passes } from "../../compiler/analysis/passes.js";
import { reduceOrder } from "../../compiler/analysis/reduce-order.js";
import { catalogue } from "../../compiler/diagnostics/catalogue/index.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import type { NodeModel, SagaModel } from "../../compiler/model.js";
import { SagaBuilder, sourceOf } from "./models.js";

describe("the list of passes", () => {
  test("has unique kebab-case names, and says what each does", () => {
    const names = passes.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(1);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, doc } of passes) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(doc).toMatch(/\w+ .+\.$/);
    }
  });

  test("names codes that are in the catalogue", () => {
    for (const code of passes.flatMap(({ codes }) => codes)) {
      expect([...catalogue.keys()]).toContain(code);
    }
  });
});

describe("a model that breaks the frontend's promise is an internal error", () => {
  const broken: Readonly<Record<string, SagaModel>> = {
    "a name twice": new SagaBuilder().action("a", []).action("a", [], { after: [] }).saga(),
    "an unknown node before": new SagaBuilder().action("a", [], { after: ["b"] }).saga(),
  };
  test.each(Object.entries(broken))("%s", (_, saga) => {
    const found: Diagnostic[] = [];
    analyse([sourceOf(saga)], (diagnostic) => found.push(diagnostic));
    expect(found.map(({ code }) => code)).toEqual(["internal"]);
  });
});

/** A model of which only the order matters. */
function graph(after: readonly NodeModel["after"][]): SagaModel {
  const base = new SagaBuilder().action("n", []).saga();
  const [node] = base.nodes;
  if (node === undefined) throw new Error("a node was added");
  const nodes = after.map((names, index): NodeModel => ({
    ...node,
    name: `n${index}`,
    after: names,
  }));
  return { ...base, nodes };
}

const reduced = (saga: SagaModel): (readonly string[])[] =>
  reduceOrder
    .run(saga, () => {})
    .nodes.map(({ after }) => after.filter((each) => typeof each === "string"));

describe("reduce-order", () => {
  test("drops what comes before something else in the list", () => {
    const diamond = graph([[], ["n0"], ["n0"], ["n0", "n1", "n2"], ["n0", "n3", "n1"]]);
    expect(reduced(diamond)).toEqual([[], ["n0"], ["n0"], ["n1", "n2"], ["n3"]]);
  });

  test("drops a conditional wait only if another wait implies it", () => {
    const paid = [{ decision: "n0", arm: "then" }];
    const both = [...paid, { decision: "n1", arm: "else" }];
    const reducedTo = (last: NodeModel["after"]): NodeModel["after"] | undefined => {
      const after = [[], ["n0"], ["n1"], ["n2", { node: "n1", when: paid }], ["n2"], last];
      return reduceOrder.run(graph(after), () => {}).nodes.at(-1)?.after;
    };
    const wait = (node: string, when = paid) => ({ node, when });
    // n2 is always waited for, and comes after n1.
    expect(reducedTo(["n2", wait("n1")])).toEqual(["n2"]);
    expect(reducedTo(["n1", wait("n2")])).toEqual(["n1", wait("n2")]);
    // n3 comes after n2; it is waited for under fewer conditions, or under others.
    expect(reducedTo([wait("n2", both), wait("n3")])).toEqual([wait("n3")]);
    expect(reducedTo([wait("n2"), wait("n3", both)])).toEqual([wait("n2"), wait("n3", both)]);
    expect(reducedTo([wait("n2"), wait("n2")])).toEqual([wait("n2")]);
    const otherwise = [{ decision: "n0", arm: "then", not: true as const }];
    expect(reducedTo([wait("n2"), wait("n3", otherwise)])).toHaveLength(2);
    // A conditional wait replaces no other that is unconditional.
    expect(reducedTo(["n2", wait("n3")])).toEqual(["n2", wait("n3")]);
  });

  test("agrees with the definition on random graphs", () => {
    const graphs = fc
      .array(fc.array(fc.nat(), { maxLength: 5 }), { maxLength: 14 })
      .map((lists) =>
        lists.map((list, index) => (index === 0 ? [] : list.map((other) => `n${other % index}`))),
      );
    fc.assert(
      fc.property(graphs, (after) => {
        const answer = reduced(graph(after));
        const reach = reachability(after);
        expect(reachability(answer)).toEqual(reach);
        for (const list of answer) {
          for (const name of list) {
            // Nothing that is left comes before something else that is left.
            expect(list.some((other) => reach.get(other)?.has(name))).toBe(false);
          }
        }
      }),
    );
  });

  test("takes linear time on a chain of 10,000 and on a ladder of 10,000 by two", () => {
    const name = (index: number): string => `n${index}`;
    const chain = graph([...Array(10_000).keys()].map((index) => (index ? [name(index - 1)] : [])));
    const ladder = graph(
      [...Array(20_000).keys()].map((index) => {
        const stage = index - (index % 2);
        const before = [stage - 1, stage - 2, stage - 3, stage - 4];
        return before.filter((other) => other >= 0).map(name);
      }),
    );
    const start = performance.now();
    expect(reduced(chain).every((after) => after.length <= 1)).toBe(true);
    expect(
      reduced(ladder)
        .slice(2)
        .every((after) => after.length === 2),
    ).toBe(true);
    // It takes about 20 ms; a quadratic one takes seconds.
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

function reachability(after: readonly (readonly string[])[]): Map<string, Set<string>> {
  const reach = new Map<string, Set<string>>();
  after.forEach((names, index) => {
    const all = names.flatMap((name) => [name, ...(reach.get(name) ?? [])]);
    reach.set(`n${index}`, new Set(all.sort()));
  });
  return reach;
}
