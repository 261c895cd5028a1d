/** Several coordinators on one PostgreSQL: who goes on with what, and what becomes of it when one ends. */
import { Coordinator } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type PostgresServer, startPostgres } from "../postgres/server.js";
import { action, scripted, scriptOf, type Script } from "../runtime/sagas.js";
import { keptLog, until } from "../runtime/watched-store.js";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
});
afterAll(() => server.stop());

const chain = scripted([action("a"), action("b", ["a"]), action("c", ["b"])], "Test.chain");

let schemas = 0;

/** A store of its own for each test. */
function newStore(options: { readonly leaseMs?: number } = {}) {
  const schema = `fleet_${schemas++}`;
  return postgresStore(server.url("postgres"), { schema, leaseMs: 1000, ...options });
}

async function open(
  store: ReturnType<typeof postgresStore>,
  script: Script,
  sagas: readonly (typeof chain)[] = [chain],
): Promise<Coordinator> {
  const coordinator = await Coordinator.open({
    store,
    sagas: sagas.map((saga) => saga.on(script)),
    logger: keptLog(),
  });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

test("a run that another coordinator has can be waited for, looked at, paused and resumed", async () => {
  const store = newStore();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const first = await open(
    store,
    scriptOf((node) => (node === "b" ? held : node)),
  );
  const second = await open(
    store,
    scriptOf(() => "not here"),
  );
  await first.start(chain, "params", { id: "r" });
  const run = await second.run("r");
  const result = run?.result();
  await run?.pause("why not");
  release();
  await until(async () => (await run?.status())?.reason === "paused");
  await run?.resume();
  expect(await result).toBe("params");
  expect((await second.runs({})).runs.map(({ id, status }) => [id, status])).toEqual([
    ["r", "succeeded"],
  ]);
});
