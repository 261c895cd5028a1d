/** The store on PostgreSQL: the contract of stores, on a real server. */
import { postgresStore } from "steno-runtime/postgres";
import { afterAll, beforeAll, describe, test } from "vitest";
import { storeContract } from "../../runtime/stores/contract.js";
import { type PostgresServer, startPostgres } from "../postgres/server.js";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
});
afterAll(() => server.stop());

describe("the contract of stores", () => {
  let schemas = 0;
  const checks = storeContract(() =>
    postgresStore(server.url("postgres"), { schema: `contract ${schemas++}` }),
  );
  test.each(checks)("$name", ({ run }) => run());
});
