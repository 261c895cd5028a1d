/**
 * `verifySaga()`: lets a saga go wrong in every way that follows from its manifest and from a good
 * run, each in a world of its own, and checks how each ends. It needs no test framework.
 */
import type { AnyNodes, SagaDefinition } from "../definition.js";
import type { StenoError } from "../errors.js";
import type { LoggedEvent } from "../events.js";
import { checkCall, wrongCall } from "./verify/call.js";
import { type Judged, type Reference, snapshotOf, wrongWith } from "./verify/check.js";
import { Explorer } from "./verify/explore.js";
import { type Fault, nameOf, parseFaults, placesOf } from "./verify/faults.js";
import type { VerifyOptions } from "./verify/options.js";
import { Findings, SagaNotVerifiedError, type VerifyReport } from "./verify/report.js";
import { Scenario, type Seen, type Subject } from "./verify/scenario.js";

const DEFAULT_MAX_SCENARIOS = 2000;

/** The params of one case, and what its scenarios are called by. */
interface Case {
  readonly params: unknown;
  readonly prefix: string;
  readonly only: readonly Fault[] | undefined;
}

/**
 * Plays a good run, and then every way in which it can go wrong: each action fails, is repeated, has
 * its answer lost; each undo likewise; two fail together; what is parallel comes in another order;
 * the process dies before and after each commit. After each it checks the invariant, the snapshot,
 * and that repeats did no harm. Time is virtual: pauses, sleeps and timeouts take none.
 * @returns what was tried and what could not be reached; its `toString()` is a table
 * @throws SagaNotVerifiedError (`saga-not-verified`) if a scenario does not end well, all having been tried
 * @throws StenoError `verify-options` for a call that makes no sense
 */
export async function verifySaga<
  Instance extends object,
  Params,
  Result,
  World = undefined,
  Nodes = AnyNodes,
>(
  definition: SagaDefinition<Instance, Params, Result, Nodes>,
  options: VerifyOptions<Instance, Params, Result, World>,
): Promise<VerifyReport> {
  checkCall(definition, options);
  const places = placesOf(definition.manifest);
  const subject = {
    definition,
    options,
    places: new Map(places.map((place) => [place.path, place])),
  } as unknown as Subject<World>;
  const cases = casesOf(subject as unknown as Subject);
  const { name } = definition.manifest;
  const findings = new Findings(name, places, options);
  const player = new Player(subject, findings, options.maxScenarios ?? DEFAULT_MAX_SCENARIOS);
  for (const each of cases) await player.playCase(each);
  const report = findings.report(player.cut);
  if (report.scenarios.some(({ problem }) => problem !== undefined)) {
    throw new SagaNotVerifiedError(report);
  }
  return report;
}

function casesOf({ options }: Subject<unknown>): readonly Case[] {
  const { params, only } = options;
  const all: readonly unknown[] = Array.isArray(params) ? params : [params];
  const cases = all.map((each, index) => {
    const prefix = all.length === 1 ? "" : `params[${index}]: `;
    return { params: each, prefix, only: undefined };
  });
  if (only === undefined) return cases;
  const found = cases.find(({ prefix }) => only.startsWith(prefix));
  const faults = found && parseFaults(only.slice(found.prefix.length));
  if (found === undefined || faults === undefined) {
    throw wrongCall(
      `\`only\` is \`${only}\`, which is the name of no scenario: copy it from the error`,
    );
  }
  return [{ ...found, only: faults }];
}

class Player<World> {
  /** Whether there are scenarios that were not played. */
  cut = false;
  readonly #subject: Subject<World>;
  readonly #findings: Findings;
  readonly #most: number;
  /** Nodes that did not come to their end: nobody waits as long for them again. */
  readonly #hung = new Set<string>();

  constructor(subject: Subject<World>, findings: Findings, most: number) {
    this.#subject = subject;
    this.#findings = findings;
    this.#most = most;
  }

  async playCase(each: Case): Promise<void> {
    const explorer = new Explorer(this.#subject.places);
    const first: { before?: unknown; after?: unknown } = {};
    const good = await this.#play(each, [], undefined, first);
    // All that follows is compared with it.
    if (good === undefined) return;
    this.#findings.noteSnapshots(first.before, first.after);
    const reference: Reference = { before: first.before, after: first.after, good };
    if (each.only !== undefined) {
      if (each.only.length > 0) await this.#play(each, each.only, reference);
      return;
    }
    explorer.note([], good);
    for (let faults = explorer.next(); faults !== undefined; faults = explorer.next()) {
      if (this.#findings.excepts(faults)) continue;
      if (this.#findings.scenarios.length >= this.#most) {
        this.cut = true;
        return;
      }
      const seen = await this.#play(each, faults, reference);
      if (seen !== undefined) explorer.note(faults, seen);
    }
  }

  /** Gives what was seen; `undefined` if that can be no base for others. */
  async #play(
    each: Case,
    faults: readonly Fault[],
    reference: Reference | undefined,
    snapshots?: { before?: unknown; after?: unknown },
  ): Promise<Seen | undefined> {
    const { options } = this.#subject;
    const name = each.prefix + nameOf(faults);
    const world = (await options.world?.()) as World;
    this.#findings.noteObject("world", world, name);
    try {
      if (snapshots !== undefined) snapshots.before = await snapshotOf(options, world, []);
      const judged: Judged = { name, faults, params: each.params, reference };
      const scenario = new Scenario(this.#subject, each.params, faults, world, this.#hung);
      let seen: Seen<World>;
      try {
        seen = await scenario.play();
      } catch (error) {
        this.#couldNot(name, faults, error);
        return undefined;
      } finally {
        for (const object of scenario.instances)
          this.#findings.noteObject("instance", object, name);
      }
      const missed = each.only?.find(
        (fault) => faults.includes(fault) && !scenario.cameAbout(fault),
      );
      if (missed !== undefined) {
        throw wrongCall(
          `\`only\` is \`${name}\`, and the run does not come to \`${nameOf([missed])}\``,
        );
      }
      const problem = await wrongWith(this.#subject, judged, seen);
      if (snapshots !== undefined) {
        snapshots.after = await snapshotOf(options, world, seen.nonces);
      }
      const log = seen.events.map(lineOf);
      const told = { name, outcome: seen.outcome, log, ...(problem !== undefined && { problem }) };
      this.#findings.add(faults, told, seen.events);
      return problem === undefined || faults.length > 0 ? seen : undefined;
    } finally {
      await options.dispose?.(world);
    }
  }

  /** A scenario that did not come to an end, or could not begin. */
  #couldNot(name: string, faults: readonly Fault[], error: unknown): void {
    const { code, message } = error as StenoError;
    if (code === "verify-options") throw error;
    if (code === "pivot-passed") {
      this.#findings.refuse(faults, "behind a point of no return the run only goes forward");
      return;
    }
    const problem = message ?? String(error);
    this.#findings.add(faults, { name, outcome: undefined, problem, log: [] }, []);
  }
}

function lineOf(event: LoggedEvent): string {
  const node = "node" in event && event.node !== "" ? ` ${event.node}` : "";
  const value = "value" in event && event.value !== undefined ? ` ${event.value}` : "";
  return `${event.type}${node}${value.length > 120 ? `${value.slice(0, 120)}…` : value}`;
}
