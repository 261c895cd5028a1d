/**
 * Runs that are started by nodes of other runs: each is started under an id that its node recorded,
 * so that starting it again after a crash finds it, and may be waited for. How a run is started and
 * found is the coordinator's.
 */
import type { ActiveRun } from "./active-run.js";
import { codecsOf } from "./answers.js";
import { decode, encode } from "../codec.js";
import { StenoError } from "../errors.js";
import type { Executor } from "../executor.js";
import type { LoadedSaga } from "./loaded-saga.js";
import { failureOf } from "../machine/holding.js";
import { injectedAt } from "../machine/injections.js";
import type { PlainNode } from "../manifest.js";
import { recordError } from "../codec/recorded-error.js";
import { awaitedAt, spawningNodes } from "../machine/waiting.js";
import { type Frame, isHeld, nodeOf, pathOf, PHASE, type Place } from "../state.js";

export interface SpawnHost {
  /** Starts a run, or finds the one with that id; resolves when it is durable. */
  start(saga: string, params: unknown, id: string): Promise<unknown>;
  isFinished(id: string): Promise<boolean>;
  /** The result of a run that is finished; throws as `result()` does. */
  result(id: string): Promise<unknown>;
  /** The ids of runs that may wait for a run. */
  awaiting(id: string): Promise<readonly string[]>;
  active(id: string): ActiveRun | undefined;
  /** Brings a run back into memory, if no other coordinator has it. */
  bring(id: string): Promise<"elsewhere" | undefined>;
  /** Tells other coordinators that a run is finished. */
  tellOthers(id: string): void;
}

export class Spawns {
  readonly #host: SpawnHost;
  readonly #executor: () => Executor;

  constructor(host: SpawnHost, executor: () => Executor) {
    this.#host = host;
    this.#executor = executor;
  }

  /** Starts the run of a node. */
  async begin(run: ActiveRun, frame: Frame, index: number): Promise<void> {
    const { target = "" } = nodeOf(frame, index) as PlainNode;
    const node = pathOf(frame, index);
    const attempt = frame.attempt[index] as number;
    const { inputs } = codecsOf(run, frame, index);
    const id = awaitedAt({ frame, index });
    try {
      const given = decode(inputs, frame.inputs[index] ?? "[]", `the input of \`${node}\` `);
      const [, params] = given as readonly unknown[];
      await this.#host.start(target, params, id);
    } catch (error) {
      if (isInterruption(error)) return;
      const at = this.#executor().clock.now();
      const failed = { at, node, attempt, value: recordError(error, run.loaded.errors) };
      this.#executor().record(run, failureOf(run.state, frame, index, failed));
      return;
    }
    const at = this.#executor().clock.now();
    this.#executor().record(run, { type: "spawned", at, node, value: JSON.stringify(id) });
  }

  /** Tells how the run of a node ends, if it has ended; else `finished` does. */
  watch(run: ActiveRun, frame: Frame, index: number): void {
    const id = awaitedAt({ frame, index });
    // If the store cannot be read now, the next owner asks again.
    void this.#keeping(run, async () => {
      if (await this.#host.isFinished(id)) await this.#tell(run, { frame, index }, id);
    });
  }

  /** A run is finished. One that is stuck may still go on. */
  async finished(id: string): Promise<void> {
    for (const waiting of await this.#host.awaiting(id)) {
      const run = this.#host.active(waiting);
      // Brought back, it asks by itself.
      if (run !== undefined) this.tell(run, id);
      else if ((await this.#host.bring(waiting)) === "elsewhere") this.#host.tellOthers(id);
    }
  }

  /** A run that this one may wait for is finished. */
  tell(run: ActiveRun, id: string): void {
    void this.#keeping(run, () => this.#tellAll(run, id));
  }

  /** The run stays in memory until it is done. */
  async #keeping(run: ActiveRun, act: () => Promise<unknown>): Promise<void> {
    run.pending += 1;
    try {
      await act();
    } catch {
      // As above.
    } finally {
      run.pending -= 1;
      this.#executor().touch(run);
    }
  }

  async #tellAll(run: ActiveRun, id: string): Promise<void> {
    for (const place of spawningNodes(run.state)) {
      if (awaitedAt(place) === id) await this.#tell(run, place, id);
    }
  }

  async #tell(run: ActiveRun, { frame, index }: Place, id: string): Promise<void> {
    if (!isAsking(run, frame, index)) return;
    const node = pathOf(frame, index);
    const attempt = frame.attempt[index] as number;
    const event = await this.#endOf(run, { frame, index }, id);
    if (event === undefined || !isAsking(run, frame, index)) return;
    const at = this.#executor().clock.now();
    if (event.type === "succeeded") {
      this.#executor().record(run, { at, node, attempt, ...event });
      return;
    }
    const failed = { at, node, attempt, value: event.value };
    this.#executor().record(run, failureOf(run.state, frame, index, failed));
  }

  /** How the run of a node ended, as far as that can be known now. */
  async #endOf(run: ActiveRun, { frame, index }: Place, id: string): Promise<Ended | undefined> {
    const injected = injectedAt(run.state, frame, index)?.error;
    if (injected !== undefined) return { type: "failed", value: injected };
    return this.#host.result(id).then(
      (result) => {
        const { output } = codecsOf(run, frame, index);
        const value = encode(output, result, `the result of run \`${id}\``);
        return { type: "succeeded", ...(value !== undefined && { value }) } as const;
      },
      (error: unknown) => {
        // Its failure, and not that it cannot be known here now: the node goes on waiting.
        if ((error as { readonly code?: unknown }).code !== "saga-failed") return undefined;
        return { type: "failed", value: recordError(error, run.loaded.errors) } as const;
      },
    );
  }
}

type Ended =
  | { readonly type: "succeeded"; readonly value?: string }
  | { readonly type: "failed"; readonly value: string };

/** While a run is held nothing is told: it asks again when it goes on. */
function isAsking({ state }: ActiveRun, frame: Frame, index: number): boolean {
  return frame.phase[index] === PHASE.waiting && !isHeld(state);
}

/** Whether the run was not refused, but could not be started now: the next owner will. */
function isInterruption(error: unknown): boolean {
  const { code } = error as Partial<StenoError>;
  return code === "coordinator-closed" || code?.startsWith("store-") === true;
}

/**
 * A saga that starts another can only be run where that one can.
 * @throws StenoError `definition-not-open`
 */
export function checkSpawns(sagas: readonly LoadedSaga[]): void {
  const names = new Set(sagas.map(({ manifest }) => manifest.name));
  for (const { manifest, graphs } of sagas) {
    for (const node of [...graphs.keys()].flatMap(({ nodes }) => nodes)) {
      if (node.kind !== "spawn" || names.has(node.target ?? "")) continue;
      throw new StenoError(
        "definition-not-open",
        `\`${manifest.name}\` starts \`${node.target}\`, which is not in \`sagas\`: ` +
          "add `definition.on(instance)` of it, too",
      );
    }
  }
}
