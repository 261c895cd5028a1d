/** Whole processes: what it takes to start one, and what it holds, against a bare Node process. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { byTurns, time, type Bench } from "./measure.js";

const run = promisify(execFile);
const program = fileURLToPath(new URL("some-runs.mjs", import.meta.url));
/** What a bare process does, and how much of the machine's memory it holds. */
const BARE = ["--eval", "console.log(process.memoryUsage.rss())"];

export const processBenches: readonly Bench[] = [
  {
    name: "cold-start",
    run: () =>
      inFolder(async (file) => {
        const first = (): Promise<number> => time(() => node(program, file(), "1"));
        const bare = (): Promise<number> => time(() => node(...BARE));
        await first();
        const [value, limit] = await byTurns(9, first, bare);
        const ratio = value / limit;
        // To the first finished run; the best peer takes 250 ms, with its server up already.
        return { value, unit: "ms", limit, ratio, target: "<= 4", ok: ratio <= 4 };
      }),
  },
  {
    name: "memory-after-1000",
    run: () =>
      inFolder(async (file) => {
        const megabytes = async (...args: string[]): Promise<number> =>
          Number(await node(...args)) / 1e6;
        const after = (): Promise<number> => megabytes(program, file(), "1000");
        const [value, limit] = await byTurns(3, after, () => megabytes(...BARE));
        const ratio = value / limit;
        return { value, unit: "MB", limit, ratio, target: "<= 4", ok: ratio <= 4 };
      }),
  },
];

async function node(...args: string[]): Promise<string> {
  return (await run(process.execPath, args)).stdout;
}

/** Gives names of new files in a folder that is gone afterwards. */
async function inFolder<T>(use: (file: () => string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "steno-bench-"));
  let files = 0;
  try {
    return await use(() => join(folder, `${files++}.db`));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
