/** Reads runs on Restate, one at a time, as a store is read. What a store has besides, Restate has not. */
import { StenoError } from "steno-runtime";
import type { LoggedEvent, Manifest, RunRow, StoreReader } from "steno-runtime/host";
import { parseManifest } from "steno-runtime/host";
import { MISSING } from "./definitions.js";
import type { Ingress } from "./ingress.js";
import type { Tried } from "./listing.js";
import type { RowAnswer, RowQuery } from "./protocol.js";
import { unavailable } from "./unavailable.js";

/** What tells more of a run than it does itself. */
export interface Around {
  /** Definitions that need not be asked for. */
  known(hash: string): Manifest | undefined;
  /** What Restate knows of a run that may be without its definition; `undefined` if it cannot be asked. */
  tried(id: string): Promise<Tried | undefined>;
}

export class RestateReader implements StoreReader {
  readonly #ingress: Ingress;
  readonly #around: Around;
  readonly #brief: boolean;
  /** Of which run a definition can be asked. */
  readonly #runs = new Map<string, string>();

  /** `brief`: logs are read without values that say nothing of where a run is. */
  constructor(ingress: Ingress, around: Around, brief: boolean) {
    this.#ingress = ingress;
    this.#around = around;
    this.#brief = brief;
  }

  /** Without its params and output, unless they are asked for. */
  async run(id: string, query: RowQuery = {}): Promise<RunRow | undefined> {
    const answer = await this.#answer(id, query);
    if (answer === undefined) return undefined;
    const { params, output, reason, error, ...rest } = answer.row;
    if (this.#around.known(rest.hash) === undefined) this.#runs.set(rest.hash, id);
    const tried = answer.unserved && (await this.#around.tried(id));
    const why = tried?.inVain || tried?.atNewest ? MISSING : reason;
    return { ...rest, params, reason: why, output, error, wakeAt: undefined };
  }

  async #answer(id: string, query: RowQuery): Promise<RowAnswer | undefined> {
    try {
      return await this.#ingress.row(id, query);
    } catch (error) {
      if ((error as Partial<StenoError>).code !== "run-not-begun") throw error;
      if ((await this.#around.tried(id))?.inVain !== true) throw error;
      const message =
        `run \`${id}\` has not begun: its definition is not in \`sagas\` where Restate has looked for it; ` +
        "serve the bundle or module that it was started with, too; it begins then";
      throw new StenoError(MISSING, message, { cause: error });
    }
  }

  async events(id: string, after = -1, limit?: number): Promise<readonly LoggedEvent[]> {
    const events: LoggedEvent[] = [];
    for (;;) {
      const last = events.at(-1)?.seq ?? after;
      const left = limit === undefined ? {} : { limit: limit - events.length };
      const answer = await this.#ingress.read(id, { after: last, brief: this.#brief, ...left });
      events.push(...(answer?.events ?? []));
      if (answer?.more !== true) return events;
    }
  }

  async definition(hash: string): Promise<Manifest | undefined> {
    const known = this.#around.known(hash);
    const run = this.#runs.get(hash);
    if (known !== undefined || run === undefined) return known;
    return parseManifest(await this.#ingress.definition(run));
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
