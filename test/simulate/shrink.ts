/**
 * Makes a failing simulation smaller: fewer faults, fewer runs, fewer steps, as long as something is
 * still wrong. Each concern has a stream of chance of its own, so the rest stays much the same.
 */
import type { Database } from "./fleet-store.js";
import { type Mutation, type Setting, simulate } from "./simulate.js";

export interface Shrunk {
  readonly setting: Setting;
  readonly violation: Error;
}

export async function shrink(
  first: Setting,
  violation: Error,
  mutate?: Mutation,
  database?: Database,
): Promise<Shrunk> {
  let found: Shrunk = { setting: first, violation };
  for (;;) {
    const smaller = await firstFailing(candidates(found.setting), mutate, database);
    if (smaller === undefined) return found;
    found = smaller;
  }
}

async function firstFailing(
  settings: readonly Setting[],
  mutate: Mutation | undefined,
  database: Database | undefined,
): Promise<Shrunk | undefined> {
  for (const setting of settings) {
    const { violation } = await simulate(setting, mutate, database);
    if (violation !== undefined) return { setting, violation };
  }
  return undefined;
}

function candidates(setting: Setting): Setting[] {
  const { runs, steps, faults } = setting;
  return [
    ...faults.map((left) => ({ ...setting, faults: faults.filter((fault) => fault !== left) })),
    ...(runs > 1 ? [{ ...setting, runs: runs - 1 }] : []),
    ...(steps > 1
      ? [
          { ...setting, steps: steps >> 1 },
          { ...setting, steps: steps - 10 },
        ]
      : []),
  ].filter((each) => each.steps > 0);
}

/** The one command that shows it again. */
export function commandOf({ seed, runs, steps, faults, store }: Setting): string {
  const given = faults.length === 0 ? "none" : faults.join(",");
  return `npm run simulate -- --seed=${seed} --seeds=1 --runs=${runs} --steps=${steps} --faults=${given} --store=${store}`;
}
