/**
 * Drafts of nodes, and the order between them while a method is read: what JavaScript runs in one go
 * (a segment), what has to have ended first. Paths are in `thread.ts`; names come later.
 */
import type { TypeModel } from "../../type-model.js";
import type {
  ActionModel,
  Code,
  ExitModel,
  Member,
  SagaModel,
  Span,
  SpawnedModel,
  VariableId,
} from "../../model.js";

export type DraftContent =
  | { readonly kind: "action"; readonly action: ActionModel; readonly inputs: readonly Code[] }
  | { readonly kind: "compute"; readonly code: Code; readonly type: TypeModel }
  | {
      readonly kind: "subsaga";
      readonly saga: SagaModel;
      readonly path: readonly Member[];
      readonly params: Code | undefined;
    }
  | { readonly kind: "decision"; readonly code: Code; readonly arms: readonly string[] }
  | {
      readonly kind: "map" | "loop";
      readonly items: Code;
      readonly key: Code | undefined;
      readonly concurrency: number | undefined;
      readonly graph: Frame;
      readonly item: TypeModel;
      readonly result: TypeModel;
    }
  | { readonly kind: "scope"; readonly graph: Frame; readonly handler: Frame }
  | { readonly kind: "fail"; readonly error: Code }
  | { readonly kind: "sleep"; readonly duration: Code }
  | {
      readonly kind: "event";
      readonly event: Member;
      readonly type: TypeModel;
      readonly timeoutMs: number | undefined;
    }
  | {
      readonly kind: "spawn";
      readonly saga: SpawnedModel;
      readonly params: Code | undefined;
      readonly id: Code | undefined;
      readonly wait: boolean;
    };

/** A graph that is being made: of the method, of the items of a map or loop, of a scope or handler. */
export interface Frame {
  readonly drafts: Draft[];
  readonly outputs: DraftAlternative[];
  readonly exits: { readonly to: ExitModel["to"]; readonly when: readonly Condition[] }[];
}

export function newFrame(): Frame {
  return { drafts: [], outputs: [], exits: [] };
}

/** An arm that was taken: of a decision, or of a loop or scope, which can be left in several ways. */
export interface Condition {
  readonly decision: Draft;
  readonly arm: string;
  /** Holds if the arm was not taken. */
  readonly not?: true;
  /** Whoever is in another arm leaves the graph: so nothing that comes later asks for it. */
  left?: boolean;
}

/** One of several values. */
export interface DraftAlternative {
  readonly when: readonly Condition[];
  readonly code: Code | undefined;
}

/** A node before it has its name. */
export interface Draft {
  content: DraftContent;
  readonly span: Span;
  readonly frame: Frame;
  readonly when: readonly Condition[];
  readonly after: Frontier;
  /** The local variable that stands for its result. */
  readonly variable: VariableId;
  /** Variables that its result was bound to. */
  readonly bound: Set<string>;
  /** Variables that its promise was bound to. */
  readonly held: Set<string>;
  /** The name if there is no variable. */
  readonly fallback: string;
}

/** Something that is computed in a segment; with conditions, on some of the paths that go on in it. */
interface Computed {
  readonly draft: Draft;
  readonly when: readonly Condition[];
}

/** What one uninterrupted run of JavaScript computes, in order; blocks started in it share it. */
export class Segment {
  readonly computes: Computed[] = [];

  /** `before`: where paths that have come together here were, each of them going on in this one. */
  constructor(
    private readonly before: readonly {
      readonly segment: Segment;
      readonly when: readonly Condition[];
    }[] = [],
  ) {}

  push(draft: Draft, when: readonly Condition[] = []): void {
    this.computes.push({ draft, when });
    for (const { segment, when: path } of this.before) segment.push(draft, [...path, ...when]);
  }

  /** What was computed last, from a place on: if all of it always is, the last is after the others. */
  lastSince(from: number): readonly Computed[] {
    const rest = this.computes.slice(from);
    const [first] = rest;
    const plain = rest.every(
      ({ draft, when }) => when.length === 0 && draft.when.length === first?.draft.when.length,
    );
    return plain ? rest.slice(-1) : rest;
  }
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

/**
 * What has ended, each under one of some conditions; no conditions: on every path that leads here.
 */
export type Frontier = ReadonlyMap<Dep, Alternatives>;
export type Alternatives = readonly (readonly Condition[])[];

/** What a promise waits for. */
export interface Completion {
  readonly ends: Frontier;
  /** What had ended when it began, and so has ended when it ends. */
  readonly covers: ReadonlySet<Dep>;
}

function isTail(dep: Dep): dep is Tail {
  return "segment" in dep;
}

/** Either of two lists of conditions. */
export function either(some: Alternatives | undefined, more: Alternatives): Alternatives {
  if (some === undefined || some === more) return more;
  const all = [...some, ...more.filter((each) => !some.some((other) => sameList(each, other)))];
  const always = all.find((each) => each.length === 0);
  return always === undefined ? all : [always];
}

export function same(a: Condition, b: Condition): boolean {
  return a.decision === b.decision && a.arm === b.arm && a.not === b.not;
}

function sameList(a: readonly Condition[], b: readonly Condition[]): boolean {
  return (
    a.length === b.length &&
    a.every((each, index) => b.some((other, i) => i === index && same(each, other)))
  );
}

/**
 * The conditions under which waiting for a node means something: where it does not run anyway, and
 * where whoever waits is never reached, they are left out.
 */
export function waiting(when: readonly Condition[], draft: Draft): readonly Condition[] {
  return when.filter(
    (each) =>
      each.left !== true &&
      each.decision !== draft &&
      !draft.when.some((other) => same(each, other)),
  );
}

export interface Wait {
  readonly draft: Draft;
  /** Empty: always. */
  readonly when: readonly Condition[];
}

/** The nodes that a node is after, tails resolved. */
export function resolveAfter(draft: Draft): Wait[] {
  const found = new Map<Draft, Alternatives>();
  const add = (each: Draft, alternatives: Alternatives): void => {
    const when = alternatives.map((conditions) => waiting(conditions, each));
    found.set(each, either(found.get(each), when.length === 0 ? [[]] : either(undefined, when)));
  };
  for (const [dep, alternatives] of draft.after) {
    if (!isTail(dep)) {
      add(dep, alternatives);
      continue;
    }
    for (const last of dep.segment.lastSince(dep.from)) {
      if (isBefore(draft, last, alternatives)) continue;
      const both = alternatives
        .filter((conditions) => !contradict(conditions, last.when))
        .map((conditions) => [...conditions, ...last.when]);
      if (both.length > 0) add(last.draft, both);
    }
  }
  return [...found].flatMap(([each, alternatives]) =>
    either([], alternatives).map((when) => ({ draft: each, when })),
  );
}

/**
 * Whether what a tail has is itself after the node, on a path on which that has not waited. A graph
 * has an edge one way only: the tail's is left out, since what is computed at once is before all
 * that had to wait.
 */
function isBefore(draft: Draft, last: Computed, alternatives: Alternatives): boolean {
  if (last.draft === draft) return true;
  const sometimes = last.when.length > 0 || alternatives.some((each) => each.length > 0);
  return sometimes && reaches(last.draft, draft);
}

function reaches(from: Draft, to: Draft): boolean {
  const seen = new Set([from]);
  for (const each of seen) {
    if (each === to) return true;
    for (const dep of each.after.keys()) {
      if (!isTail(dep)) seen.add(dep);
      else for (const { draft } of dep.segment.lastSince(dep.from)) seen.add(draft);
    }
  }
  return false;
}

/** Whether two lists of conditions never hold both. */
export function contradict(some: readonly Condition[], others: readonly Condition[]): boolean {
  return some.some((each) =>
    others.some(
      (other) =>
        other.decision === each.decision &&
        (other.not === each.not
          ? each.not !== true && other.arm !== each.arm
          : other.arm === each.arm),
    ),
  );
}

/** Drafts so that each comes after those it is after; else in the order in which they were made. */
export function sortDrafts(drafts: readonly Draft[]): Draft[] {
  const placed = new Set<Draft>();
  /** What is before these is looked for: those of them on the stack lead from one to the next. */
  const begun = new Set<Draft>();
  const sorted: Draft[] = [];
  for (const first of drafts) {
    const stack = [first];
    for (let draft = stack.at(-1); draft !== undefined; draft = stack.at(-1)) {
      const before = placed.has(draft) ? [] : resolveAfter(draft).map((wait) => wait.draft);
      const open = before.filter((dep) => !placed.has(dep));
      if (open.length > 0) {
        // It is met again once all before it are placed; if not, it was reached from itself.
        if (begun.has(draft)) throw new Error(`${draft.fallback} is after itself`);
        begun.add(draft);
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
