/**
 * Breakpoints of all runs of a saga, also of those that are started later: kept in the store, so that
 * they outlast the coordinator. What one is, and those of a single run, are in
 * `machine/breakpoints.ts`.
 */
import { createHash } from "node:crypto";
import type { ActiveRun } from "../execution/active-run.js";
import type { CommandArguments } from "../control.js";
import { checkBreakpoint } from "./debugging.js";
import { StenoError } from "../errors.js";
import type { Executor } from "../executor.js";
import type { LoadedSaga } from "../execution/loaded-saga.js";
import type { Breakpoint } from "../machine/breakpoints.js";

/**
 * What the names begin with under which a store keeps them: each under one of its own, so that several
 * coordinators can set and clear them at the same time.
 */
const BREAKPOINT = "breakpoint/";

/** As earlier versions kept them: all of a saga in one list, by its name. */
const BREAKPOINTS_OF = "breakpoints/";

const NONE: readonly Breakpoint[] = [];

export class SagaBreakpoints {
  readonly #sagas: readonly LoadedSaga[];
  readonly #executor: () => Executor;
  readonly #bySaga = new Map<string, readonly Breakpoint[]>();
  /** Those of earlier versions. */
  readonly #listed = new Map<string, readonly Breakpoint[]>();

  constructor(sagas: readonly LoadedSaga[], executor: () => Executor) {
    this.#sagas = sagas;
    this.#executor = executor;
  }

  /** Takes those that the store has kept. */
  load(kept: ReadonlyMap<string, string>): void {
    this.#bySaga.clear();
    this.#listed.clear();
    for (const [name, value] of kept) {
      if (name.startsWith(BREAKPOINT)) {
        const [saga, place] = JSON.parse(value) as [string, Breakpoint];
        this.#add(saga, place);
      } else if (name.startsWith(BREAKPOINTS_OF)) {
        const saga = name.slice(BREAKPOINTS_OF.length);
        const list = JSON.parse(value) as Breakpoint[];
        this.#listed.set(saga, list);
        for (const place of list) this.#add(saga, place);
      }
    }
  }

  #add(saga: string, place: Breakpoint): void {
    const list = this.#bySaga.get(saga) ?? NONE;
    if (!list.includes(place)) this.#bySaga.set(saga, [...list, place]);
  }

  of({ loaded }: ActiveRun): readonly Breakpoint[] {
    return this.#bySaga.get(loaded.manifest.name) ?? NONE;
  }

  /**
   * Sets or clears one; not durably yet.
   * @throws StenoError `definition-not-open`, `no-such-node`, `bad-breakpoint`
   */
  change(saga: string, args: CommandArguments): void {
    // One that is cleared may be of a saga, or at a node, that is no more.
    const place =
      args.clear === true
        ? (`${args.at ?? "before"} ${args.node ?? ""}` as Breakpoint)
        : this.#check(saga, args);
    // Whatever is known here: another coordinator may have changed it just now.
    const name = nameOf(saga, place);
    if (args.clear !== true) {
      this.#add(saga, place);
      this.#keep(name, JSON.stringify([saga, place]));
      return;
    }
    const without = (list: readonly Breakpoint[] = NONE): readonly Breakpoint[] =>
      list.filter((each) => each !== place);
    this.#bySaga.set(saga, without(this.#bySaga.get(saga)));
    this.#keep(name, undefined);
    const listed = this.#listed.get(saga);
    if (listed?.includes(place) !== true) return;
    const left = without(listed);
    this.#listed.set(saga, left);
    this.#keep(BREAKPOINTS_OF + saga, left.length === 0 ? undefined : JSON.stringify(left));
  }

  /** A node that any of the definitions has is one. */
  #check(saga: string, args: CommandArguments): Breakpoint {
    const found = this.#sagas.filter(({ manifest }) => manifest.name === saga);
    let failure: unknown = new StenoError(
      "definition-not-open",
      `there is no saga \`${saga}\` here: it has ${this.#sagas.map(({ manifest }) => `\`${manifest.name}\``).join(", ")}`,
    );
    for (const { plan } of found.reverse()) {
      try {
        return checkBreakpoint(plan, args);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #keep(name: string, value: string | undefined): void {
    this.#executor().write({ kind: "keep", name, value });
  }
}

/** Names of nodes may be longer than a store takes for a name. */
function nameOf(saga: string, place: Breakpoint): string {
  const text = JSON.stringify([saga, place]);
  return BREAKPOINT + createHash("sha256").update(text).digest("hex");
}
