/**
 * npm run simulate -- [--seeds=N] [--seed=S] [--runs=R] [--steps=T] [--faults=crash,torn,…]
 * [--store=memory|sqlite|lanes|postgres]: long simulations. Exit 1 if something is wrong: it is made smaller, and the command that shows it again
 * is printed. The only file here that prints.
 *
 * … -- --kills [--seeds=N] [--seed=S] [--moments=K,L,M]: no simulation, but real processes on a real file, which are
 * killed at every moment, or at those (`test/kills`).
 */
import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { bundleProcess } from "../kills/bundle.js";
import { everyMoment, killAndRecover } from "../kills/loop.js";
import { commandOf, shrink } from "./shrink.js";
import { defaultSetting, FAULTS, type Fault, type Setting, simulate } from "./simulate.js";
import { Database } from "./fleet-store.js";
import { STORES } from "./store.js";

/** Nobody who looks on waits longer for word of how far it is, in milliseconds, or for a hundred seeds. */
const TELL_MS = 10_000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    runs: { type: "string" },
    steps: { type: "string" },
    faults: { type: "string" },
    store: { type: "string", default: "memory" },
    kills: { type: "boolean", default: false },
    moments: { type: "string" },
  },
});

function count(name: "seeds" | "seed" | "runs" | "steps" | "moments", text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= (name === "seed" ? 0 : 1)) return value;
  console.error(`simulate: --${name} takes a whole number`);
  process.exit(2);
}

const chosen = values.faults === "none" ? [] : values.faults?.split(",");
const unknown = chosen?.find((fault) => !FAULTS.includes(fault as Fault));
if (unknown !== undefined) {
  console.error(`simulate: there is no fault \`${unknown}\`: there are ${FAULTS.join(", ")}, none`);
  process.exit(2);
}

const { store } = values;
const stores: readonly string[] = [...STORES, "postgres"];
if (!stores.includes(store)) {
  console.error(`simulate: there is no store \`${store}\`: there are ${stores.join(", ")}`);
  process.exit(2);
}

function settingOf(seed: number): Setting {
  const setting = defaultSetting(seed, store as Setting["store"]);
  return {
    seed,
    runs: values.runs === undefined ? setting.runs : count("runs", values.runs),
    steps: values.steps === undefined ? setting.steps : count("steps", values.steps),
    faults: chosen === undefined ? setting.faults : (chosen as Fault[]),
    store: setting.store,
  };
}

const first = count("seed", values.seed);
const seeds = count("seeds", values.seeds);
if (values.kills) process.exit(await killAll());

const database = store === "postgres" ? await Database.start() : undefined;
const endings = new Map<string, number>();
let [commits, crashes, current] = [0, 0, first];
let told = Date.now();

// What nobody waits for must not fail either; and nothing but this can say in which simulation it did.
process.on("unhandledRejection", (error) => {
  console.error(error, `\nnobody caught it; again: ${commandOf(settingOf(current))}`);
  process.exit(1);
});

for (; current < first + seeds; current++) {
  const outcome = await simulate(settingOf(current), undefined, database);
  commits += outcome.commits;
  crashes += outcome.crashes;
  for (const [end, times] of outcome.endings) endings.set(end, (endings.get(end) ?? 0) + times);
  if (outcome.violation !== undefined) {
    console.log(`seed ${current}: ${outcome.violation.message}\nmaking it smaller …`);
    const { setting, violation } = await shrink(
      settingOf(current),
      outcome.violation,
      undefined,
      database,
    );
    console.log(`${violation.message}\n\nagain: ${commandOf(setting)}`);
    await database?.stop();
    process.exit(1);
  }
  const done = current - first + 1;
  if (done === seeds || done % 100 === 0 || Date.now() - told >= TELL_MS) tell(done);
}
await database?.stop();

function tell(done: number): void {
  told = Date.now();
  const ends = [...endings].map(([status, times]) => `${times} ${status}`).join(", ");
  console.log(
    `${done} seeds, ${commits} commits, ${crashes} crashes, runs: ${ends}; nothing wrong`,
  );
}

/** Gives the exit code. */
async function killAll(): Promise<number> {
  const worker = await bundleProcess("test/kills/kill-worker.ts");
  const moments = values.moments?.split(",").map((each) => count("moments", each));
  let [killed, calls, again] = [0, 0, 0];
  try {
    for (let seed = first; seed < first + seeds; seed++) {
      const outcomes =
        moments === undefined
          ? everyMoment(worker, seed)
          : [{ kills: moments, ...(await killAndRecover(worker, seed, moments)) }];
      for await (const outcome of outcomes) {
        killed += outcome.killed.filter(Boolean).length;
        calls += outcome.calls;
        again += outcome.again;
        if (outcome.wrong.length === 0) continue;
        const command = `npm run simulate -- --kills --seed=${seed} --seeds=1 --moments=${outcome.kills.join(",")}`;
        console.log(`seed ${seed}:\n${outcome.wrong.join("\n")}\n\nagain: ${command}`);
        return 1;
      }
      console.log(
        `seed ${seed}: ${killed} processes killed, ${calls} calls, ${again} of them again`,
      );
    }
    return 0;
  } finally {
    rmSync(worker, { force: true });
  }
}
