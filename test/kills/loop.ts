/** Kills process after process that works on one store, and looks at what each of them has left. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "steno-runtime";
import { look, type World, wrongInTheEnd, wrongWith } from "./examine.js";
import { plan } from "./plan.js";
import { linesOf, Shop } from "./shop.js";
import { endOf, open, play, type Promised, type Told } from "./kill-worker.js";

export interface Outcome {
  /** What is wrong, in words. */
  readonly wrong: readonly string[];
  /** Of each process, whether it was killed before it had done all. */
  readonly killed: readonly boolean[];
  /** How many bodies were called, and how many of them again, since a process died. */
  readonly calls: number;
  readonly again: number;
}

/**
 * One process after the other is killed at the moment that is said for it; the last goes on to the end.
 * `worker`: the bundled process.
 */
export async function killAndRecover(
  worker: string,
  seed: number,
  kills: readonly number[],
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "steno-kills-"));
  const files = {
    store: join(folder, "a.db"),
    shop: join(folder, "shop"),
    promises: join(folder, "promises"),
  };
  const wrong: string[] = [];
  const killed: boolean[] = [];
  let before: World | undefined;
  try {
    for (const dies of kills) {
      const signal = await end(worker, { ...files, seed, dies });
      if (signal !== "SIGKILL" && signal !== null) wrong.push(`a process ended by ${signal}`);
      killed.push(signal === "SIGKILL");
      const world = await worldOf(files);
      wrong.push(...wrongWith(world, before));
      before = world;
    }
    const coordinator = await open(sqliteStore(files.store), new Shop(files.shop));
    const promised: Promised[] = [];
    await play(coordinator, seed, (line) => promised.push(line));
    await coordinator.drain();
    const ends = new Map<string, string>();
    for (const { id } of plan(seed)) {
      const run = await coordinator.run(id);
      if (run !== undefined) ends.set(id, await endOf(run));
    }
    await coordinator.close();
    const world = await worldOf(files, promised);
    wrong.push(...wrongWith(world, before), ...wrongInTheEnd(world, plan(seed), ends));
    for (const line of world.promised) {
      if (line.what !== "ended" || line.end === ends.get(line.run)) continue;
      wrong.push(`${line.run} was told to have ${line.end}, and has ${ends.get(line.run)}`);
    }
    const called = world.lines.filter(({ what }) => what === "called");
    return { wrong, killed, calls: called.length, again: called.filter(isAgain).length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Kills at every moment of the runs of a seed: those of the first process in turn, and two that recover
 * at moments of theirs. Ends behind the last moment, or with the first that is wrong.
 */
export async function* everyMoment(
  worker: string,
  seed: number,
): AsyncGenerator<Outcome & { readonly kills: readonly number[] }> {
  const atOnce = availableParallelism();
  for (let first = 1; ; first += atOnce) {
    const all = Array.from({ length: atOnce }, (_, place) => {
      const dies = first + place;
      return [dies, 1 + ((dies * 7 + seed) % 13), 1 + ((dies * 3 + seed) % 5)];
    });
    const outcomes = await Promise.all(
      all.map(async (kills) => ({ kills, ...(await killAndRecover(worker, seed, kills)) })),
    );
    for (const outcome of outcomes) {
      yield outcome;
      if (outcome.killed[0] !== true || outcome.wrong.length > 0) return;
    }
  }
}

const isAgain = ({ attempt }: { readonly attempt: number }): boolean => attempt > 1;

/** Runs a process to its end, and gives what ended it; `null` if it ended by itself and well. */
function end(worker: string, told: Told): Promise<string | null> {
  const child = spawn(process.execPath, [worker, JSON.stringify(told)], { stdio: "inherit" });
  return new Promise((resolve) =>
    child.once("exit", (code, by) => resolve(by ?? (code === 0 ? null : `exit ${code}`))),
  );
}

async function worldOf(
  { store, shop, promises }: Pick<Told, "store" | "shop" | "promises">,
  more: readonly Promised[] = [],
): Promise<World> {
  const text = existsSync(promises) ? readFileSync(promises, "utf8") : "";
  const promised = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Promised);
  // It may have died before it had made the store.
  const reader = await sqliteStore(store)
    .reader()
    .catch((error: unknown) => {
      const { code } = error as { readonly code?: string };
      if (code === "store-missing" || code === "store-empty") return undefined;
      throw error;
    });
  const seen = reader === undefined ? new Map() : await look(reader);
  await reader?.close();
  return { seen, lines: linesOf(shop), promised: [...promised, ...more] };
}
