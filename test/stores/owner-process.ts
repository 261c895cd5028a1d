/**
 * A process of its own that owns a store: it commits runs one by one until it is killed, says the
 * number of each on stdout once it is durable, and answers requests.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { sqliteStore } from "../../runtime/stores/sqlite.js";

const owner = await sqliteStore(process.argv[2] ?? "").open();
for (let number = 0; ; number += 1) {
  const at = Date.now();
  const id = `run-${number}`;
  await owner.commit([
    {
      kind: "create",
      run: {
        ...{ id, saga: "S.s", hash: "h", nonce: "n", params: "{}", status: "running" },
        ...{ reason: undefined, output: undefined, error: undefined, createdAt: at, updatedAt: at },
        wakeAt: 0,
      },
    },
    { kind: "append", run: id, events: [{ seq: 0, at, type: "created", value: "{}" }] },
  ]);
  process.stdout.write(`${number}\n`);
  for (const { id: request, command } of await owner.requests()) {
    await owner.commit([
      { kind: "answer", request, answer: { ok: true, value: JSON.stringify(`did ${command}`) } },
    ]);
  }
  await sleep(1);
}
