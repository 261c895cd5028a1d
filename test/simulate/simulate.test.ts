/** Simulations by seed, and that they find what is broken on purpose. Long ones: `npm run simulate`. */
import type { Manifest } from "steno-runtime/manifest";
import type { StoreOwner } from "steno-runtime";
import type { Plan } from "../../runtime/machine/plan.js";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { Database } from "./fleet-store.js";
import { commandOf, shrink } from "./shrink.js";
import { defaultSetting, type Mutation, type Outcome, simulate } from "./simulate.js";

type Simulate = typeof simulate;

const SEEDS = 200;
/**
 * Each is as long as forty of the others. In the first, a coordinator is stopped while it takes a run, which
 * another finishes: it took the log for damaged.
 */
const FLEETS = [9, 2];

let database: Database;
beforeAll(async () => {
  database = await Database.start();
});
afterAll(() => database.stop());

test("whatever fails at whatever moment, no run is wrong, half undone or forgotten", async () => {
  const endings = new Map<string, number>();
  let crashes = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const outcome = await simulate(defaultSetting(seed));
    if (outcome.violation !== undefined) {
      const { setting, violation } = await shrink(defaultSetting(seed), outcome.violation);
      expect.fail(`${violation.message}\nagain: ${commandOf(setting)}`);
    }
    crashes += outcome.crashes;
    for (const [end, times] of outcome.endings) endings.set(end, (endings.get(end) ?? 0) + times);
  }
  // It looked at something.
  expect(crashes).toBeGreaterThan(SEEDS * 3);
  expect(endings.get("succeeded")).toBeGreaterThan(SEEDS / 4);
  expect(endings.get("undone")).toBeGreaterThan(SEEDS / 4);
  expect([...endings.keys()].sort()).toEqual(["succeeded", "undone"]);
});

test("on SQLite, too, no run is wrong, half undone or forgotten", async () => {
  for (let seed = SEEDS; seed < SEEDS + 20; seed++) {
    const setting = { ...defaultSetting(seed), store: "sqlite" } as const;
    const { violation } = await simulate(setting);
    if (violation !== undefined) expect.fail(`${violation.message}\nagain: ${commandOf(setting)}`);
  }
});

test("with several commits under way, which end in any order, no run is wrong or forgotten", async () => {
  for (let seed = SEEDS + 20; seed < SEEDS + 120; seed++) {
    // More runs than the others have: a run is in one commit at a time.
    const setting = { ...defaultSetting(seed), store: "lanes", runs: 2 + (seed % 5) } as const;
    const { violation } = await simulate(setting);
    if (violation !== undefined) expect.fail(`${violation.message}\nagain: ${commandOf(setting)}`);
  }
});

test("two coordinators on one PostgreSQL leave no run wrong, half undone, forgotten or written to by both", async () => {
  const seen = { crashes: 0, commits: 0 };
  for (const seed of FLEETS) {
    const setting = defaultSetting(seed, "postgres");
    const { violation, crashes, commits } = await simulate(setting, undefined, database);
    if (violation !== undefined) expect.fail(`${violation.message}\nagain: ${commandOf(setting)}`);
    seen.crashes += crashes;
    seen.commits += commits;
  }
  expect(seen.crashes).toBeGreaterThan(FLEETS.length);
  expect(seen.commits).toBeGreaterThan(10 * FLEETS.length);
});

test("a run that goes on while its result is read does not tell an end that is not durable", async () => {
  const faults = ["bodies", "commands", "clock", "upgrades"] as const;
  const { violation } = await simulate({ ...defaultSetting(902_262), runs: 3, steps: 55, faults });
  expect(violation).toBeUndefined();
});

test("a seed is one simulation", async () => {
  const seen = async (): Promise<unknown> => {
    const { violation, commits, crashes, endings } = await simulate(defaultSetting(7));
    return [violation, commits, crashes, [...endings]];
  };
  expect(await seen()).toEqual(await seen());
});

/** The first thing that is found wrong in some seeds, and says so. */
async function found(
  mutate?: Mutation,
  run: Simulate = simulate,
  so = /./,
): Promise<Outcome["violation"]> {
  for (let seed = 0; seed < SEEDS; seed++) {
    const { violation } = await run(defaultSetting(seed), mutate);
    if (violation !== undefined && so.test(violation.message)) return violation;
  }
  return undefined;
}

/** The owner of a store, with some of what it does changed. */
function withOwner(change: (owner: StoreOwner) => Partial<StoreOwner>): Mutation {
  return (options) => ({
    ...options,
    store: {
      reader: () => options.store.reader(),
      open: async () => {
        const owner = await options.store.open();
        const changed = change(owner);
        return new Proxy(owner, {
          get: (_, name) => Reflect.get(name in changed ? changed : owner, name),
        });
      },
    },
  });
}

test("effects before the commit are found", async () => {
  const early = withOwner((owner) => ({
    commit: async (writes) => {
      void owner.commit(writes).catch(() => undefined);
    },
  }));
  expect((await found(early))?.message).toMatch(/not durable|the log says|out of place/);
});

test("a request that is lost is found", async () => {
  const forgetful = withOwner((owner) => ({
    requests: async () => (await owner.requests()).filter(({ id }) => id % 3 !== 0),
  }));
  expect((await found(forgetful))?.message).toMatch(/requests without an answer/);
});

test("a recovery that forgets timers is found", async () => {
  const forgetful = withOwner((owner) => ({
    due: async (filter) => (await owner.due(filter)).filter(({ wakeAt }) => wakeAt === 0),
  }));
  expect((await found(forgetful))?.message).toMatch(/never ended/);
});

/** The simulation over a runtime in which one module is changed. */
async function simulateWith(change: () => void): Promise<Simulate> {
  vi.resetModules();
  change();
  return (await import("./simulate.js")).simulate;
}

afterEach(() => {
  vi.doUnmock("../../runtime/context.js");
  vi.doUnmock("../../runtime/machine/plan.js");
  vi.doUnmock("../../runtime/stores/postgres-commit.js");
  vi.resetModules();
});

test("a body that is called twice is found", async () => {
  const changed = await simulateWith(() =>
    vi.doMock("../../runtime/context.js", async (load) => {
      const real = await load<typeof import("../../runtime/context.js")>();
      const twice: typeof real.runInContext = (attempt, call, ...given) => {
        const result = real.runInContext(attempt, call, ...given);
        Promise.resolve(real.runInContext(attempt, call, ...given)).catch(() => undefined);
        return result;
      };
      return { ...real, runInContext: twice };
    }),
  );
  expect((await found(undefined, changed))?.message).toMatch(/is called 2 times/);
});

test("undos that do not wait for those after them are found", async () => {
  const changed = await simulateWith(() =>
    vi.doMock("../../runtime/machine/plan.js", async (load) => {
      const real = await load<typeof import("../../runtime/machine/plan.js")>();
      const forget = (plan: Plan): void => {
        plan.childCount.fill(0);
        plan.parents.start.fill(0);
        for (const inner of [...plan.plans.values(), ...plan.handlers.values()]) forget(inner);
      };
      const makePlan = (manifest: Manifest): Plan => {
        const plan = real.makePlan(manifest);
        forget(plan);
        return plan;
      };
      return { ...real, makePlan };
    }),
  );
  // It shows in other ways, too, in some.
  const so = /undone before/;
  expect((await found(undefined, changed, so))?.message).toMatch(so);
});

test("coordinators that may write what they have lost are found", async () => {
  const changed = await simulateWith(() =>
    vi.doMock("../../runtime/stores/postgres-commit.js", async (load) => {
      const real = await load<typeof import("../../runtime/stores/postgres-commit.js")>();
      const unfenced: typeof real.commitStatement = (...given) => {
        const { text, ...rest } = real.commitStatement(...given);
        // What it requires is looked at, and that is all.
        const open = text
          .replaceAll(/"\w+"\.require\(/g, "ROW(")
          .replaceAll("EXISTS (SELECT FROM lane)", "true");
        return { ...rest, text: open };
      };
      return { ...real, commitStatement: unfenced };
    }),
  );
  let said: string | undefined;
  for (let seed = 2; seed < 10 && said === undefined; seed++) {
    const { violation } = await changed(defaultSetting(seed, "postgres"), undefined, database);
    said = violation?.message;
  }
  expect(said).toMatch(/by a coordinator that does not have it/);
});
