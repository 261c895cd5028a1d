/**
 * `--watch` over a project of 100 sagas: from the save of a file until its messages are there, with
 * what the watcher of files takes. Every other save has an error in it.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compile, IncrementalBuild } from "../../compiler/dist/compile.js";
import { toText } from "../../compiler/dist/diagnostics/text.js";
import { watch } from "../../compiler/dist/watch.js";
import { generate } from "./compile.js";
import { median, type Bench, type Measured } from "./measure.js";

const SAGAS = 100;
const SAVES = 24;
/** The first saves warm up the compiler, as they do at work. */
const WARM = 6;
const TARGET_MS = 100;

/** What of it is CPU time, all threads: on a quiet machine the rest is the watcher's. */
const CPU_TARGET_MS = 80;

export const watchBenches: readonly Bench[] = [
  { name: "watch-100", run: async () => measured(await watching(), ({ wall }) => wall, TARGET_MS) },
  {
    name: "watch-100-cpu",
    run: async () => measured(await watching(), ({ cpu }) => cpu, CPU_TARGET_MS),
  },
];

function measured(saves: readonly Save[], of: (save: Save) => number, target: number): Measured {
  const value = median(saves.map(of));
  return { value, unit: "ms", target: `<= ${target} ms`, ok: value <= target };
}

/** What a save took until its messages were there, in milliseconds. */
interface Save {
  readonly wall: number;
  readonly cpu: number;
}

async function watching(): Promise<readonly Save[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "steno-bench-")));
  const state: Told = { messages: [] };
  generate(folder, SAGAS);
  const incremental = new IncrementalBuild();
  const options = { cwd: folder, paths: [] };
  const watcher = await watch(folder, async () => {
    const { diagnostics, places } = await compile(options, incremental);
    state.messages = diagnostics
      .filter(({ severity }) => severity === "error")
      .map((each) => toText(each, { places, cwd: folder, colour: false }));
    state.told?.({ wall: performance.now(), cpu: cpuTime() });
  });
  try {
    const times: Save[] = [];
    for (let save = 0; save < SAVES; save++) {
      const file = join(folder, `src/order-${(save * 7) % SAGAS}.ts`);
      const whole = readFileSync(file, "utf8");
      const wrong = save % 2 === 1;
      const text = wrong
        ? whole.replace("const payment = await this.charge", "const payment = this.charge")
        : whole.replace("weight = box.amount", "weight = 1 + box.amount");
      const took = await untilTold(state, () => writeFileSync(file, text));
      if (wrong !== state.messages.length > 0) throw new Error(`save ${save}: wrong messages`);
      if (save >= WARM) times.push(took);
      // What it was, so that the next save has messages of its own.
      await untilTold(state, () => writeFileSync(file, whole));
    }
    return times;
  } finally {
    await watcher.close();
    rmSync(folder, { recursive: true });
  }
}

interface Told {
  messages: string[];
  told?: (at: Save) => void;
}

async function untilTold(state: Told, save: () => void): Promise<Save> {
  const told = new Promise<Save>((resolve) => (state.told = resolve));
  const start = { wall: performance.now(), cpu: cpuTime() };
  save();
  const { wall, cpu } = await told;
  // Further events of the same save come to rest.
  await sleep(100);
  return { wall: wall - start.wall, cpu: cpu - start.cpu };
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
