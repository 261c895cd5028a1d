/**
 * The plan of docs/SCALING.md beyond one database, simulated: which of several databases a run is in, and how
 * long they take for runs, by what a commit costs one. Nothing of it is in the runtime. It prints nothing.
 */
import { createHash } from "node:crypto";

/** What a database takes for a commit, in milliseconds: each, and besides for each row of it. */
export interface Costs {
  readonly commitMs: number;
  readonly rowMs: number;
}

/** Runs that all begin at once: chains of actions, one after the other. */
export interface Load {
  readonly runs: number;
  readonly actions: number;
  /** How long a body takes. */
  readonly bodyMs: number;
}

/** Two events for each action. */
const ROWS = 2;
/** Rows that one commit takes at most. */
const MOST_ROWS = 4000;

/**
 * The database of a run: that with the highest hash of both, so that one more database takes over runs of
 * all others, as many of each, and no other moves.
 */
export function shardOf(id: string, shards: number): number {
  let found = 0;
  let highest = "";
  for (let shard = 0; shard < shards; shard++) {
    const hash = createHash("sha1").update(`${shard} ${id}`).digest("hex");
    if (hash > highest) [found, highest] = [shard, hash];
  }
  return found;
}

/** How many runs each database has. */
export function placed(ids: Iterable<string>, shards: number): number[] {
  const found = Array.from({ length: shards }, () => 0);
  for (const id of ids) found[shardOf(id, shards)]! += 1;
  return found;
}

/** How long one database takes until all its runs are finished, in milliseconds. */
export function makespan(runs: number, { actions, bodyMs }: Load, costs: Costs): number {
  // Runs whose next commit may be done from that time on, and how many they still need.
  let waiting = [{ from: 0, left: actions + 1, runs }];
  let now = 0;
  while (waiting.length > 0) {
    now = Math.max(now, Math.min(...waiting.map(({ from }) => from)));
    let room = Math.floor(MOST_ROWS / ROWS);
    const taken: typeof waiting = [];
    const rest: typeof waiting = [];
    for (const group of waiting) {
      const some = group.from <= now ? Math.min(group.runs, room) : 0;
      room -= some;
      if (some > 0) taken.push({ ...group, runs: some });
      if (some < group.runs) rest.push({ ...group, runs: group.runs - some });
    }
    const count = taken.reduce((sum, group) => sum + group.runs, 0);
    now += costs.commitMs + costs.rowMs * ROWS * count;
    const next = taken.map((group) => ({ ...group, from: now + bodyMs, left: group.left - 1 }));
    waiting = [...rest, ...next.filter(({ left }) => left > 0)];
  }
  return now;
}

/** Actions a second of all databases together, when they have these runs. */
export function throughput(perShard: readonly number[], load: Load, costs: Costs): number {
  const total = perShard.reduce((sum, runs) => sum + runs, 0);
  const slowest = Math.max(
    ...perShard.map((runs) => (runs === 0 ? 0 : makespan(runs, load, costs))),
  );
  return (total * load.actions * 1000) / slowest;
}

/** Of so many runs, the share that has another database when there is one more. */
export function moved(ids: readonly string[], shards: number): number {
  const others = ids.filter((id) => shardOf(id, shards) !== shardOf(id, shards + 1));
  return others.length / ids.length;
}

/**
 * Unfinished runs stay where they are: after a change, an id is looked for in two places until those that
 * began before are finished. How many of them are left, after so many lifetimes, of runs that end at random.
 */
export function leftAfter(lifetimes: number): number {
  return Math.exp(-lifetimes);
}
