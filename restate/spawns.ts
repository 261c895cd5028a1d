/**
 * Runs that are started by nodes of other runs: each is a run of the same workflow, started under the
 * id that its node recorded, so that starting it again finds it.
 */
import type { RestatePromise, Serde } from "@restatedev/restate-sdk";
import { SagaFailedError, StenoError } from "steno-runtime";
import {
  type ActiveRun,
  awaitedAt,
  checkId,
  checkSame,
  codecsOf,
  decode,
  type Effect,
  encode,
  failureOf,
  type Frame,
  injectedAt,
  isHeld,
  json,
  type LoadedSaga,
  nodeOf,
  paramsText,
  pathOf,
  PHASE,
  recordError,
  type SagaEvent,
  sagaFailure,
} from "steno-runtime/host";
import { MISSING, missingOf } from "./definitions.js";
import type { Drive } from "./drive.js";
import type { Begun, Ending, Start } from "./protocol.js";
import { checkLength } from "./sizes.js";

/** An attempt of a node to start a run. */
interface Spawning {
  readonly run: ActiveRun;
  readonly frame: Frame;
  readonly index: number;
  readonly node: string;
  readonly attempt: number;
  /** Of the run that it starts. */
  readonly id: string;
}

export class Spawns {
  readonly #service: string;
  readonly #sagas: readonly LoadedSaga[];

  constructor(service: string, sagas: readonly LoadedSaga[]) {
    this.#service = service;
    this.#sagas = sagas;
  }

  /** Starts the run of a node. */
  begin(drive: Drive, run: ActiveRun, { frame, index }: Effect): void {
    const { journal } = drive;
    const spawning: Spawning = {
      ...{ run, frame, index },
      node: pathOf(frame, index),
      attempt: frame.attempt[index] as number,
      id: awaitedAt({ frame, index }),
    };
    const key = `start of ${spawning.node} ${spawning.attempt}`;
    // Which definition is the newest may be another in another version: what is started is journaled.
    const made = journal.ctx.run(key, () => this.#startOf(spawning, drive.now));
    journal.wait(key, made, async (given) => {
      if (!isUnderWay(spawning)) return;
      if ("refused" in given) await drive.record(given.refused);
      else this.#send(drive, spawning, given.start);
    });
  }

  /** What the run of a node is started with; or the failure of the node, if it cannot be. */
  #startOf(
    spawning: Spawning,
    at: number,
  ): { readonly start: Start } | { readonly refused: SagaEvent } {
    const { run, frame, index, node, id } = spawning;
    try {
      checkId(id);
      const { target } = nodeOf(frame, index) as { readonly target?: string };
      const saga = this.#latest(target ?? "");
      const { inputs } = codecsOf(run, frame, index);
      const given = decode(inputs, frame.inputs[index] ?? "[]", `the input of \`${node}\` `);
      const params = paramsText(saga, (given as readonly unknown[])[1]);
      checkLength("what it is started with", params, "params-invalid");
      const { name, hash } = saga.manifest;
      return { start: { saga: name, hash, ...(params !== undefined && { params }) } };
    } catch (error) {
      return { refused: failureAt(spawning, at, error) };
    }
  }

  #send(drive: Drive, spawning: Spawning, start: Start): void {
    const { journal } = drive;
    const { node, attempt, id } = spawning;
    const to = { service: this.#service, key: id, method: "run" };
    journal.ctx.genericSend({ ...to, parameter: start, inputSerde: asJson<Start>() });
    const begun = this.#ask<Begun>(drive, id, "begun");
    journal.wait(`spawn ${node} ${attempt}`, begun, async (found, failure) => {
      const wrong = failure ?? otherwise(id, found, start);
      const at = await drive.read();
      // It may be in doubt by now, and started again.
      if (!isUnderWay(spawning)) return;
      const value = JSON.stringify(id);
      if (wrong === undefined) await drive.record({ type: "spawned", at, node, value });
      else {
        const failed = (): SagaEvent => failureAt(spawning, drive.now, wrong);
        await drive.record(await drive.decide(`failure of ${node}`, failed));
      }
    });
  }

  /** Tells how the run of a node ends. */
  watch(drive: Drive, run: ActiveRun, { frame, index }: Effect): void {
    const { journal } = drive;
    const node = pathOf(frame, index);
    const id = awaitedAt({ frame, index });
    const ended = this.#ask<Ending>(drive, id, "ended");
    journal.wait(`watch ${node}`, ended, async (ending, failure) => {
      // While a run is held nothing is told: it asks again when it goes on.
      const isAsking = (): boolean => frame.phase[index] === PHASE.waiting && !isHeld(run.state);
      if (!isAsking()) return;
      await drive.read();
      if (!isAsking()) return;
      const attempt = frame.attempt[index] as number;
      await drive.record(
        await drive.decide(`end of ${node}`, () => {
          const base = { at: Math.max(drive.now, Date.now()), node, attempt };
          const injected = injectedAt(run.state, frame, index)?.error;
          if (injected !== undefined) {
            return failureOf(run.state, frame, index, { ...base, value: injected });
          }
          try {
            if (failure !== undefined) throw failure;
            const value = this.#resultOf(id, ending);
            const { output } = codecsOf(run, frame, index);
            const text = encode(output, value, `the result of run \`${id}\``);
            checkLength(`the result of run \`${id}\``, text, "value-invalid");
            return { type: "succeeded", ...base, ...(text !== undefined && { value: text }) };
          } catch (error) {
            // It is tried again, until it can be known.
            if (isUnknown(error)) throw error;
            return failureAt({ ...{ run, frame, index, node, attempt, id } }, base.at, error);
          }
        }),
      );
    });
  }

  /** Asks another run, which answers when it is so far. */
  #ask<T>({ journal }: Drive, id: string, method: "begun" | "ended"): RestatePromise<T> {
    const to = { service: this.#service, key: id, method, parameter: null };
    const [inputSerde, outputSerde] = [asJson<null>(), asJson<T>()];
    return journal.ctx.genericCall<null, T>({ ...to, inputSerde, outputSerde });
  }

  /** @throws SagaFailedError; StenoError `definition-missing` if it is not known what it means */
  #resultOf(id: string, { status, saga, hash, output, failures }: Ending): unknown {
    const target =
      this.#sagas.find(({ manifest }) => manifest.hash === hash) ??
      this.#sagas.find(({ manifest }) => manifest.name === saga);
    if (status === "undone") {
      const known = failures.map((failure) => sagaFailure(failure, target?.errors));
      throw new SagaFailedError(id, known);
    }
    try {
      return decode(target?.method.result ?? json, output, `the result of run \`${id}\``);
    } catch (cause) {
      const message = `${MISSING}: run \`${id}\` ${missingOf({ saga, hash })}; ${String(cause)}`;
      throw new StenoError(MISSING, message, { cause });
    }
  }

  #latest(saga: string): LoadedSaga {
    const found = this.#sagas.find(({ manifest }) => manifest.name === saga);
    if (found !== undefined) return found;
    throw new StenoError("definition-not-open", `\`${saga}\` is not in \`sagas\``);
  }
}

/** Not if it is in doubt by now, or given up. */
function isUnderWay({ frame, index, attempt }: Spawning): boolean {
  return frame.phase[index] === PHASE.working && frame.attempt[index] === attempt;
}

function isUnknown(error: unknown): boolean {
  return error instanceof StenoError && error.code === MISSING;
}

function failureAt(spawning: Spawning, at: number, error: unknown): SagaEvent {
  const { run, frame, index, node, attempt } = spawning;
  const value = recordError(error, run.loaded.errors);
  return failureOf(run.state, frame, index, { at, node, attempt, value });
}

/** The error for an id that belongs to another run. */
function otherwise(id: string, { saga, params }: Begun, start: Start): Error | undefined {
  try {
    checkSame({ id, saga, params }, { manifest: { name: start.saga } }, start.params);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function asJson<T>(): Serde<T> {
  return {
    contentType: "application/json",
    serialize: (value) => new TextEncoder().encode(JSON.stringify(value)),
    deserialize: (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as T,
  };
}
