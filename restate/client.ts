/**
 * Starts, reads and operates runs on Restate, from any process; it executes nothing. What it gives are
 * the same handles that a coordinator gives.
 */
import { randomUUID } from "node:crypto";
import {
  type Run,
  type RunPage,
  type RunQuery,
  type SagaDefinition,
  StenoError,
} from "steno-runtime";
import {
  type AnySagaDefinition,
  argumentsText,
  checkId,
  checkSame,
  type Codec,
  type CommandArguments,
  differenceOf,
  json,
  type LoadedSaga,
  loadDefinition,
  type Manifest,
  newNonce,
  type NodeCodecs,
  paramsText,
  polled,
  Run as RunHandle,
  type RunHost,
  runPruned,
  type RunRow,
  type Started,
  storedArguments,
} from "steno-runtime/host";
import { MISSING, missingOf } from "./definitions.js";
import { Ingress } from "./ingress.js";
import { listRuns, type ListingOptions, type Tried, triedFor } from "./listing.js";
import { SERVICE } from "./protocol.js";
import { type Around, RestateReader } from "./reader.js";
import { checkLength } from "./sizes.js";
import { refuseUnavailable, unavailable } from "./unavailable.js";

export interface StenoRestateOptions {
  /** Where Restate takes calls: `http://127.0.0.1:8080`. */
  readonly ingress: string;
  /** Where Restate is administered, to list runs and to find those without their definition: `http://127.0.0.1:9070`. */
  readonly admin?: string;
  /** The definitions whose runs are read: what is typed, or no JSON, is read with them. */
  readonly sagas?: readonly AnySagaDefinition[];
  /** The name that the workflow was given: `steno` unless told. */
  readonly service?: string;
  /** Sent with each call to Restate, for whoever guards it. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long a call is tried again while Restate cannot be reached, in milliseconds: 30,000 unless told. */
  readonly patienceMs?: number;
}

export interface RestateStartOptions {
  /** The same id is the same run. A random one unless told. */
  readonly id?: string;
  /** Nothing of it starts before `resume()`. */
  readonly paused?: boolean;
}

const PATIENCE_MS = 30_000;
/** How long one call waits for a run to rest: shorter than any proxy's patience. */
const WAIT_MS = 50_000;
/** The codes of commands that bring values. */
const TOO_LONG: Readonly<Record<string, string>> = {
  send: "payload-invalid",
  settle: "output-invalid",
};
/** How often a run that is watched is looked at. */
const POLL_MS = 500;

/**
 * Where runs are started and operated on Restate.
 * @throws StenoError for an option that is not for Restate
 */
export function stenoRestate(options: StenoRestateOptions): StenoRestate {
  return new StenoRestate(options);
}

export class StenoRestate {
  readonly #ingress: Ingress;
  readonly #listing: ListingOptions | undefined;
  readonly #reader: RestateReader;
  /** For where a run is. */
  readonly #briefReader: RestateReader;
  /** By their hashes. */
  readonly #sagas = new Map<string, LoadedSaga>();

  /** Made by `stenoRestate` only. */
  constructor(options: StenoRestateOptions) {
    refuseUnavailable(options);
    const { ingress, admin, service = SERVICE, headers = {}, patienceMs = PATIENCE_MS } = options;
    const common = { service, headers, patienceMs };
    this.#ingress = new Ingress({ ...common, ingress });
    this.#listing = admin === undefined ? undefined : { ...common, admin };
    const around: Around = {
      known: (hash) => this.#sagas.get(hash)?.manifest,
      tried: (id) => this.#tried(id),
    };
    this.#reader = new RestateReader(this.#ingress, around, false);
    this.#briefReader = new RestateReader(this.#ingress, around, true);
    for (const definition of options.sagas ?? []) this.#load(definition);
  }

  /**
   * Starts a run; resolves when Restate has it durably.
   * @throws StenoError `params-invalid` for params that are not of their type, `run-exists` when the
   * id belongs to a run of another saga or with other params
   */
  async start<Instance extends object, Params, Result, Nodes, Errors extends Error>(
    definition: SagaDefinition<Instance, Params, Result, Nodes, Errors>,
    params: Params,
    options: RestateStartOptions = {},
  ): Promise<Run<Result, Nodes, Errors>> {
    refuseUnavailable(options);
    const { id = randomUUID(), paused = false } = options;
    const saga = this.#load(definition as unknown as AnySagaDefinition);
    const text = paramsText(saga, params);
    checkId(id);
    checkLength("what it is started with", text, "params-invalid");
    const { name, hash } = saga.manifest;
    const nonce = newNonce();
    const start = { saga: name, hash, paused, nonce, ...(text !== undefined && { params: text }) };
    if (await this.#ingress.start(id, start)) return this.#handle({ id, nonce });
    const row = await this.#reader.run(id, { params: true });
    // It was removed just now.
    if (row === undefined) return this.start(definition, params, { id, paused });
    checkSame(row, saga, text);
    return this.#handle(row);
  }

  /** The handle of a run, finished or not; `undefined` if there is none. */
  async run(id: string): Promise<Run | undefined> {
    checkId(id);
    const row = await this.#reader.run(id);
    return row && this.#handle(row);
  }

  /**
   * Lists runs that have begun, oldest first: a page of them, and the cursor of the next.
   * @throws StenoError `bad-cursor`, `bad-limit`; `not-on-restate` without `admin`
   */
  async runs(query: RunQuery = {}): Promise<RunPage> {
    if (this.#listing === undefined) throw unavailable("runs");
    return listRuns(this.#listing, query);
  }

  /** @throws StenoError `not-on-restate`, always */
  export(): never {
    throw unavailable("export");
  }

  /** @throws StenoError `not-on-restate`, always */
  prune(): never {
    throw unavailable("prune");
  }

  /** @throws StenoError `not-on-restate`, always */
  events(): never {
    throw unavailable("events");
  }

  /** @throws StenoError `not-on-restate`, always */
  drain(): never {
    throw unavailable("drain");
  }

  /** @throws StenoError `not-on-restate`, always */
  setBreakpoint(): never {
    throw unavailable("setBreakpoint");
  }

  /** @throws StenoError `not-on-restate`, always */
  clearBreakpoint(): never {
    throw unavailable("clearBreakpoint");
  }

  /** Nothing is held open: it is here so that what closes a coordinator or a client can close this. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #load(definition: AnySagaDefinition): LoadedSaga {
    const { hash } = definition.manifest;
    let found = this.#sagas.get(hash);
    if (found === undefined) this.#sagas.set(hash, (found = loadDefinition(definition)));
    return found;
  }

  #handle<Result, Nodes, Errors extends Error>({ id, nonce }: Started): Run<Result, Nodes, Errors> {
    const host: RunHost = {
      reader: () => this.#reader,
      briefReader: () => this.#briefReader,
      active: () => undefined,
      unrecovered: () => undefined,
      rest: (run, itsNonce) => this.#rest(run, itsNonce),
      source: polled(this.#reader, POLL_MS),
      errors: ({ hash }) => this.#sagas.get(hash)?.errors,
      control: (run, command, args) => this.#control(run, command, args),
      nodeCodecs: (row) => this.#nodeCodecs(row),
      resultCodec: ({ root }, hash) => this.#codecOf(root.plan.saga, hash),
      rowCodec: ({ saga, hash }) => this.#codecOf(saga, hash),
      checkAlive: () => {},
      byMethods: true,
      missing: (row, manifest) => `it ${this.#missing(row, manifest)}`,
    };
    return new RunHandle<Result, Nodes, Errors>(host, id, nonce);
  }

  /** Waits until the run rests. Its row says how, with its output, or its log. */
  async #rest(id: string, nonce: string): Promise<RunRow | undefined> {
    for (;;) {
      const answer = await this.#ingress.rest(id, { nonce, atMost: WAIT_MS });
      if (answer !== undefined && !answer.rests) continue;
      try {
        // A run that is not there any more, whoever reads on tells.
        return await this.#reader.run(id, { output: true });
      } catch (error) {
        // While nobody serves it, it is waited for.
        if ((error as Partial<StenoError>).code !== "restate-no-answer") throw error;
      }
    }
  }

  async #control(
    { id, nonce }: Started,
    command: string,
    args: CommandArguments,
  ): Promise<string | undefined> {
    const row = await this.#reader.run(id);
    if (row?.nonce !== nonce) throw runPruned(id, true);
    if (row.reason === MISSING) {
      const manifest = await this.#reader.definition(row.hash);
      throw new StenoError(MISSING, `run \`${id}\` ${this.#missing(row, manifest)}`);
    }
    const loaded = this.#sagas.get(row.hash);
    const stored = await storedArguments(this.#reader, row, loaded, command, args);
    const text = argumentsText(stored);
    checkLength(`what \`${command}\` is given`, text, TOO_LONG[command] ?? "bad-request");
    const answer = await this.#ingress.tell(id, { nonce, command, args: text });
    if (answer === undefined) throw runPruned(id, true);
    if (!answer.ok) throw new StenoError(answer.code, answer.message);
    return answer.value;
  }

  /** Only Restate itself can tell: whoever answers for the run may be at another address. */
  async #tried(id: string): Promise<Tried | undefined> {
    return this.#listing && triedFor(this.#listing, id);
  }

  /** What to say of a run without its definition. */
  #missing(row: RunRow, manifest: Manifest | undefined): string {
    const message = missingOf(row, "where it began");
    const now = [...this.#sagas.values()].find(
      (each) => each.manifest.name === row.saga && each.manifest.hash !== row.hash,
    );
    if (now === undefined || manifest === undefined) return message;
    return `${message}; what changed: ${differenceOf(manifest, now.manifest)}`;
  }

  #nodeCodecs({ saga, hash }: RunRow): readonly NodeCodecs[] {
    const found = this.#sagas.get(hash);
    if (found !== undefined) return found.graphs.get(found.plan)?.codecs ?? [];
    throw new StenoError(
      "definition-not-open",
      `the definition of \`${saga}\` that the run was started with is not in \`sagas\`: only it ` +
        "knows the types of its nodes; give it to `stenoRestate`, too",
    );
  }

  /** How the result of a run is read: by its definition, else by one that has its name. */
  #codecOf(saga: string, hash: string | undefined): Codec {
    const byName = [...this.#sagas.values()].find(({ manifest }) => manifest.name === saga);
    return (this.#sagas.get(hash ?? "") ?? byName)?.method.result ?? json;
  }
}
