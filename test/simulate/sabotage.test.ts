/** The simulation finds what is broken on purpose, in its own words. */
import type { Manifest } from "steno-runtime/manifest";
import type { StoreOwner } from "steno-runtime";
import type { Plan } from "../../runtime/machine/plan.js";
import { afterEach, expect, test, vi } from "vitest";
import { Database } from "./fleet-store.js";
import { defaultSetting, type Mutation, type Outcome, simulate } from "./simulate.js";

type Simulate = typeof simulate;

/** So many are looked at. */
const SEEDS = 200;

/** The first thing that is found wrong in some seeds, and says so. */
async function found(
  mutate?: Mutation,
  run: Simulate = simulate,
  so = /./,
  from = 0,
): Promise<Outcome["violation"]> {
  for (let seed = from; seed < from + SEEDS; seed++) {
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
  // It shows in other ways, too, in some, and none of the first thirty has undos that meet.
  const so = /undone before/;
  expect((await found(undefined, changed, so, 30))?.message).toMatch(so);
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
  const database = await Database.start();
  let said: string | undefined;
  for (let seed = 10; seed < 30 && said === undefined; seed++) {
    const { violation } = await changed(defaultSetting(seed, "postgres"), undefined, database);
    said = violation?.message;
  }
  await database.stop();
  expect(said).toMatch(/by a coordinator that does not have it/);
});
