/**
 * A store on a real PostgreSQL that simulated processes share: their connections are wires of the world,
 * the clock of the database is the world's, and what is durable is read from the tables after each
 * statement, whoever did it: by another connection, which nothing can go wrong with.
 */
import { once } from "node:events";
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import type { Store, StoreOwner } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { eventOf, runOf } from "../../runtime/stores/postgres-rows.js";
import type { Manifest } from "../../runtime/manifest.js";
import type { RequestAnswer, RunRow, Write } from "../../runtime/stores/store.js";
import { type PostgresServer, startPostgres } from "../postgres/server.js";
import { Backends } from "./backends.js";
import type { Choose } from "./random.js";
import type { StoreFaults } from "./store.js";
import type { Truth } from "./truth.js";
import { Wires } from "./wire.js";
import type { ProcessId, World } from "./world.js";

const SCHEMA = "simulated";
/** The clock of the database is this far from those of the machines, in milliseconds. */
const APART_MS = 600_000;
const LEASE_MS = 3000;

/** A clock that is set, in place of the server's, for whoever looks there first. */
const CLOCK = `
  CREATE SCHEMA told;
  CREATE SEQUENCE told.clock MINVALUE 0;
  CREATE FUNCTION told.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql
    AS 'SELECT to_timestamp(last_value / 1000.0) FROM told.clock'`;

type Row = Readonly<Record<string, unknown>>;

/** What is in the tables. */
interface Tables {
  readonly runs: readonly Row[] | null;
  readonly events: readonly Row[] | null;
  readonly answers: readonly { readonly id: number; readonly answer: string }[] | null;
  readonly alive: readonly number[] | null;
  readonly defined: readonly string[] | null;
}

const LOOK = `SELECT json_build_object(
  'runs', (SELECT json_agg(r) FROM ${SCHEMA}.runs r),
  'events', (SELECT json_agg(e ORDER BY position) FROM ${SCHEMA}.events e WHERE position > $1),
  'defined', (SELECT json_agg(manifest) FROM ${SCHEMA}.definitions),
  'answers', (SELECT json_agg(q ORDER BY id) FROM ${SCHEMA}.requests q WHERE answer IS NOT NULL),
  'alive', (SELECT json_agg(epoch) FROM ${SCHEMA}.coordinators WHERE NOT fenced)) AS seen`;

const TABLES = "runs, events, awaits, requests, kept, definitions, lanes, coordinators"
  .split(", ")
  .map((table) => `${SCHEMA}.${table}`);

/** The server of simulations, one after the other. */
export class Database {
  private constructor(
    readonly server: PostgresServer,
    readonly control: pg.Client,
    readonly backends: Backends,
  ) {}

  static async start(): Promise<Database> {
    const server = await startPostgres({ fsync: false });
    const control = new pg.Client(server.url("postgres"));
    await control.connect();
    await control.query(CLOCK);
    const database = new Database(server, control, new Backends(server.port));
    // The tables are made once: that takes longer than a simulation.
    await (await postgresStore(database.connection(), { schema: SCHEMA }).open()).close();
    await control.query(`LISTEN "steno_${SCHEMA}"`);
    // Which rows come first where nothing orders them must follow from the seed alone.
    for (const table of TABLES)
      await control.query(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
    return database;
  }

  /** Empty, as if nothing had been there. */
  async wipe(): Promise<void> {
    await this.control.query(`TRUNCATE ${TABLES.join(", ")} RESTART IDENTITY`);
    await this.control.query(`ALTER SEQUENCE ${SCHEMA}.run_keys RESTART`);
  }

  /** `stream`: what it goes through. */
  connection(stream?: Wires["stream"]): Readonly<Record<string, unknown>> {
    return {
      ...{ host: "127.0.0.1", port: this.server.port, user: "steno", database: "postgres" },
      options: "-c search_path=told,pg_catalog",
      ...(stream !== undefined && { stream }),
    };
  }

  async stop(): Promise<void> {
    await this.backends.end();
    await this.control.end();
    await this.server.stop();
  }
}

export class SimulatedFleet {
  faults: StoreFaults;
  readonly #world: World;
  readonly #truth: Truth;
  readonly #database: Database;
  readonly #wires: Wires;
  readonly #inner: Store;
  readonly #owners = new Map<ProcessId, StoreOwner>();
  /** Under which each process has been an owner. */
  readonly #epochs = new Map<ProcessId, Set<number>>();
  /** As the tables were after the last statement. */
  #rows = new Map<string, { readonly row: RunRow; readonly owner: number | null }>();
  #alive = new Set<number>();
  #position = 0;
  #told = -1;
  #marks = 0;
  readonly #notices: pg.Notification[] = [];
  readonly #hear = (notice: pg.Notification): void => void this.#notices.push(notice);

  constructor(world: World, choose: Choose, truth: Truth, faults: StoreFaults, database: Database) {
    this.#world = world;
    this.#truth = truth;
    this.#database = database;
    this.faults = faults;
    this.#wires = new Wires({
      ...{ world, choose, backends: database.backends },
      faults: () => this.faults,
      before: () => this.#tellTime(),
      after: (of, tells) => this.#look(of, tells),
    });
    const options = { schema: SCHEMA, leaseMs: LEASE_MS, lanes: 1 + choose(2) };
    this.#inner = postgresStore(database.connection(this.#wires.stream), options);
    truth.isLate = (run) => this.#isLate(run);
    database.control.on("notification", this.#hear);
  }

  /** Nothing of the simulation is under way yet: what is loaded now takes no time of the world. */
  async begin(): Promise<void> {
    await (await this.#inner.reader()).close();
    this.#wires.begun = true;
  }

  /** The store as a process has it. */
  of(process: ProcessId): Store {
    return {
      reader: () => this.#inner.reader(),
      open: async (options) => {
        const owner = await this.#inner.open(options);
        this.#owners.set(process, owner);
        return owner;
      },
    };
  }

  async crash(process: ProcessId): Promise<void> {
    await this.#wires.crash(process);
    this.#owners.delete(process);
    this.#epochs.delete(process);
  }

  /** What is read back is what was written. */
  async check(): Promise<void> {
    const reader = await postgresStore(this.#database.connection(), { schema: SCHEMA }).reader();
    for (const [id, { row, events }] of this.#truth.runs) {
      const [found, log] = [await reader.run(id), await reader.events(id)];
      this.#truth.check(isDeepStrictEqual(found, row), `run ${id} is read back with another row`);
      this.#truth.check(isDeepStrictEqual(log, events), `run ${id} is read back with another log`);
    }
    await reader.close();
  }

  /** What is left of it goes away. */
  remove(): Promise<void> {
    this.#database.control.off("notification", this.#hear);
    this.#wires.end();
    return Promise.resolve();
  }

  async #tellTime(): Promise<void> {
    const now = 1_700_000_000_000 + APART_MS + Math.floor(this.#world.elapsed);
    if (now === this.#told) return;
    this.#told = now;
    const set = { name: "set", text: "SELECT setval('told.clock', $1)" };
    await this.#database.control.query({ ...set, values: [now] });
  }

  /** A statement has been done: what it changed, and whether it was allowed to. */
  async #look(of: ProcessId | undefined, tells: boolean): Promise<void> {
    const { rows } = await this.#database.control.query<{ seen: Tables }>({
      ...{ name: "look", text: LOOK, values: [this.#position] },
    });
    const { runs, events, answers, alive, defined } = (rows[0] as { seen: Tables }).seen;
    if (tells) await this.#broadcast();
    const before = this.#rows;
    this.#rows = new Map(
      (runs ?? []).map((row) => [runOf(row).id, { row: runOf(row), owner: ownerOf(row) }]),
    );
    const keys = new Map((runs ?? []).map((row) => [row["key"], runOf(row).id]));
    const logs = new Map<string, Row[]>();
    for (const row of events ?? []) {
      const id = keys.get(row["run"]) as string;
      logs.set(id, [...(logs.get(id) ?? []), row]);
    }
    this.#position = Math.max(
      this.#position,
      ...(events ?? []).map((row) => Number(row["position"])),
    );
    const writes = (defined ?? []).map((text): Write => ({
      kind: "define",
      manifest: JSON.parse(text) as Manifest,
    }));
    const touched: string[] = [];
    for (const [run, { row }] of this.#rows) {
      const known = before.get(run);
      if (known === undefined) writes.push({ kind: "create", run: row });
      const log = logs.get(run);
      if (log !== undefined) writes.push({ kind: "append", run, events: log.map(eventOf) });
      if (known === undefined || isDeepStrictEqual(known.row, row)) {
        if (known !== undefined && log !== undefined) touched.push(run);
        continue;
      }
      const { status, reason, output, error, updatedAt, wakeAt } = row;
      writes.push({ kind: "update", run, status, reason, output, error, updatedAt, wakeAt });
      // Whoever takes a run, or wakes one, changes nothing else.
      if (!isDeepStrictEqual({ ...known.row, wakeAt }, row)) touched.push(run);
    }
    for (const run of before.keys()) if (!this.#rows.has(run)) writes.push({ kind: "remove", run });
    for (const { id, answer } of answers ?? []) {
      if (this.#truth.answers.has(id)) continue;
      writes.push({ kind: "answer", request: id, answer: JSON.parse(answer) as RequestAnswer });
    }
    this.#note(of);
    for (const run of touched) this.#checkWriter(run, before.get(run)?.owner ?? null, of);
    this.#alive = new Set(alive ?? []);
    if (writes.some(({ kind }) => kind !== "define")) this.#truth.apply(writes);
  }

  /** Notices come in the order of their commits, some time later: when ours has come, all before have. */
  async #broadcast(): Promise<void> {
    const { control } = this.#database;
    const mark = `mark ${++this.#marks}`;
    await control.query(`NOTIFY "steno_${SCHEMA}", '${mark}'`);
    while (this.#notices.at(-1)?.payload !== mark) await once(control, "notification");
    for (const { channel, payload = "" } of this.#notices.splice(0)) {
      if (payload !== mark) this.#wires.notice(channel, payload);
    }
  }

  #note(process: ProcessId | undefined): ReadonlySet<number> {
    if (process === undefined) return new Set();
    const epochs = this.#epochs.get(process) ?? new Set();
    this.#epochs.set(process, epochs);
    const epoch = this.#owners.get(process)?.epoch ?? 0;
    if (epoch > 0) epochs.add(epoch);
    return epochs;
  }

  /** Who writes of a run has it, and has not been fenced. */
  #checkWriter(run: string, owner: number | null, of: ProcessId | undefined): void {
    const isOwn = owner !== null && this.#note(of).has(owner) && this.#alive.has(owner);
    const [own, alive] = [[...this.#note(of)], [...this.#alive]];
    const who = `one that was ${own.join(", ")}, where ${owner} has it and ${alive.join(", ")} are alive`;
    this.#truth.check(
      isOwn,
      `run ${run} is written to by a coordinator that does not have it: ${who}`,
    );
  }

  /** Whether a body is called by a coordinator that has lost the run, and cannot know it yet. */
  #isLate(run: string): boolean {
    const { process } = this.#world;
    const epochs = this.#note(process);
    const owner = this.#rows.get(run)?.owner ?? null;
    if (owner !== null && epochs.has(owner) && this.#alive.has(owner)) return false;
    const isFenced = [...epochs].some((epoch) => !this.#alive.has(epoch));
    this.#truth.check(
      isFenced,
      `a body of run ${run} is called by a coordinator that does not have it`,
    );
    return true;
  }
}

function ownerOf(row: Row): number | null {
  return row["owner"] as number | null;
}
