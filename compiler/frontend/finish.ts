/** Turns what was read of a method into its model: nodes get their names and their final order. */
import * as say from "../diagnostics/catalogue/method.js";
import type { Alternative, Code, ExitModel, NodeModel, Variable } from "../model.js";
import { resolveAfter, sortDrafts, type Draft } from "./graph.js";
import type { Method, VariableDraft } from "./method.js";

export interface Finished {
  readonly nodes: readonly NodeModel[];
  readonly variables: ReadonlyMap<number, Variable>;
  readonly outputs: readonly Alternative[];
  readonly exits: readonly ExitModel[];
}

/** Names that mean something else among the values of a saga, or in a JavaScript object. */
const RESERVED = ["params", "__proto__"];

export function finish(method: Method, output: Code | undefined): Finished {
  const names = nameDrafts(method);
  const nodes = sortDrafts(method.drafts).map((draft): NodeModel => {
    const after = resolveAfter(draft).map((each) => names.get(each) ?? "");
    return { ...draft.content, name: names.get(draft) ?? "", span: draft.span, after };
  });
  const ofVariable = new Map(method.drafts.map((draft) => [draft.variable, draft]));
  const variables = new Map(
    method.variables.map((variable) => [
      variable.id,
      finishVariable(variable, names, ofVariable.get(variable.id)),
    ]),
  );
  const outputs = output === undefined ? [] : [{ when: [], code: output }];
  return { nodes, variables, outputs, exits: [] };
}

/** Gives each node its name, in the order in which they are evaluated. */
function nameDrafts(method: Method): Map<Draft, string> {
  const names = new Map<Draft, string>();
  const taken = new Set(RESERVED);
  for (const draft of method.drafts) {
    const plain = plainName(draft);
    let name = plain;
    for (let count = 2; taken.has(name); count++) name = `${plain}-${count}`;
    taken.add(name);
    names.set(draft, name);
    if (name !== plain && !RESERVED.includes(plain)) {
      method.context.report(say.positionName({ at: draft.span, name, plain }));
    }
  }
  return names;
}

/** The one variable that the result is bound to, else that of the promise, else the method's name. */
function plainName(draft: Draft): string {
  const [bound, other] = draft.bound;
  if (bound !== undefined && other === undefined) return bound;
  const [held, second] = draft.held;
  return held !== undefined && second === undefined ? held : draft.fallback;
}

function finishVariable(
  { id, name, holds }: VariableDraft,
  names: ReadonlyMap<Draft, string>,
  draft: Draft | undefined,
): Variable {
  if (holds.kind === "params") return { id, name, holds };
  if (holds.kind === "node") {
    const node = (draft && names.get(draft)) ?? "";
    return { id, name, holds: { kind: "node", node } };
  }
  if (holds.statement === undefined) throw new Error(`the variable ${name} has no statement`);
  return { id, name, holds: { kind: "glue", statement: holds.statement } };
}
