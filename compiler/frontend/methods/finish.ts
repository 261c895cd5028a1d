/** Turns what was read of a method into its model: nodes get their names and their final order. */
import * as say from "../../diagnostics/catalogue/method.js";
import type {
  AfterModel,
  Alternative,
  ConditionModel,
  GraphModel,
  NodeModel,
  Variable,
} from "../../model.js";
import {
  contradict,
  resolveAfter,
  sortDrafts,
  type Condition,
  type Draft,
  type DraftAlternative,
  type Frame,
} from "./graph.js";
import type { Method, VariableDraft } from "./method.js";

export interface Finished extends GraphModel {
  readonly variables: ReadonlyMap<number, Variable>;
}

/** Names that mean something else among the values of a saga, or in a JavaScript object. */
const RESERVED = ["params", "__proto__"];

export function finish(method: Method, frame: Frame): Finished {
  const names = nameDrafts(method);
  const ofVariable = new Map(method.drafts.map((draft) => [draft.variable, draft]));
  const variables = new Map(
    method.variables.map((variable) => [
      variable.id,
      finishVariable(variable, names, ofVariable.get(variable.id)),
    ]),
  );
  return { ...finishFrame(frame, names), variables };
}

type Names = ReadonlyMap<Draft, string>;

function finishFrame({ drafts, outputs, exits }: Frame, names: Names): GraphModel {
  const nodes = sortDrafts(drafts).map((draft): NodeModel => {
    const after = resolveAfter(draft).map(({ draft: each, when }): AfterModel => {
      const node = names.get(each) ?? "";
      return when.length === 0 ? node : { node, when: conditions(when, names) };
    });
    const name = names.get(draft) ?? "";
    const when = draft.when.length > 0 && { when: conditions(draft.when, names) };
    return { ...finishContent(draft, names), name, span: draft.span, after, ...when };
  });
  return {
    nodes,
    outputs: outputs.map((each) => finishAlternative(each, names)),
    exits: exits.map(({ to, when }) => ({ to, when: conditions(when, names) })),
  };
}

type Content = NodeModel extends infer Each
  ? Each extends NodeModel
    ? Omit<Each, "name" | "span" | "after" | "when">
    : never
  : never;

function finishContent({ content }: Draft, names: Names): Content {
  switch (content.kind) {
    case "map":
    case "loop":
      return { ...content, graph: finishFrame(content.graph, names) };
    case "scope":
      return {
        ...content,
        graph: finishFrame(content.graph, names),
        handler: finishFrame(content.handler, names),
      };
    default:
      return content;
  }
}

function conditions(when: readonly Condition[], names: Names): ConditionModel[] {
  return when.map(({ decision, arm, not }) => ({
    decision: names.get(decision) ?? "",
    arm,
    ...(not && { not }),
  }));
}

function finishAlternative({ when, code }: DraftAlternative, names: Names): Alternative {
  return { when: conditions(when, names), code };
}

/** Gives each node its name, in the order in which they are evaluated. */
function nameDrafts(method: Method): Map<Draft, string> {
  const names = new Map<Draft, string>();
  const taken = new Set(RESERVED);
  const alike = new Map<string, Draft[]>();
  const list = (name: string, draft: Draft): void =>
    void alike.set(name, [...(alike.get(name) ?? []), draft]);
  for (const draft of method.drafts) {
    const plain = plainName(draft);
    let name = plain;
    for (let count = 2; taken.has(name); count++) name = `${plain}-${count}`;
    taken.add(name);
    names.set(draft, name);
    const others = alike.get(plain) ?? [];
    list(plain, draft);
    if (name !== plain) list(name, draft);
    // In the arms of one branch a name stands for one node in each run.
    if (others.every((other) => contradict(other.when, draft.when))) continue;
    // Nothing comes of it that could be bound, and no later definition is asked for it.
    if (draft.content.kind === "fail") continue;
    const decides = draft.content.kind === "decision";
    method.context.report(say.positionName({ at: draft.span, name, plain, decides }));
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
  names: Names,
  draft: Draft | undefined,
): Variable {
  switch (holds.kind) {
    case "params":
      return { id, name, holds };
    case "node":
      return { id, name, holds: { kind: "node", node: (draft && names.get(draft)) ?? "" } };
    case "item":
    case "index":
    case "error": {
      const node = (holds.draft && names.get(holds.draft)) ?? "";
      return { id, name, holds: { kind: holds.kind, node } };
    }
    case "choice": {
      const alternatives = holds.alternatives.map((each) => finishAlternative(each, names));
      return { id, name, holds: { ...holds, alternatives } };
    }
    case "glue":
      if (holds.statement === undefined) throw new Error(`the variable ${name} has no statement`);
      return { id, name, holds: { kind: "glue", statement: holds.statement } };
  }
}
