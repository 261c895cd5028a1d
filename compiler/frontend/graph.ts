/**
 * Drafts of nodes, and the order between them while a method is read: what has been awaited (the
 * frontier of a thread of control) and what JavaScript runs in one go (a segment). Names come later.
 */
import type { ts } from "ts-morph";
import type { ActionModel, Code, Member, SagaModel, Span, VariableId } from "../model.js";

export type DraftContent =
  | { readonly kind: "action"; readonly action: ActionModel; readonly inputs: readonly Code[] }
  | { readonly kind: "compute"; readonly code: Code }
  | {
      readonly kind: "subsaga";
      readonly saga: SagaModel;
      readonly path: readonly Member[];
      readonly params: Code | undefined;
    };

/** A node before it has its name. */
export interface Draft {
  content: DraftContent;
  readonly span: Span;
  readonly after: readonly Dep[];
  /** The local variable that stands for its result. */
  readonly variable: VariableId;
  /** Variables that its result was bound to. */
  readonly bound: Set<string>;
  /** Variables that its promise was bound to. */
  readonly held: Set<string>;
  /** The name if there is no variable. */
  readonly fallback: string;
}

/** What one uninterrupted run of JavaScript computes, in order; blocks started in it share it. */
export interface Segment {
  readonly computes: Draft[];
}

/**
 * Something that has ended. A tail stands for what a segment still computes after a block in it came
 * to its first `await`: the block goes on only when the whole segment has run.
 */
export type Dep = Draft | Tail;

export interface Tail {
  readonly segment: Segment;
  readonly from: number;
}

export function isTail(dep: Dep): dep is Tail {
  return "segment" in dep;
}

/** What a promise waits for. */
export interface Completion {
  readonly ends: ReadonlySet<Dep>;
  /** What had ended when it began, and so has ended when it ends. */
  readonly covers: ReadonlySet<Dep>;
}

/** The method itself, or an async block in it. */
export class Thread {
  private constructor(
    private segment: Segment,
    private ownsSegment: boolean,
    private readonly frontier: Set<Dep>,
    /** The function whose body this thread runs. */
    readonly body: ts.FunctionLikeDeclaration,
  ) {}

  static root(body: ts.FunctionLikeDeclaration): Thread {
    return new Thread({ computes: [] }, true, new Set(), body);
  }

  /** What has ended here. */
  ended(): ReadonlySet<Dep> {
    return new Set(this.frontier);
  }

  /** A node that is evaluated on the spot: everything later comes after it. */
  evaluate(draft: Draft): void {
    this.replace(draft.after, draft);
    this.segment.computes.push(draft);
  }

  /** Waits for each of some promises. */
  wait(completions: Iterable<Completion>): void {
    for (const { ends, covers } of completions) {
      for (const dep of covers) if (!ends.has(dep)) this.frontier.delete(dep);
      for (const dep of ends) this.frontier.add(dep);
    }
    if (!this.ownsSegment) {
      this.frontier.add({ segment: this.segment, from: this.segment.computes.length });
    }
    this.segment = { computes: [] };
    this.ownsSegment = true;
  }

  /** Runs an async block: up to its first `await` in this segment, then beside this thread. */
  fork(body: ts.FunctionLikeDeclaration, run: (thread: Thread) => void): Completion {
    const covers = this.ended();
    const { segment } = this;
    const from = segment.computes.length;
    const thread = new Thread(segment, false, new Set(covers), body);
    run(thread);
    const last = segment.computes.at(-1);
    if (last !== undefined && segment.computes.length > from) this.replace([...covers], last);
    return { ends: thread.ended(), covers };
  }

  private replace(deps: readonly Dep[], draft: Draft): void {
    for (const dep of deps) this.frontier.delete(dep);
    this.frontier.add(draft);
  }
}

/** The nodes that a node is after, tails resolved. */
export function resolveAfter(draft: Draft): Draft[] {
  const nodes = draft.after.map((dep) =>
    isTail(dep) ? dep.segment.computes.slice(dep.from).at(-1) : dep,
  );
  return [...new Set(nodes.filter((node) => node !== undefined))];
}

/** Drafts so that each comes after those it is after; else in the order in which they were made. */
export function sortDrafts(drafts: readonly Draft[]): Draft[] {
  const placed = new Set<Draft>();
  const sorted: Draft[] = [];
  for (const first of drafts) {
    const stack = [first];
    for (let draft = stack.at(-1); draft !== undefined; draft = stack.at(-1)) {
      const open = placed.has(draft) ? [] : resolveAfter(draft).filter((dep) => !placed.has(dep));
      if (open.length > 0) {
        stack.push(...open.reverse());
        continue;
      }
      stack.pop();
      if (!placed.has(draft)) sorted.push(draft);
      placed.add(draft);
    }
  }
  return sorted;
}
