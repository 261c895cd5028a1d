/** The hosts that run sagas, for tests that are the same on all of them: adding one is adding an entry. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresStore } from "steno-runtime/postgres";
import { startPostgres } from "../postgres/server.js";
import { type BoundSaga, Coordinator, memoryStore, sqliteStore, type Store } from "steno-runtime";

/** What a host gives once it has sagas. */
export type Opened = Pick<Coordinator, "start" | "run" | "close">;

export interface Engine {
  readonly name: string;
  /** How many programs are run at the same time. */
  readonly abreast: number;
  /** A host that nobody else uses, with these sagas. */
  open(sagas: readonly BoundSaga[]): Promise<Opened>;
  /** Ends all that `open` started. */
  close(): Promise<void>;
}

/** A coordinator on a store of its own for each. */
function onStores(name: string, make: () => { store: Store; end: () => void }): Engine {
  return {
    name,
    abreast: 8,
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

export const engines: readonly (() => Promise<Engine>)[] = [
  () => Promise.resolve(onStores("memory", () => ({ store: memoryStore(), end: () => {} }))),
  () =>
    Promise.resolve(
      onStores("SQLite", () => {
        const folder = mkdtempSync(join(tmpdir(), "steno-hosts-"));
        const end = (): void => rmSync(folder, { recursive: true, force: true });
        return { store: sqliteStore(join(folder, "runs.db")), end };
      }),
    ),
  async () => {
    const server = await startPostgres({ fsync: false });
    let schemas = 0;
    const onPostgres = onStores("PostgreSQL", () => {
      const schema = `host ${schemas++}`;
      return { store: postgresStore(server.url("postgres"), { schema }), end: () => {} };
    });
    return { ...onPostgres, close: () => server.stop() };
  },
];
