/** Reads runs on Restate, one at a time, as a store is read. What a store has besides, Restate has not. */
import type { LoggedEvent, Manifest, RunRow, StoreReader } from "steno-runtime/host";
import { parseManifest } from "steno-runtime/host";
import type { Ingress } from "./ingress.js";
import { unavailable } from "./unavailable.js";

export class RestateReader implements StoreReader {
  readonly #ingress: Ingress;
  readonly #known: (hash: string) => Manifest | undefined;
  /** Of which run a definition can be asked. */
  readonly #runs = new Map<string, string>();

  /** `known`: definitions that need not be asked for. */
  constructor(ingress: Ingress, known: (hash: string) => Manifest | undefined) {
    this.#ingress = ingress;
    this.#known = known;
  }

  async run(id: string): Promise<RunRow | undefined> {
    const answer = await this.#ingress.read(id, {});
    if (answer === undefined) return undefined;
    const { params, reason, output, error, ...rest } = answer.row;
    if (this.#known(rest.hash) === undefined) this.#runs.set(rest.hash, id);
    return { ...rest, params, reason, output, error, wakeAt: undefined };
  }

  async events(id: string, after = -1, limit?: number): Promise<readonly LoggedEvent[]> {
    const answer = await this.#ingress.read(id, { after, ...(limit !== undefined && { limit }) });
    return answer?.events ?? [];
  }

  async definition(hash: string): Promise<Manifest | undefined> {
    const known = this.#known(hash);
    const run = this.#runs.get(hash);
    if (known !== undefined || run === undefined) return known;
    return parseManifest(await this.#ingress.definition(run, hash));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  runs(): never {
    throw unavailable("runs");
  }

  kept(): never {
    throw unavailable("setBreakpoint");
  }

  log(): never {
    throw unavailable("events");
  }

  lastCursor(): never {
    throw unavailable("events");
  }

  owned(): Promise<boolean> {
    return Promise.resolve(true);
  }

  request(): never {
    throw unavailable("store");
  }

  answer(): never {
    throw unavailable("store");
  }
}
