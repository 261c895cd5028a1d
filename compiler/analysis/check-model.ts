/**
 * Holds the frontend to what it promises: names are unique, and what a node comes after, or a
 * variable holds, was declared. A breach is a fault of ours, and is reported as one.
 */
import { internal } from "../diagnostics/catalogue/project.js";
import type { GraphModel } from "../model.js";
import type { Pass } from "./pass.js";

export const checkModel: Pass = {
  name: "check-model",
  doc: "Checks that node names are unique and that every reference is to a node declared before.",
  codes: ["internal"],
  run: (saga, report) => {
    const declared = new Set<string>();
    const fault = (what: string): void =>
      report(internal({ at: saga.span, what: `the saga ${saga.name}`, trace: what }));
    const check = (graph: GraphModel): void => {
      const before = new Set<string>();
      for (const node of graph.nodes) {
        if (declared.has(node.name)) fault(`two nodes are named ${node.name}`);
        const earlier = node.after.map((after) => (typeof after === "string" ? after : after.node));
        const deciding = (node.when ?? []).map(({ decision }) => decision);
        for (const name of [...earlier, ...deciding]) {
          if (!before.has(name)) fault(`${node.name} comes after ${name}, which is not there`);
        }
        before.add(node.name);
        declared.add(node.name);
        if ("graph" in node) check(node.graph);
        if (node.kind === "scope") check(node.handler);
      }
    };
    check(saga);
    for (const { name, holds } of saga.variables.values()) {
      if ("node" in holds && !declared.has(holds.node)) {
        fault(`${name} holds the output of ${holds.node}, which is not there`);
      }
    }
    return saga;
  },
};
