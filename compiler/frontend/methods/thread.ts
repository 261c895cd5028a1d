/**
 * A thread of control while it is read: the path that leads to where it is, what has ended there,
 * and how it was left before its end. It reads no source.
 */
import type { Test } from "../expressions/guards.js";
import {
  either,
  newFrame,
  same,
  Segment,
  waiting,
  type Completion,
  type Condition,
  type Dep,
  type Draft,
  type Frame,
  type Frontier,
} from "./graph.js";
import type ts from "../typescript.cjs";
import type { Binding, Broken, ReadyValue, Started } from "./values.js";

/** Where a thread is: changed as it goes on, copied where it branches. */
export interface Path {
  readonly frontier: Map<Dep, readonly (readonly Condition[])[]>;
  /** The arms that lead here, in the graph of the thread. */
  when: readonly Condition[];
  /** Conditions that TypeScript may have narrowed types by. */
  tests: readonly Test[];
  segment: Segment;
  /** Segments of others in which this thread, a block, still runs, having waited for nothing. */
  shared: readonly { readonly segment: Segment; readonly when: readonly Condition[] }[];
  /** Promises that were started and not awaited. */
  readonly pending: Set<Started>;
  /** Variables that are set after their declaration, once they are. */
  readonly lets: Map<ts.Symbol, Binding>;
}

export type Returned = ReadyValue | Broken | undefined;

/** One way in which control leaves a statement other than at its end. */
export interface Exit {
  readonly kind: "return" | "break" | "continue" | "throw";
  /** What is left by `break` or `continue`. */
  readonly target: ts.Node | undefined;
  readonly path: Path;
  readonly value: Returned;
  /** Holds exactly where it is not taken; undefined: no one condition says so. */
  not: Condition | undefined;
}

/** The method itself, an async block in it, or what a map, loop or scope runs. */
export class Thread {
  /** Undefined: what follows is not reached. */
  path: Path | undefined;
  exits: Exit[] = [];
  /** Variables that were set where something may fail after that: a `catch` may find them set. */
  readonly exposed = new Set<ts.Symbol>();
  /** Variables as they were where it began. */
  private readonly before: ReadonlyMap<ts.Symbol, Binding>;

  constructor(
    readonly frame: Frame,
    /** The function whose body this thread runs. */
    readonly body: ts.FunctionLikeDeclaration,
    path: Path,
  ) {
    this.path = path;
    this.before = new Map(path.lets);
  }

  static root(body: ts.FunctionLikeDeclaration): Thread {
    return new Thread(newFrame(), body, freshPath());
  }

  /** A thread in a graph of its own. */
  inside(body: ts.FunctionLikeDeclaration): Thread {
    const { tests, lets } = this.here;
    return new Thread(newFrame(), body, { ...freshPath(), tests, lets: new Map(lets) });
  }

  get here(): Path {
    if (this.path === undefined) throw new Error("this is never reached");
    return this.path;
  }

  /** What has ended here. */
  ended(): Frontier {
    return new Map(this.here.frontier);
  }

  /** Variables that are set on a path and were not, or were others, where the thread began. */
  setOn({ lets }: Path): ts.Symbol[] {
    return [...lets].flatMap(([symbol, binding]) =>
      this.before.get(symbol) === binding ? [] : [symbol],
    );
  }

  /** Something follows that may fail. */
  expose(): void {
    for (const symbol of this.setOn(this.here)) this.exposed.add(symbol);
  }

  /** A node that is evaluated on the spot: everything later comes after it. */
  evaluate(draft: Draft): void {
    const { frontier, segment } = this.here;
    for (const dep of draft.after.keys()) frontier.delete(dep);
    frontier.set(draft, ALWAYS);
    segment.push(draft);
  }

  /** A loop or scope that this thread goes through, and which may wait for something on the way. */
  pass(draft: Draft, waits: boolean): void {
    if (!waits) return this.evaluate(draft);
    this.wait([{ ends: new Map([[draft, ALWAYS]]), covers: new Set(draft.after.keys()) }]);
  }

  /** Waits for each of some promises. */
  wait(completions: Iterable<Completion>): void {
    const { here } = this;
    const { frontier } = here;
    this.expose();
    for (const { ends, covers } of completions) {
      for (const dep of covers) if (!ends.has(dep)) frontier.delete(dep);
      for (const [dep, alternatives] of ends) {
        if ("segment" in dep) {
          frontier.set(dep, either(frontier.get(dep), alternatives));
          continue;
        }
        const here = waiting(this.here.when, dep);
        const all =
          here.length === 0 ? alternatives : alternatives.map((each) => [...here, ...each]);
        frontier.set(dep, either(frontier.get(dep), all));
      }
    }
    for (const { segment, when } of here.shared) {
      // On other paths, which go on in the segment, there is nothing to wait for.
      const here = this.here.when.filter((each) => !when.some((known) => same(known, each)));
      frontier.set({ segment, from: segment.computes.length }, [[...when, ...here]]);
    }
    here.segment = new Segment();
    here.shared = [];
  }

  /** Runs an async block: up to its first `await` in this segment, then beside this thread. */
  fork(body: ts.FunctionLikeDeclaration, run: (thread: Thread) => void): Completion {
    const { here } = this;
    const covers = new Set(here.frontier.keys());
    const { segment } = here;
    const from = segment.computes.length;
    const shared = [{ segment, when: [] }];
    const thread = new Thread(this.frame, body, { ...clone(here), shared });
    run(thread);
    const computed = segment.lastSince(from);
    if (computed.some(({ when }) => when.length === 0)) {
      for (const dep of covers) here.frontier.delete(dep);
    }
    for (const { draft, when } of computed) {
      here.frontier.set(draft, either(here.frontier.get(draft), [when]));
    }
    here.pending.clear();
    for (const started of thread.here.pending) here.pending.add(started);
    return { ends: thread.ended(), covers };
  }

  /** Leaves this path. */
  leave(kind: Exit["kind"], target: ts.Node | undefined, value: Returned): void {
    const path = this.here;
    const last = path.when.at(-1);
    const not = last && last.not !== true ? opposite(last) : undefined;
    this.exits.push({ kind, target, path, value, not });
    this.path = undefined;
  }
}

const ALWAYS: readonly (readonly Condition[])[] = [[]];

export function opposite({ decision, arm }: Condition): Condition {
  return { decision, arm, not: true };
}

function freshPath(): Path {
  return {
    frontier: new Map(),
    when: [],
    tests: [],
    segment: new Segment(),
    shared: [],
    pending: new Set(),
    lets: new Map(),
  };
}

export function clone(path: Path): Path {
  return {
    ...path,
    frontier: new Map(path.frontier),
    pending: new Set(path.pending),
    lets: new Map(path.lets),
  };
}

/**
 * Where several paths come together that went apart at `base`, but for their variables. `without`:
 * what does not hold where the others have left.
 */
export function meet(base: Path, paths: readonly Path[], without: readonly Condition[]): Path {
  const [first] = paths;
  if (first === undefined) throw new Error("no path leads here");
  if (paths.length === 1) return first;
  const frontier: Path["frontier"] = new Map();
  for (const path of paths) {
    for (const [dep, alternatives] of path.frontier) {
      frontier.set(dep, either(frontier.get(dep), alternatives));
    }
  }
  const segments = [...new Set(paths.map(({ segment }) => segment))];
  const [segment = first.segment, other] = segments;
  const when = [...base.when];
  for (const each of without) if (!when.some((known) => same(known, each))) when.push(each);
  return {
    frontier,
    when,
    tests: base.tests,
    segment: other === undefined ? segment : new Segment(segmentsOf(base, paths)),
    shared: other === undefined ? first.shared : sharedBy(paths),
    pending: new Set(paths.flatMap(({ pending }) => [...pending])),
    lets: new Map(),
  };
}

function segmentsOf(
  base: Path,
  paths: readonly Path[],
): { readonly segment: Segment; readonly when: readonly Condition[] }[] {
  return paths.map(({ segment, when }) => ({ segment, when: when.slice(base.when.length) }));
}

/** Whoever comes from an arm in which nothing was awaited still runs in the segment around. */
function sharedBy(paths: readonly Path[]): Path["shared"] {
  return paths.flatMap(({ shared, when }) =>
    shared.map(({ segment }) => ({ segment, when: [...when] })),
  );
}
