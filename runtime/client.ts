/**
 * A process that starts runs, waits for them and operates them, and executes none: a web server, say.
 * Coordinators elsewhere execute them. It holds no run in memory.
 */
import { ask } from "./fleet/asking.js";
import { storedArguments } from "./operating/stored-arguments.js";
import type { AnySagaDefinition, SagaDefinition } from "./definition.js";
import { Definitions } from "./reading/definitions.js";
import { Elsewhere } from "./fleet/elsewhere.js";
import { StenoError } from "./errors.js";
import { type ExportQuery, type ExportRecord, exportRuns } from "./reading/export.js";
import { listRuns, type RunPage, type RunQuery } from "./reading/listing.js";
import { loadDefinition } from "./execution/loaded-saga.js";
import type { StartOptions } from "./options.js";
import { Run, type RunHost } from "./run.js";
import { startElsewhere } from "./fleet/starting-elsewhere.js";
import { paramsText } from "./execution/starter.js";
import type { RunRow, Store, StoreReader, WatchedEvent } from "./stores/store.js";
import { Changes, type Source, watchAll, type WatchOptions } from "./reading/watching.js";

/** How soon an event is seen by those who watch, and on a store without notices the end of a run. */
const POLL_MS = 250;

export interface ClientOptions {
  /** A store that is shared, such as `postgresStore()`; on others, a client cannot start runs. */
  readonly store: Store;
  /** The definitions of the sagas that are started or read here. Of several of one name, new runs take the first. */
  readonly sagas: readonly AnySagaDefinition[];
}

export class Client {
  readonly #reader: StoreReader;
  readonly #definitions: Definitions;
  readonly #elsewhere: Elsewhere;
  readonly #changes = new Changes(POLL_MS);
  readonly #source: Source = {
    reader: () => this.#open(),
    changed: () => this.#changes.changed(),
    isClosed: () => this.#changes.closed,
  };
  readonly #host: RunHost;
  readonly #deafen: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  private constructor(reader: StoreReader, definitions: Definitions) {
    this.#reader = reader;
    this.#definitions = definitions;
    this.#elsewhere = new Elsewhere(reader.shared ?? { resting: (ids) => restingOf(reader, ids) });
    this.#deafen = reader.shared?.listen({
      rested: (ids) => this.#elsewhere.rested(ids),
    });
    this.#host = {
      reader: () => this.#open(),
      active: () => undefined,
      unrecovered: () => undefined,
      rest: (id) => this.#rest(id),
      source: this.#source,
      errors: ({ hash }) => definitions.errors(hash),
      control: async ({ id }, command, args) => {
        const row = await this.#open().run(id);
        const saga = row && definitions.byHash(row.hash);
        const stored = await storedArguments(this.#open(), row, saga, command, args);
        return ask(this.#open(), id, command, stored);
      },
      nodeCodecs: (row) => definitions.nodeCodecs(row),
      rowCodec: (row) => definitions.rowCodec(row),
      resultCodec: (state, hash) => definitions.resultCodec(state, hash),
      checkAlive: () => void this.#open(),
    };
  }

  /**
   * Opens a store that a coordinator has made.
   * @throws StoreError if it cannot be opened, or there is none
   */
  static async open({ store, sagas }: ClientOptions): Promise<Client> {
    const definitions = new Definitions(sagas.map(loadDefinition));
    return new Client(await store.reader(), definitions);
  }

  /**
   * Starts a run, which a coordinator that has the definition takes; resolves when it is durable.
   * @throws StenoError `params-invalid`, `run-exists`, `coordinator-draining` as `start()` of a
   * coordinator; `store-not-shared`
   */
  async start<Instance extends object, Params, Result, Nodes, Errors extends Error>(
    definition: SagaDefinition<Instance, Params, Result, Nodes, Errors>,
    params: Params,
    options: StartOptions = {},
  ): Promise<Run<Result, Nodes, Errors>> {
    const reader = this.#open();
    const saga = this.#definitions.loaded(definition as unknown as AnySagaDefinition);
    const text = paramsText(saga, params);
    const { id, nonce } = await startElsewhere(reader, saga, text, options, Date.now());
    return new Run(this.#host, id, nonce);
  }

  /** The handle of a run, finished or not; `undefined` if there is none. */
  async run(id: string): Promise<Run | undefined> {
    const row = await this.#open().run(id);
    return row && new Run(this.#host, id, row.nonce);
  }

  /** Lists runs, oldest first. @throws StenoError `bad-cursor`, `bad-limit` */
  async runs(query: RunQuery = {}): Promise<RunPage> {
    return listRuns(this.#open(), query);
  }

  /** Runs with their whole logs, as `export()` of a coordinator. */
  export(query: ExportQuery = {}): AsyncIterable<ExportRecord> {
    return exportRuns(this.#open(), query);
  }

  /** The events of all runs, as `events()` of a coordinator. */
  events(options?: WatchOptions): AsyncIterableIterator<WatchedEvent> {
    return watchAll(this.#source, options);
  }

  /** Runs go on; whoever waits for one here is told that it cannot be known. */
  close(): Promise<void> {
    this.#deafen?.();
    this.#changes.close();
    this.#closed ??= this.#reader.close();
    this.#elsewhere.close();
    this.#elsewhere.giveUp();
    return this.#closed;
  }

  async #rest(id: string): Promise<RunRow | undefined> {
    const { rest, forget } = this.#elsewhere.wait(id);
    try {
      const row = await rest;
      this.#open();
      return row;
    } finally {
      forget();
    }
  }

  #open(): StoreReader {
    if (this.#closed === undefined) return this.#reader;
    throw new StenoError("client-closed", "the client is closed: open another; its runs go on");
  }
}

/** Of a store that one coordinator owns. */
async function restingOf(
  reader: StoreReader,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RunRow | undefined>> {
  const found = new Map<string, RunRow | undefined>();
  for (const id of ids) {
    const row = await reader.run(id);
    if (row?.status !== "running" && row?.status !== "unwinding") found.set(id, row);
  }
  return found;
}
