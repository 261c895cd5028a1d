/** The commands `export` and `prune`, with a coordinator that is alive and without. */
import { join } from "node:path";
import { Coordinator, sqliteStore } from "steno-runtime";
import { expect, test } from "vitest";
import { action, scripted, scriptOf } from "../runtime/sagas.js";
import { emptyFolder, steno } from "./steno.js";

test("finished runs are exported, and pruned by the coordinator that is alive or without one", async () => {
  const folder = emptyFolder();
  const saga = scripted([action("a")], "One.saga");
  const sagas = [saga.on(scriptOf(() => 1))];
  const coordinator = await Coordinator.open({ store: sqliteStore(join(folder, "a.db")), sagas });
  for (let i = 0; i < 5; i++) await (await coordinator.start(saga, i, { id: `r${i}` })).result();

  const exported = await steno(folder, ["export", "--store", "a.db"]);
  const lines = exported.stdout.trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line) as { kind: string; run?: { id: string } });
  expect(records.map(({ kind, run }) => run?.id ?? kind)).toEqual([
    "definition",
    ...["r0", "r1", "r2", "r3", "r4"],
  ]);

  const asked = await steno(folder, ["prune", "--store", "a.db", "--keep", "3", "--json"]);
  expect(JSON.parse(asked.stdout)).toEqual({ command: "prune", ok: true, removed: 2 });
  expect((await coordinator.runs()).runs).toHaveLength(3);
  await coordinator.close();

  const young = await steno(folder, ["prune", "--store", "a.db", "--older-than", "1 day"]);
  expect(young.stdout).toBe("prune: 0 runs removed\n");
  const alone = await steno(folder, ["prune", "--store", "a.db", "--keep", "2"]);
  expect(alone.stdout).toBe("prune: 1 run removed\n");
  for (const wrong of [[], ["--older-than", "soon"], ["--keep", "-1"]]) {
    expect((await steno(folder, ["prune", "--store", "a.db", ...wrong])).status).toBe(2);
  }
}, 180_000);
