/** The hosts that run sagas, for tests that are the same on all of them: adding one is adding an entry. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresStore } from "steno-runtime/postgres";
import { reusedConnections } from "../postgres/reused.js";
import { startPostgres } from "../postgres/server.js";
import {
  type BoundSaga,
  Client,
  Coordinator,
  memoryStore,
  sqliteStore,
  type Store,
} from "steno-runtime";
import { serveSagas, stenoRestate } from "steno-restate";
import { proxyTo } from "../restate/proxy.js";
import { RestateServer } from "../restate/server.js";

/** What a host gives once it has sagas. */
export type Opened = Pick<Coordinator, "start" | "run" | "close">;

export interface Engine {
  readonly name: string;
  /** How many programs are run at the same time. */
  readonly abreast: number;
  /** Of so many programs one is run: the others take too long in the ordinary run. */
  readonly share: number;
  /** What a run has come to is looked at so often, in milliseconds: each look costs a server something. */
  readonly lookMs: number;
  /** It is broken off in the middle of runs: what was not recorded yet is done again. */
  readonly breaks?: boolean;
  /** A host that nobody else uses, with these sagas. */
  open(sagas: readonly BoundSaga[]): Promise<Opened>;
  /** Ends all that `open` started. */
  close(): Promise<void>;
}

/** A coordinator on a store of its own for each. */
function onStores(name: string, make: () => { store: Store; end: () => void }, share = 2): Engine {
  return {
    name,
    abreast: 8,
    share,
    lookMs: 2,
    open: async (sagas) => {
      const { store, end } = make();
      const coordinator = await Coordinator.open({ store, sagas, logger: { warn: () => {} } });
      return {
        start: (definition, params, options) => coordinator.start(definition, params, options),
        run: (id) => coordinator.run(id),
        close: async () => {
          await coordinator.close();
          end();
        },
      };
    },
    close: () => Promise.resolve(),
  };
}

/** Each second run is looked at, waited for and operated by another process than the one that has it. */
async function onPostgres(): Promise<Engine> {
  const server = await startPostgres({ fsync: false });
  const { stream, end } = reusedConnections(server.port);
  const connection = { host: "127.0.0.1", port: server.port, user: "steno", database: "postgres" };
  let [schemas, runs] = [0, 0];
  return {
    ...{ name: "PostgreSQL", abreast: 16, share: 2, lookMs: 10 },
    open: async (sagas) => {
      const store = postgresStore({ ...connection, stream }, { schema: `host ${schemas++}` });
      const coordinator = await Coordinator.open({ store, sagas, logger: { warn: () => {} } });
      const definitions = sagas.map(({ definition }) => definition);
      const client = await Client.open({ store, sagas: definitions });
      return {
        start: async (definition, params, options) => {
          const run = await coordinator.start(definition, params, options);
          return runs++ % 2 === 0 ? run : ((await client.run(run.id)) as typeof run);
        },
        run: (id) => coordinator.run(id),
        close: async () => {
          await client.close();
          await coordinator.close();
        },
      };
    },
    close: async () => {
      await end();
      await server.stop();
    },
  };
}

/** A workflow of its own for each, on one Restate, whose connections to it break again and again. */
async function onRestate(): Promise<Engine> {
  const server = await RestateServer.start();
  let services = 0;
  return {
    name: "Restate",
    abreast: 8,
    share: 5,
    lookMs: 10,
    breaks: true,
    open: async (sagas) => {
      const name = `sagas${services++}`;
      const serving = await serveSagas({ sagas, name, port: 0 });
      const proxy = await proxyTo(serving.port);
      await server.register(proxy.port);
      const cuts = CUTS_MS.map((ms) => setTimeout(() => proxy.cut(), ms));
      const client = stenoRestate({ ingress: server.ingress, service: name });
      return {
        start: (definition, params, options) => client.start(definition, params, options),
        run: (id) => client.run(id),
        close: async () => {
          cuts.forEach(clearTimeout);
          await serving.close();
          await proxy.close();
        },
      };
    },
    close: () => server.stop(),
  };
}

/** So that most runs are begun anew in their middle. Not for ever: Restate takes its time after each. */
const CUTS_MS = [200, 500, 900, 1500, 2500];

export const engines: readonly (() => Promise<Engine>)[] = [
  () => Promise.resolve(onStores("memory", () => ({ store: memoryStore(), end: () => {} }), 1)),
  () =>
    Promise.resolve(
      onStores("SQLite", () => {
        const folder = mkdtempSync(join(tmpdir(), "steno-hosts-"));
        const end = (): void => rmSync(folder, { recursive: true, force: true });
        return { store: sqliteStore(join(folder, "runs.db")), end };
      }),
    ),
  onPostgres,
  onRestate,
];
