/**
 * A whole program, as a user would start it: opens the SQLite store that is named, finishes as many
 * runs of ten actions as are asked for, all at once, and prints how many bytes of memory it holds.
 */
import { Coordinator, defineSaga, sqliteStore } from "steno-runtime";

const [file = "", runs = "1"] = process.argv.slice(2);
const names = Array.from({ length: 10 }, (_, index) => `n${index}`);

class Work {
  async act(id) {
    return { id, text: "x".repeat(80) };
  }
  async unact() {}
}

const saga = defineSaga({
  manifest: {
    steno: 1,
    name: "Work.ten",
    hash: "sha256-ten",
    nodes: names.map((name, index) => ({
      name,
      kind: "action",
      action: "act",
      undo: "unact",
      after: names.slice(Math.max(0, index - 1), index),
    })),
  },
  nodes: Object.fromEntries(names.map((name) => [name, { inputs: () => [1] }])),
});

const coordinator = await Coordinator.open({
  store: sqliteStore(file),
  sagas: [saga.on(new Work())],
});
const ids = Array.from({ length: Number(runs) }, (_, id) => id);
await Promise.all(ids.map(async (id) => (await coordinator.start(saga, { id })).result()));
console.log(process.memoryUsage.rss());
await coordinator.close();
