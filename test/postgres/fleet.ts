/** Coordinators and clients on one PostgreSQL in the process of a test, each test in a schema of its own. */
import { randomUUID } from "node:crypto";
import { Client, Coordinator, type CoordinatorOptions } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { onTestFinished } from "vitest";
import { action, scripted, scriptOf, type Script } from "../runtime/sagas.js";
import { keptLog } from "../runtime/watched-store.js";
import { type PostgresServer, query } from "./server.js";

export const chain = scripted([action("a"), action("b", ["a"]), action("c", ["b"])], "Test.chain");
export const other = scripted([action("a")], "Test.other");

export type Saga = typeof chain;

export type Schema = ReturnType<typeof schemaOf>;

/** A schema of its own for each test. */
export function schemaOf(server: PostgresServer) {
  const schema = `fleet_${randomUUID().slice(0, 8)}`;
  const url = server.url("postgres");
  const table = (name: string): string => `${schema}.${name}`;
  return {
    name: schema,
    store: (leaseMs = 1000) => postgresStore(url, { schema, leaseMs }),
    table,
    query: (text: string, values: readonly unknown[] = []) => query(url, text, values),
    /** What ended how often, of each node of each run: more than once is never right. */
    twice: () =>
      query(
        url,
        `SELECT run, node, type, count(*) FROM ${table("events")}
         WHERE type IN ('succeeded', 'failed', 'undone') GROUP BY run, node, type HAVING count(*) > 1`,
      ),
  };
}

export async function open(
  store: ReturnType<typeof postgresStore>,
  script: Script,
  sagas: readonly Saga[] = [chain],
  more: Partial<CoordinatorOptions> = {},
): Promise<Coordinator> {
  const coordinator = await Coordinator.open({
    store,
    sagas: sagas.map((saga) => saga.on(script)),
    logger: keptLog(),
    ...more,
  });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

export async function openClient(
  store: ReturnType<typeof postgresStore>,
  sagas: readonly Saga[] = [chain],
): Promise<Client> {
  const client = await Client.open({ store, sagas });
  onTestFinished(() => client.close());
  return client;
}

/** Bodies that end when they are told to. */
export function held(node: string): { readonly script: Script; readonly release: () => void } {
  let release = (): void => {};
  const until = new Promise<void>((resolve) => (release = resolve));
  return { script: scriptOf((each) => (each === node ? until : each)), release };
}
