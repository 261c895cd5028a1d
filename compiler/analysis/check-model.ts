/**
 * Holds the frontend to what it promises: names are unique, and what a node comes after, or a
 * variable holds, was declared. A breach is a fault of ours, and is reported as one.
 */
import { internal } from "../diagnostics/catalogue/project.js";
import type { Pass } from "./pass.js";

export const checkModel: Pass = {
  name: "check-model",
  doc: "Checks that node names are unique and that every reference is to a node declared before.",
  codes: ["internal"],
  run: (saga, report) => {
    const declared = new Set<string>();
    const fault = (what: string): void =>
      report(internal({ at: saga.span, what: `the saga ${saga.name}`, trace: what }));
    for (const node of saga.nodes) {
      if (declared.has(node.name)) fault(`two nodes are named ${node.name}`);
      for (const earlier of node.after) {
        if (!declared.has(earlier))
          fault(`${node.name} comes after ${earlier}, which is not there`);
      }
      declared.add(node.name);
    }
    for (const { name, holds } of saga.variables.values()) {
      if (holds.kind === "node" && !declared.has(holds.node)) {
        fault(`${name} holds the output of ${holds.node}, which is not there`);
      }
    }
    return saga;
  },
};
