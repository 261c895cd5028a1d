/**
 * Runs that are started by nodes of other runs: each is a run of the same workflow, started under the
 * id that its node recorded, so that starting it again finds it.
 */
import type { RestatePromise, Serde } from "@restatedev/restate-sdk";
import { SagaFailedError, StenoError } from "steno-runtime";
import {
  type ActiveRun,
  awaitedAt,
  checkSame,
  codecsOf,
  decode,
  type Effect,
  encode,
  failureOf,
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
import type { Drive } from "./drive.js";
import type { Begun, Ending, Start } from "./protocol.js";

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
    const node = pathOf(frame, index);
    const attempt = frame.attempt[index] as number;
    const id = awaitedAt({ frame, index });
    const key = `spawn ${node} ${attempt}`;
    const failed = (error: unknown): SagaEvent => {
      const value = recordError(error, run.loaded.errors);
      return failureOf(run.state, frame, index, { at: drive.now, node, attempt, value });
    };
    let target: LoadedSaga;
    let params: string | undefined;
    try {
      target = this.#latest((nodeOf(frame, index) as { readonly target?: string }).target ?? "");
      const { inputs } = codecsOf(run, frame, index);
      const given = decode(inputs, frame.inputs[index] ?? "[]", `the input of \`${node}\` `);
      params = paramsText(target, (given as readonly unknown[])[1]);
    } catch (error) {
      const refused = journal.ctx.run(key, () => failed(error));
      journal.wait(key, refused, (event) => drive.record(event));
      return;
    }
    const { name: saga, hash } = target.manifest;
    const start: Start = { saga, hash, ...(params !== undefined && { params }) };
    const to = { service: this.#service, key: id };
    journal.ctx.genericSend({
      ...to,
      method: "run",
      parameter: start,
      inputSerde: asJson<Start>(),
    });
    const begun = this.#ask<Begun>(drive, id, "begun");
    journal.wait(key, begun, async (found, failure) => {
      const wrong = failure ?? otherwise(id, found, target, params);
      const at = await drive.read();
      // It may be in doubt by now, and started again.
      if (frame.phase[index] !== PHASE.working || frame.attempt[index] !== attempt) return;
      const value = JSON.stringify(id);
      if (wrong === undefined) await drive.record({ type: "spawned", at, node, value });
      else await drive.record(await drive.decide(`failure of ${node}`, () => failed(wrong)));
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
          try {
            if (failure !== undefined) throw failure;
            const value = this.#resultOf(id, ending);
            const { output } = codecsOf(run, frame, index);
            const text = encode(output, value, `the result of run \`${id}\``);
            return { type: "succeeded", ...base, ...(text !== undefined && { value: text }) };
          } catch (error) {
            const value = recordError(error, run.loaded.errors);
            return failureOf(run.state, frame, index, { ...base, value });
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

  /** @throws SagaFailedError */
  #resultOf(id: string, { status, hash, output, failures }: Ending): unknown {
    const target = this.#sagas.find(({ manifest }) => manifest.hash === hash);
    if (status === "undone") {
      const known = failures.map((failure) => sagaFailure(failure, target?.errors));
      throw new SagaFailedError(id, known);
    }
    return decode(target?.method.result ?? json, output, `the result of run \`${id}\``);
  }

  #latest(saga: string): LoadedSaga {
    const found = this.#sagas.find(({ manifest }) => manifest.name === saga);
    if (found !== undefined) return found;
    throw new StenoError("definition-not-open", `\`${saga}\` is not in \`sagas\``);
  }
}

/** The error for an id that belongs to another run. */
function otherwise(
  id: string,
  { saga, params }: Begun,
  target: LoadedSaga,
  wanted: string | undefined,
): Error | undefined {
  try {
    checkSame({ id, saga, params }, target, wanted);
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
