/**
 * How many attempts may run at the same time, over all runs of a coordinator: who has a place, and
 * who waits for one. It decides when something starts, never what or in which order within a run.
 *
 * An attempt takes the places of all its limits together, or of none, so that two can never wait for
 * each other. It takes them if each has room and nobody older waits there; undos are before all
 * forward attempts, so that none waits for what its own run would still start.
 */
import type { ActiveRun, Due } from "./active-run.js";
import { codecsOf, instanceOf } from "./answers.js";
import { decode } from "../codec.js";
import { StenoError } from "../errors.js";
import { isWanted } from "../machine/outstanding.js";
import type { ActionNode } from "../manifest.js";
import { nodeOf, pathOf } from "../state.js";

/** An attempt of an action, or of its undo, that a limit may be for. */
export interface LimitedAttempt {
  /** The run, and its saga. */
  readonly id: string;
  readonly saga: string;
  /** `Class.method`. */
  readonly action: string;
  readonly node: string;
  readonly undo: boolean;
  /** Of the run. */
  readonly params: unknown;
  /** Of the action. */
  readonly inputs: readonly unknown[];
}

/** Attempts of which only so many run at the same time. All conditions that are given hold. */
export interface Limit {
  /** A whole number from 1. */
  readonly atMost: number;
  /** Only those of runs of this saga, or of its part in other runs. */
  readonly saga?: string;
  /** Only those of this action, and of its undo: `Class.method`, or the method alone. */
  readonly action?: string;
  /**
   * Counts those of each key apart: `({ params }) => params.customer`. With `undefined` the attempt
   * is not limited. Called more than once; it should do nothing else.
   */
  readonly key?: (attempt: LimitedAttempt) => string | number | undefined;
  /** What operators see; else it is made of the other properties. */
  readonly name?: string;
}

/** The places of one limit, of one key if it has keys. */
interface Places {
  readonly id: string;
  readonly name: string;
  readonly atMost: number;
  taken: number;
  readonly undos: Waiting[];
  readonly forward: Waiting[];
}

interface Waiting extends Due {
  readonly node: string;
  readonly undo: boolean;
  readonly places: readonly Places[];
  /** It has begun, or is not to begin any more. */
  gone: boolean;
}

/** @throws StenoError `bad-limit` */
export function checkLimits(limits: readonly Limit[] = []): readonly Limit[] {
  for (const { atMost } of limits) {
    if (Number.isSafeInteger(atMost) && atMost > 0) continue;
    throw new StenoError(
      "bad-limit",
      `a limit is \`atMost: ${atMost}\`: give a whole number from 1`,
    );
  }
  return limits;
}

export class Limits {
  readonly #limits: readonly Limit[];
  /** Begins an attempt that waited; its places are taken. */
  readonly #begin: (due: Due) => void;
  readonly #warn: (message: string) => void;
  readonly #places = new Map<string, Places>();
  readonly #held = new Map<ActiveRun, Map<string, readonly Places[]>>();
  readonly #waiting = new Map<ActiveRun, Map<string, Waiting>>();
  /** Places of attempts that have ended, which nobody else was given yet. */
  readonly #freed: Places[] = [];

  constructor(
    limits: readonly Limit[],
    begin: (due: Due) => void,
    warn: (message: string) => void,
  ) {
    this.#limits = limits;
    this.#begin = begin;
    this.#warn = warn;
  }

  get areSet(): boolean {
    return this.#limits.length > 0;
  }

  /** Whether an attempt may begin now; else it is begun later. `inputs`: JSON text. */
  admit(due: Due, undo: boolean, inputs: string | undefined): boolean {
    if (this.#limits.length === 0) return true;
    const { run, effect } = due;
    const node = pathOf(effect.frame, effect.index);
    // Its places were taken when its turn came.
    if (this.#held.get(run)?.has(node) === true) return true;
    if (this.#waiting.get(run)?.has(node) === true) return false;
    const places = this.#placesOf(due, node, undo, inputs);
    if (places.length === 0) return true;
    const waits = places.some((each) => {
      const first = firstOf(each);
      return each.taken >= each.atMost || (first !== undefined && (first.undo || !undo));
    });
    if (!waits) {
      this.#take(run, node, places);
      return true;
    }
    const waiting: Waiting = { run, effect, node, undo, places, gone: false };
    for (const each of places) (undo ? each.undos : each.forward).push(waiting);
    put(this.#waiting, run, node, waiting);
    (run.limited ??= new Map()).set(node, places.map(({ name }) => name).join(", "));
    return false;
  }

  /**
   * An attempt has ended: its places are free for what follows from that, which may be the undo of the
   * same node; for those that wait, when `fill()` is called.
   */
  end(run: ActiveRun, node: string): void {
    const places = this.#held.get(run)?.get(node);
    if (places === undefined) return;
    remove(this.#held, run, node);
    for (const each of places) each.taken -= 1;
    this.#freed.push(...places);
  }

  /** Who waited longest for places that are free may begin. */
  fill(): void {
    if (this.#freed.length > 0) this.#fill(this.#freed.splice(0));
  }

  /** An attempt has ended, and nothing follows from that. */
  release(run: ActiveRun, node: string): void {
    this.end(run, node);
    this.fill();
  }

  /** Something became of a run: what of it waited may not be wanted any more. */
  review(run: ActiveRun): void {
    for (const waiting of [...(this.#waiting.get(run)?.values() ?? [])]) {
      if (isStillWanted(waiting)) continue;
      this.#forget(waiting);
      this.#fill(waiting.places);
    }
  }

  /** A run is no more, or not here. */
  drop(run: ActiveRun): void {
    for (const node of [...(this.#held.get(run)?.keys() ?? [])]) this.release(run, node);
    this.review(run);
  }

  #take(run: ActiveRun, node: string, places: readonly Places[]): void {
    for (const each of places) each.taken += 1;
    put(this.#held, run, node, places);
  }

  #forget(waiting: Waiting): void {
    waiting.gone = true;
    remove(this.#waiting, waiting.run, waiting.node);
    waiting.run.limited?.delete(waiting.node);
  }

  #fill(some: readonly Places[]): void {
    const open = [...some];
    for (let places = open.pop(); places !== undefined; places = open.pop()) {
      for (let next = firstOf(places); next !== undefined; next = firstOf(places)) {
        const waiting = next;
        if (!isStillWanted(waiting)) {
          // What ended just now may have made its run unwind.
          this.#forget(waiting);
          open.push(...waiting.places);
          continue;
        }
        const mayBegin = waiting.places.every(
          (each) => each.taken < each.atMost && firstOf(each) === waiting,
        );
        if (!mayBegin) break;
        this.#forget(waiting);
        this.#take(waiting.run, waiting.node, waiting.places);
        // It is no longer in the way of those behind it.
        open.push(...waiting.places);
        this.#begin(waiting);
      }
      const isEmpty = places.taken === 0 && firstOf(places) === undefined;
      // Others may have its id by now.
      if (isEmpty && this.#places.get(places.id) === places) this.#places.delete(places.id);
    }
  }

  #placesOf(due: Due, node: string, undo: boolean, inputs: string | undefined): Places[] {
    const { run, effect } = due;
    const { frame, index } = effect;
    const method = (nodeOf(frame, index) as ActionNode).action;
    const saga = run.loaded.manifest.name;
    const action = `${instanceOf(run, frame).constructor.name}.${method}`;
    const found: Places[] = [];
    for (const [place, limit] of this.#limits.entries()) {
      if (limit.saga !== undefined && limit.saga !== saga && limit.saga !== frame.plan.saga)
        continue;
      if (limit.action !== undefined && limit.action !== action && limit.action !== method)
        continue;
      const key = this.#keyOf(limit, () => ({
        ...{ id: run.id, saga, action, node, undo },
        params: decode(run.loaded.method.params, run.state.root.params, "the params"),
        inputs: decode(
          codecsOf(run, frame, index).inputs,
          inputs ?? "[]",
          `the input of \`${node}\` `,
        ) as unknown[],
      }));
      if (limit.key !== undefined && key === undefined) continue;
      const id = `${place} ${key ?? ""}`;
      const what = limit.name ?? limit.action ?? limit.saga ?? "all";
      const name = key === undefined ? what : `${what} [${key}]`;
      let places = this.#places.get(id);
      if (places === undefined) {
        places = { id, name, atMost: limit.atMost, taken: 0, undos: [], forward: [] };
        this.#places.set(id, places);
      }
      found.push(places);
    }
    return found;
  }

  #keyOf({ key }: Limit, attempt: () => LimitedAttempt): string | undefined {
    if (key === undefined) return undefined;
    try {
      const found = key(attempt());
      return found === undefined ? undefined : String(found);
    } catch (error) {
      // Neither the run's fault nor a reason to run without a limit.
      this.#warn(
        `the key of a limit cannot be told, and counts as one with others: ${String(error)}`,
      );
      return "?";
    }
  }
}

function isStillWanted({ run, effect }: Waiting): boolean {
  return !run.refused && !run.left && isWanted(run.state, effect);
}

/** Who is first to have a place when there is one: undos before all others. */
function firstOf({ undos, forward }: Places): Waiting | undefined {
  for (const list of [undos, forward]) {
    while (list[0]?.gone === true) list.shift();
    if (list[0] !== undefined) return list[0];
  }
  return undefined;
}

function put<T>(map: Map<ActiveRun, Map<string, T>>, run: ActiveRun, node: string, value: T): void {
  const nodes = map.get(run);
  if (nodes === undefined) map.set(run, new Map([[node, value]]));
  else nodes.set(node, value);
}

function remove<T>(map: Map<ActiveRun, Map<string, T>>, run: ActiveRun, node: string): void {
  const nodes = map.get(run);
  if (nodes?.delete(node) === true && nodes.size === 0) map.delete(run);
}
