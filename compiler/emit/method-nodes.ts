/** The nodes of one method by their names, in all of its graphs, and the order that their values have. */
import { nodesOf } from "../analysis/graphs.js";
import type { NodeModel, SagaModel } from "../model.js";
import { Slicer } from "./slice.js";

export class MethodNodes {
  private readonly nodes = new Map<string, NodeModel>();
  readonly slicer: Slicer;
  private readonly ranks = new Map<string, number>([["params", -1]]);

  constructor(readonly saga: SagaModel) {
    this.slicer = new Slicer(saga, this.isDecision);
    for (const node of nodesOf(saga)) {
      this.nodes.set(node.name, node);
      // The number of the item comes after the item, and what is read of the node itself before.
      for (const part of ["", ".item", ".index", ".error"]) {
        this.ranks.set(node.name + part, this.ranks.size);
      }
    }
  }

  get(name: string): NodeModel | undefined {
    return this.nodes.get(name);
  }

  /** Whether it is a node of which one arm alone is taken. */
  readonly isDecision = (name: string): boolean => this.nodes.get(name)?.kind === "decision";

  /** The place of something that is read. */
  rank(key: string): number {
    return this.ranks.get(key) ?? this.ranks.size;
  }
}
