/**
 * The second oracle: what running a saga means, as DESIGN says it, once more and as plainly as
 * possible: whenever something has happened it looks at everything again. It shares no code with the
 * runtime, only the manifest's format.
 *
 * 1. A node starts when everything it is after is complete. A graph's node is complete when all
 *    nodes inside are.
 * 2. When a node has failed for good, nothing new starts; what runs comes to its end, without another
 *    attempt; what never ran is abandoned.
 * 3. Then a node is undone once everything after it is settled: undone, never ran, or failed. The
 *    nodes inside a graph have their turn when the node that holds it has. A failed node whose undo
 *    covers that (`undoWhen: "started"`) is undone too.
 * 4. An undo that fails for good makes the run stuck: what runs comes to its end, nothing new starts.
 */
import type { ActionNode, Graph, Node, RetryPolicy } from "steno-runtime/manifest";
import type { Faults } from "./faults.js";

/** How a run ended, as far as everybody must agree on it. */
export interface Ending {
  readonly status: "succeeded" | "undone" | "stuck";
  /** The final state of each node, by its path. */
  readonly states: ReadonlyMap<string, string>;
  /** Every attempt of every body: when it began, and what it was. Sorted. */
  readonly attempts: readonly string[];
  /** The node of the first failure that was recorded, and all in which there was one, sorted. */
  readonly cause: string | undefined;
  readonly failed: readonly string[];
}

type State =
  | ("blocked" | "working" | "waiting-to-retry" | "done" | "failed" | "abandoned")
  | ("queued-undo" | "undo-working" | "waiting-to-retry-undo" | "undone" | "undo-failed");

/** One node of a run. */
interface Place {
  readonly node: Node;
  readonly path: string;
  /** The node that holds its graph. */
  readonly holder: Place | undefined;
  readonly before: Place[];
  readonly behind: Place[];
  readonly inside: Place[];
  state: State;
  attempts: number;
  undos: number;
}

const ONCE: RetryPolicy = { attempts: 1, delayMs: 0, factor: 1, maxDelayMs: 0, jitter: false };
const UNDO: RetryPolicy = {
  attempts: 5,
  delayMs: 200,
  factor: 2,
  maxDelayMs: 30_000,
  jitter: true,
};

/** Runs a graph under a fault schedule. Jitter shortens nothing here. */
export function interpret(graph: Graph, faults: Faults): Ending {
  return new Interpreter(graph, faults).run();
}

class Interpreter {
  private readonly places: Place[] = [];
  private readonly attempts: string[] = [];
  private readonly failures: string[] = [];
  private readonly agenda: { readonly at: number; readonly then: () => void }[] = [];
  private now = 0;
  private unwinding = false;

  constructor(
    graph: Graph,
    private readonly faults: Faults,
  ) {
    this.lay(graph, undefined);
  }

  run(): Ending {
    for (;;) {
      while (this.round());
      const next = this.agenda.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) break;
      this.now = next.at;
      next.then();
    }
    return {
      status: !this.unwinding ? "succeeded" : this.stuck ? "stuck" : "undone",
      states: new Map(this.places.map(({ path, state }) => [path, state])),
      attempts: [...this.attempts].sort(),
      cause: this.failures[0],
      failed: [...new Set(this.failures)].sort(),
    };
  }

  private get stuck(): boolean {
    return this.places.some(({ state }) => state === "undo-failed");
  }

  private lay(graph: Graph, holder: Place | undefined): Place[] {
    const laid = new Map<string, Place>();
    for (const node of graph.nodes) {
      const path = holder === undefined ? node.name : `${holder.path}/${node.name}`;
      const place: Place = {
        ...{ node, path, holder, inside: [], behind: [], attempts: 0, undos: 0, state: "blocked" },
        before: node.after.map((name) => laid.get(name as string) as Place),
      };
      for (const before of place.before) before.behind.push(place);
      laid.set(node.name, place);
      this.places.push(place);
      if (node.kind === "subsaga") place.inside.push(...this.lay(node.graph, place));
    }
    return [...laid.values()];
  }

  /** Does all there is to do now, for everything at once; false: nothing. */
  private round(): boolean {
    if (this.unwinding) return this.places.filter((place) => this.stepBack(place)).length > 0;
    const ready = this.places.filter((place) => this.isReady(place));
    // A computation that fails ends the round: nothing starts after it.
    for (const place of ready) if (!this.unwinding) this.stepForward(place);
    return ready.length > 0;
  }

  // --- going forward

  private isReady({ state, before, holder, inside, node }: Place): boolean {
    if (node.kind === "subsaga" && state === "working") {
      return inside.every((inner) => inner.state === "done");
    }
    const open = holder === undefined || holder.state === "working";
    return state === "blocked" && open && before.every((each) => each.state === "done");
  }

  private stepForward(place: Place): void {
    if (place.node.kind === "compute") this.compute(place);
    else if (place.node.kind === "action") this.attempt(place);
    else place.state = place.state === "blocked" ? "working" : "done";
  }

  private compute(place: Place): void {
    if (this.faults.fails("compute", place.path, 1)) this.fail(place);
    else place.state = "done";
  }

  private attempt(place: Place): void {
    place.state = "working";
    const attempt = ++place.attempts;
    this.attempts.push(`${this.now} act ${place.path} #${attempt}`);
    this.in(this.faults.latency("act", place.path, attempt), () => {
      const policy = (place.node as ActionNode).retry ?? ONCE;
      if (!this.faults.fails("act", place.path, attempt)) place.state = "done";
      else if (this.unwinding || attempt >= Number(policy.attempts)) this.fail(place);
      else {
        place.state = "waiting-to-retry";
        this.in(pause(policy, attempt), () => {
          if (place.state === "waiting-to-retry") this.attempt(place);
        });
      }
    });
  }

  private fail(place: Place): void {
    place.state = "failed";
    this.failures.push(place.path);
    if (this.unwinding) return;
    this.unwinding = true;
    for (const each of this.places) {
      if (each.state === "blocked") each.state = "abandoned";
      if (each.state === "waiting-to-retry") this.fail(each);
    }
  }

  // --- going back

  private stepBack(place: Place): boolean {
    const { state, node, inside } = place;
    if (!this.isTurnOf(place)) return false;
    if (node.kind === "subsaga") {
      if (state !== "done" && state !== "working") return false;
      // Its turn has come: it is open until what is inside is settled.
      if (inside.every((each) => this.isSettled(each))) {
        const failed = inside.some((each) => each.state === "failed");
        place.state = failed ? "failed" : "undone";
        return true;
      }
      place.state = "working";
      return state === "done";
    }
    const toUndo = state === "done" || (state === "failed" && coversFailure(node));
    if (toUndo && (node.kind !== "action" || node.undo === "none")) {
      place.state = "undone";
      return true;
    }
    if (toUndo && place.undos === 0) {
      place.state = "queued-undo";
      return true;
    }
    if (place.state !== "queued-undo" || this.stuck) return false;
    this.undo(place);
    return true;
  }

  private undo(place: Place): void {
    place.state = "undo-working";
    const attempt = ++place.undos;
    this.attempts.push(`${this.now} undo ${place.path} #${attempt}`);
    this.in(this.faults.latency("undo", place.path, attempt), () => {
      const policy = (place.node as ActionNode).undoRetry ?? UNDO;
      if (!this.faults.fails("undo", place.path, attempt)) place.state = "undone";
      else if (attempt >= Number(policy.attempts)) place.state = "undo-failed";
      else {
        place.state = "waiting-to-retry-undo";
        this.in(pause(policy, attempt), () => {
          if (!this.stuck) this.undo(place);
        });
      }
    });
  }

  /** Everything after it is settled, and what holds its graph has its turn too. */
  private isTurnOf({ behind, holder }: Place): boolean {
    return (
      behind.every((each) => this.isSettled(each)) &&
      (holder === undefined || this.isTurnOf(holder))
    );
  }

  private isSettled({ state, node }: Place): boolean {
    return (
      state === "undone" ||
      state === "abandoned" ||
      (state === "failed" && (node.kind === "subsaga" || !coversFailure(node)))
    );
  }

  private in(ms: number, then: () => void): void {
    this.agenda.push({ at: this.now + ms, then });
  }
}

function coversFailure(node: Node): boolean {
  return node.kind === "action" && node.undoWhen === "started" && node.undo !== "none";
}

function pause({ delayMs, factor, maxDelayMs }: RetryPolicy, attempt: number): number {
  return Math.min(delayMs * factor ** (attempt - 1), maxDelayMs);
}
