/**
 * How much of the machine's memory a cold compile holds at its peak, against `tsc --noEmit` on the same
 * files. It looks at what the kernel counts of each process, so it needs Linux.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { at, generate, sources } from "./compile.js";
import type { Bench, Measured } from "./measure.js";

/** The kernel keeps the peak: only what comes after the last look is missed. */
const LOOK_MS = 5;

export const compileMemoryBenches: readonly Bench[] = [100, 1000].map((files) => ({
  name: `compile-memory-${files}`,
  run: () => compile(files),
}));

async function compile(files: number): Promise<Measured> {
  if (!existsSync("/proc/self/status")) return { value: Number.NaN, unit: "MB" };
  const directory = mkdtempSync(join(tmpdir(), "steno-bench-"));
  try {
    generate(directory, files);
    const command = [process.execPath, at("compiler/dist/main.js")];
    const value = await peakOf(command, directory);
    const tsc = [at("node_modules/.bin/tsc"), "--project", sources(directory)];
    const limit = await peakOf(tsc, directory);
    const ratio = value / limit;
    return { value, unit: "MB", limit, ratio, target: "<= 4", ok: ratio <= 4 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** In megabytes, of that process of those that a command starts which holds most. */
async function peakOf(command: readonly string[], cwd: string): Promise<number> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd, stdio: "ignore" });
  const ended = once(child, "exit");
  let peak = 0;
  while (child.exitCode === null) {
    for (const pid of tree(child.pid as number)) peak = Math.max(peak, held(pid));
    await Promise.race([ended, sleep(LOOK_MS)]);
  }
  if (child.exitCode !== 0) throw new Error(`${program} ended with ${child.exitCode}`);
  return peak;
}

/** A process, and those that it has started. */
function tree(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const children = threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean),
    );
    return [pid, ...children.flatMap((child) => tree(Number(child)))];
  } catch {
    // It is gone.
    return [];
  }
}

function held(pid: number): number {
  try {
    const [, kilobytes] =
      /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes ?? 0) / 1000;
  } catch {
    return 0;
  }
}
