/**
 * Proves that behind a pivot a run goes forward only: whatever may fail for good when a pivot has, or
 * may have, succeeded, and whose failure would undo it, is refused. What cannot say how it goes on (a
 * computed value, the result of a spawned run) waits for an operator at run time, and is fine here.
 */
import { failsAfterPivot, failsBesidePivot } from "../diagnostics/catalogue/pivot.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { ConditionModel, GraphModel, NodeModel, SagaModel, Span } from "../model.js";
import type { Pass } from "./pass.js";

export const pivots: Pass = {
  name: "pivots",
  doc: "Refuses what may fail for good, in a scope around a pivot, when that may have succeeded.",
  codes: ["fails-after-pivot", "fails-beside-pivot"],
  run: (saga, report) => {
    const found = new Map<Span, Diagnostic>();
    const check = new Check((leaf, diagnostic) => {
      if (!found.has(leaf)) found.set(leaf, diagnostic);
    });
    if (pivotsIn(saga).length > 0) check.graph(saga);
    for (const diagnostic of found.values()) report(diagnostic);
    return saga;
  },
};

/** A pivot, or something that may fail for good, as it is seen from a method. */
interface Leaf {
  /** Of what fails: how it is told of. */
  readonly what: string;
  readonly kind: "action" | "throw" | "event";
  /** The action. */
  readonly name: string;
  /** The call in the method: of the action, or of the saga that embeds it. */
  readonly span: Span;
  /** The scope nodes in whose `try` it is, from the graph that is looked at inwards. */
  readonly tried: readonly string[];
}

class Check {
  constructor(private readonly found: (leaf: Span, diagnostic: Diagnostic) => void) {}

  /** Looks at each pair of nodes of a graph, and at the graphs inside. Embedded sagas look at their own. */
  graph({ nodes }: GraphModel): void {
    const before = ancestors(nodes);
    for (const [index, node] of nodes.entries()) {
      const passed = pivotsOf(node);
      if (passed.length > 0) {
        for (const [place, other] of nodes.entries()) {
          if (place === index || before[index]?.ran.has(place) === true) continue;
          const follows = before[place]?.ran.has(index) === true;
          for (const pivot of passed) this.pair(pivot, node, other, follows);
        }
      }
      if (node.kind === "map" || node.kind === "loop") {
        this.items(node.graph, node.kind === "loop");
        this.graph(node.graph);
      } else if (node.kind === "scope") {
        this.graph(node.graph);
        this.graph(node.handler);
      }
    }
  }

  private pair(pivot: Leaf, node: NodeModel, other: NodeModel, follows: boolean): void {
    if (areExclusive(node.when ?? [], other.when ?? [])) return;
    // Where a `catch` has run, everything in its `try` is undone: no pivot of it was passed.
    const caught = (other.when ?? []).some(
      ({ decision, arm, not }) =>
        arm === "caught" && not !== true && decision === pivot.tried[0] && decision === node.name,
    );
    if (caught) return;
    for (const failing of failuresOf(other)) this.refuse(pivot, failing, follows, "");
  }

  /** What fails for one item may do so when another has passed its pivot. */
  private items(graph: GraphModel, inTurn: boolean): void {
    const [pivot] = pivotsIn(graph);
    if (pivot === undefined) return;
    const when = inTurn ? " in a turn before" : " for another item";
    for (const failing of failuresIn(graph)) this.refuse(pivot, failing, inTurn, when);
  }

  private refuse(pivot: Leaf, failing: Leaf, follows: boolean, when: string): void {
    const say = follows ? failsAfterPivot : failsBesidePivot;
    const { what, kind, name, span } = failing;
    const facts = { at: span, what, kind, name, pivot: pivot.name, when, other: pivot.span };
    this.found(span, say(facts));
  }
}

/** The nodes that have surely ended when one comes to its turn; and those, if it runs and is not skipped. */
interface Before {
  readonly always: ReadonlySet<number>;
  readonly ran: ReadonlySet<number>;
}

function ancestors(nodes: readonly NodeModel[]): Before[] {
  const places = new Map(nodes.map(({ name }, place) => [name, place]));
  const before: Before[] = [];
  for (const node of nodes) {
    const always = new Set<number>();
    const ran = new Set<number>();
    for (const after of node.after) {
      const isSure = typeof after === "string";
      // A wait that is conditional counts where the node runs under that condition only.
      if (!isSure && !after.when.every((each) => isImplied(each, node.when ?? []))) continue;
      const place = places.get(isSure ? after : after.node);
      if (place === undefined) continue;
      for (const earlier of [place, ...(before[place]?.always ?? [])]) {
        ran.add(earlier);
        if (isSure) always.add(earlier);
      }
    }
    before.push({ always, ran });
  }
  return before;
}

/** Whether a condition holds wherever others do. */
function isImplied({ decision, arm, not }: ConditionModel, by: readonly ConditionModel[]): boolean {
  return by.some((each) => {
    if (each.decision !== decision) return false;
    if (each.arm === arm) return each.not === not;
    return not === true && each.not !== true && !OUTCOMES.has(arm);
  });
}

/** Whether two nodes never run in the same run: their conditions contradict each other. */
function areExclusive(
  first: readonly ConditionModel[],
  second: readonly ConditionModel[],
): boolean {
  return first.some((one) =>
    second.some((other) => {
      if (one.decision !== other.decision) return false;
      if (one.arm === other.arm) return one.not !== other.not;
      // A decision takes one arm; how a scope or a loop ended may be said in two ways.
      return one.not !== true && other.not !== true && !OUTCOMES.has(one.arm);
    }),
  );
}

const OUTCOMES: ReadonlySet<string> = new Set(["caught", "return", "break", "continue"]);

function pivotsIn({ nodes }: GraphModel): Leaf[] {
  return nodes.flatMap(pivotsOf);
}

/** The pivots in a node, which a failure in the scope around the node would have to undo. */
function pivotsOf(node: NodeModel): Leaf[] {
  const { span } = node;
  switch (node.kind) {
    case "action": {
      const { pivot, method: name } = node.action;
      return pivot ? [{ what: "", kind: "action", name, span, tried: [] }] : [];
    }
    case "subsaga":
      return pivotsIn(node.saga).map((leaf) => ({ ...leaf, span }));
    case "map":
    case "loop":
      return pivotsIn(node.graph).map((leaf) => ({ ...leaf, tried: [] }));
    case "scope": {
      const tried = pivotsIn(node.graph).map((leaf) => ({ ...leaf, tried: [node.name] }));
      return [...tried, ...pivotsIn(node.handler)];
    }
    default:
      return [];
  }
}

function failuresIn({ nodes }: GraphModel): Leaf[] {
  return nodes.flatMap(failuresOf);
}

/** What in a node may fail for good so that the scope around the node ends. */
function failuresOf(node: NodeModel): Leaf[] {
  const { span } = node;
  switch (node.kind) {
    case "action": {
      const { method: name, onFailure, retry } = node.action;
      if (onFailure === "pause" || retry?.attempts === "forever") return [];
      return [{ what: `the action \`${name}\``, kind: "action", name, span, tried: [] }];
    }
    case "fail":
      return [{ what: "this `throw`", kind: "throw", name: "", span, tried: [] }];
    case "event": {
      if (node.timeoutMs === undefined) return [];
      const { name } = node.event;
      const what = `the wait for \`${name}\`, which has a limit,`;
      return [{ what, kind: "event", name, span, tried: [] }];
    }
    case "subsaga":
      return failuresIn(node.saga).map((leaf) => told(leaf, node.saga, span));
    case "map":
    case "loop":
      return failuresIn(node.graph);
    case "scope":
      // What is tried is caught here.
      return failuresIn(node.handler);
    default:
      return [];
  }
}

function told(leaf: Leaf, { method }: SagaModel, span: Span): Leaf {
  const what = leaf.kind === "throw" ? "a `throw`" : leaf.what;
  return { ...leaf, what: `${what.replace(/,$/, "")} in \`${method}\``, span };
}
