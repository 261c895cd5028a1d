/** The list of passes, in the order in which they run, and how they are run on the sagas of a source. */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { SagaModel, SourceModel } from "../model.js";
import { checkModel } from "./check-model.js";
import { changed } from "./graphs.js";
import { independentAwaits } from "./independent-awaits.js";
import type { Pass } from "./pass.js";
import { pivots } from "./pivots.js";
import { reduceOrder } from "./reduce-order.js";

export const passes: readonly Pass[] = [checkModel, pivots, reduceOrder, independentAwaits];

/** Runs every pass on every saga of the sources, embedded ones included, each saga once. */
export function analyse(
  sources: readonly SourceModel[],
  report: (diagnostic: Diagnostic) => void,
): SourceModel[] {
  const done = new Map<SagaModel, SagaModel>();
  const analysed = (saga: SagaModel): SagaModel => {
    const known = done.get(saga);
    if (known !== undefined) return known;
    const { nodes } = changed(saga, (node) =>
      node.kind === "subsaga" ? { ...node, saga: analysed(node.saga) } : node,
    );
    const result = passes.reduce<SagaModel>((model, pass) => pass.run(model, report), {
      ...saga,
      nodes,
    });
    done.set(saga, result);
    return result;
  };
  return sources.map((source) => ({ ...source, sagas: source.sagas.map(analysed) }));
}
