/**
 * Breakpoints of all runs of a saga, also of those that are started later: kept in the store, so that
 * they outlast the coordinator. What one is, and those of a single run, are in
 * `machine/breakpoints.ts`.
 */
import type { ActiveRun } from "../execution/active-run.js";
import type { CommandArguments } from "../control.js";
import { checkBreakpoint } from "./debugging.js";
import { StenoError } from "../errors.js";
import type { Executor } from "../executor.js";
import type { LoadedSaga } from "../execution/loaded-saga.js";
import type { Breakpoint } from "../machine/breakpoints.js";

/** What the names begin with under which a store keeps them. */
export const BREAKPOINTS_OF = "breakpoints/";

const NONE: readonly Breakpoint[] = [];

export class SagaBreakpoints {
  readonly #sagas: readonly LoadedSaga[];
  readonly #executor: () => Executor;
  readonly #bySaga = new Map<string, readonly Breakpoint[]>();

  constructor(sagas: readonly LoadedSaga[], executor: () => Executor) {
    this.#sagas = sagas;
    this.#executor = executor;
  }

  /** Takes those that the store has kept. */
  load(kept: ReadonlyMap<string, string>): void {
    this.#bySaga.clear();
    for (const [name, value] of kept) {
      if (!name.startsWith(BREAKPOINTS_OF)) continue;
      this.#bySaga.set(name.slice(BREAKPOINTS_OF.length), JSON.parse(value) as Breakpoint[]);
    }
  }

  of({ loaded }: ActiveRun): readonly Breakpoint[] {
    return this.#bySaga.get(loaded.manifest.name) ?? NONE;
  }

  list(saga: string): readonly Breakpoint[] {
    return this.#bySaga.get(saga) ?? NONE;
  }

  /**
   * Sets or clears one; not durably yet.
   * @throws StenoError `definition-not-open`, `no-such-node`, `bad-breakpoint`
   */
  change(saga: string, args: CommandArguments): void {
    const before = this.list(saga);
    const name = BREAKPOINTS_OF + saga;
    if (args.clear === true) {
      // Also of a saga, or at a node, that is no more.
      const place = `${args.at ?? "before"} ${args.node ?? ""}`;
      this.#keep(
        saga,
        name,
        before.filter((each) => each !== place),
      );
      return;
    }
    const place = this.#check(saga, args);
    if (!before.includes(place)) this.#keep(saga, name, [...before, place]);
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

  #keep(saga: string, name: string, list: readonly Breakpoint[]): void {
    if (list.length === 0) this.#bySaga.delete(saga);
    else this.#bySaga.set(saga, list);
    const value = list.length === 0 ? undefined : JSON.stringify(list);
    this.#executor().write({ kind: "keep", name, value });
  }
}
