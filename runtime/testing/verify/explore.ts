/**
 * Which scenarios there are: from what was seen of the good run, one fault at each node that it
 * came to; from what was seen of those, faults of the nodes and undos that only they came to; and
 * so on. It plays none.
 */
import type { LoggedEvent } from "../../events.js";
import {
  type Fault,
  forwardFaults,
  generalPath,
  hasUndo,
  type NodeFault,
  type Place,
  PROCESS,
  undoFaults,
} from "./faults.js";
import type { Seen } from "./scenario.js";

type Faults = readonly Fault[];

interface Base {
  readonly faults: Faults;
  readonly seen: Seen;
  /** The nodes that were undone, in the order in which that began. */
  readonly undone: readonly string[];
}

/** No scenario has more faults, so that what one needs to see why it fails can be held in mind. */
const DEPTH = 3;

/** Pairs that are tried: with a list of many items there is no end to them. */
const PAIRS = 200;

export class Explorer {
  readonly #places: ReadonlyMap<string, Place>;
  readonly #queue: Faults[] = [];
  readonly #pushed = new Set<string>();
  /** Each node that began, and the faults with which it first did. */
  readonly #begun = new Map<string, Faults>();
  readonly #undoFaulted = new Set<string>();
  /** By the path of a node: of the scenarios in which it was undone, the one that undid most. */
  readonly #bestUndo = new Map<string, Base>();
  #best: Base | undefined;
  #good: Base | undefined;

  constructor(places: ReadonlyMap<string, Place>) {
    this.#places = places;
  }

  /** What is still to be played, as far as is known. */
  get left(): number {
    return this.#queue.length;
  }

  /** The faults of the next scenario; the good run has been noted before. */
  next(): Faults | undefined {
    for (const look of PHASES) {
      if (this.#queue.length > 0) break;
      // Each may come upon nodes for those before it.
      look(this);
    }
    return this.#queue.shift();
  }

  /** Takes in what was seen of a scenario. */
  note(faults: Faults, seen: Seen): void {
    const undone = [
      ...new Set(seen.events.flatMap((e) => (e.type === "undo-started" ? [e.node] : []))),
    ];
    const base: Base = { faults, seen, undone };
    if (faults.length === 0) this.#good = base;
    if (faults.length >= DEPTH) return;
    for (const path of begunIn(seen.events)) {
      const place = this.#places.get(generalPath(path));
      if (place === undefined || this.#begun.has(path)) continue;
      this.#begun.set(path, faults);
      for (const what of forwardFaults(place.node)) this.#push(faults, path, what);
    }
    // What follows is to begin with what fails, and nothing else.
    if (!faults.every(({ what }) => what === "fails" || what === "unwound-after")) return;
    for (const path of undone) {
      const best = this.#bestUndo.get(path);
      if (best === undefined || best.undone.length < undone.length) this.#bestUndo.set(path, base);
    }
    if (undone.length > (this.#best?.undone.length ?? 0)) this.#best = base;
  }

  addUndos(): void {
    for (const [path, { faults, undone, seen }] of this.#bestUndo) {
      if (this.#undoFaulted.has(path)) continue;
      this.#undoFaulted.add(path);
      const { node } = this.#places.get(generalPath(path)) as Place;
      if (!hasUndo(node)) continue;
      for (const what of undoFaults(node)) this.#push(faults, path, what);
      const beside = overlaps(seen.events, "undo-started");
      if (undone.length > 1 && beside.some(([one, other]) => one === path || other === path)) {
        this.#push(faults, path, "undo-slow");
      }
    }
  }

  /** What no failure undoes, an operator may: the last nodes of a saga, and those of handlers. */
  addUnwinding(): void {
    for (const [path, faults] of this.#begun) {
      const place = this.#places.get(generalPath(path));
      if (place === undefined || !hasUndo(place.node) || this.#bestUndo.has(path)) continue;
      this.#push(faults, path, "unwound-after");
    }
  }

  addPairs(): void {
    const { seen } = this.#good as Base;
    let count = 0;
    for (const [one, other] of overlaps(seen.events, "started")) {
      const nodes = [one, other].map((path) => this.#places.get(generalPath(path))?.node);
      if (nodes.some((node) => node?.kind !== "action") || count++ >= PAIRS) continue;
      const fails = nodes.map(
        (node) => node !== undefined && forwardFaults(node).includes("fails"),
      );
      this.#push([], one, "slow");
      this.#push([], other, "slow");
      if (fails[0]) this.#push([{ node: one, what: "fails" }], other, "slow");
      if (fails[1]) this.#push([{ node: other, what: "fails" }], one, "slow");
      if (fails[0] && fails[1]) this.#push([{ node: one, what: "fails" }], other, "fails");
    }
  }

  /** The process dies before and after each commit, of the good run and of one that undoes most. */
  addDeaths(): void {
    for (const base of [this.#good, this.#best]) {
      for (let at = 1; at <= (base?.seen.commits ?? 0); at++) {
        for (const when of ["before", "after"]) {
          this.#push((base as Base).faults, PROCESS, `dies-${when}-${at}`);
        }
      }
    }
  }

  #push(faults: Faults, node: string, what: NodeFault | string): void {
    const all = [...faults, { node, what }];
    const key = JSON.stringify(all);
    if (this.#pushed.has(key)) return;
    this.#pushed.add(key);
    this.#queue.push(all);
  }
}

/** What is looked for when nothing is left to be played, in this order. */
const PHASES: readonly ((explorer: Explorer) => void)[] = [
  (explorer) => explorer.addUndos(),
  (explorer) => {
    explorer.addUnwinding();
    explorer.addUndos();
  },
  (explorer) => explorer.addPairs(),
  (explorer) => explorer.addDeaths(),
];

/** The nodes that began, or would have: also those that fail in place of beginning. */
export function begunIn(events: readonly LoggedEvent[]): readonly string[] {
  const paths = new Set<string>();
  for (const event of events) {
    if (!("node" in event) || event.node === "" || !BEGINNINGS.has(event.type)) continue;
    paths.add(event.node);
  }
  return [...paths];
}

const BEGINNINGS: ReadonlySet<string> = new Set([
  "started",
  "succeeded",
  "failed",
  "decided",
  "expanded",
  "timer-set",
  "spawned",
]);

/** Pairs of nodes that ran at the same time, or whose undos did. */
function overlaps(
  events: readonly LoggedEvent[],
  beginning: "started" | "undo-started",
): readonly (readonly [string, string])[] {
  const running = new Set<string>();
  const pairs: (readonly [string, string])[] = [];
  for (const event of events) {
    if (!("node" in event)) continue;
    const { node, type } = event;
    if (type === beginning) {
      for (const other of running) if (other !== node) pairs.push([other, node]);
      running.add(node);
    } else if (ENDS[beginning].has(type)) running.delete(node);
  }
  return pairs;
}

const ENDS: Readonly<Record<"started" | "undo-started", ReadonlySet<string>>> = {
  started: new Set(["succeeded", "failed", "failure-held"]),
  "undo-started": new Set(["undone", "undo-failed"]),
};
