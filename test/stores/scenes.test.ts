/**
 * The scenes of the machine, on every store: what came of each command is committed, all scenes together;
 * where the process of one ends, another owner takes the store, and finds in the log the state that was.
 */
import { afterAll, expect, test } from "vitest";
import type { LoggedEvent } from "../../runtime/events.js";
import { foldLog } from "../../runtime/reading/history.js";
import { statusOf } from "../../runtime/state.js";
import type { RunRow, StoreOwner, Write } from "../../runtime/stores/store.js";
import { flatState } from "../machine/host.js";
import { files, play, sceneOf, type Step } from "../machine/play.js";
import { type Ground, groundsOf, STORES } from "../oracle/grounds.js";
import { sampleRun } from "./sample.js";

/** A step, with what was true of the state then. */
interface Kept extends Omit<Step, "state"> {
  readonly flat: unknown;
  readonly row: Pick<RunRow, "status" | "reason" | "output" | "wakeAt">;
}
interface Scene {
  readonly id: string;
  readonly hash: string;
  readonly steps: readonly Kept[];
}

const scenes = files.map((id): Scene => {
  const steps: Kept[] = [];
  play(sceneOf(id), ({ state, ...step }) => {
    const { paused: reason, output, finished } = state;
    const wakeAt = finished === undefined ? 0 : undefined;
    const flat = structuredClone(flatState(state));
    steps.push({ ...step, flat, row: { status: statusOf(state), reason, output, wakeAt } });
  });
  return { id, hash: `sha256-${id}`, steps };
});

/** What a coordinator writes of a step. */
function writesOf({ id, hash, steps }: Scene, place: number): Write[] {
  const { log, row, manifest } = steps[place] as Kept;
  const known = steps[place - 1]?.log.length ?? 0;
  const events = log.slice(known).map((event, more) => ({ ...event, seq: known + more }));
  const made: Write[] = [
    { kind: "define", manifest: { ...manifest, hash } },
    { kind: "create", run: sampleRun(id, { saga: id, hash }) },
  ];
  // A run that is finished has no owner, and nothing is written of it.
  if (events.length === 0) return [];
  return [
    ...(place === 0 ? made : []),
    { kind: "append", run: id, events },
    { kind: "update", run: id, ...row, error: undefined, updatedAt: log.length },
  ];
}

async function expectKept(owner: StoreOwner, { id, steps }: Scene, place: number): Promise<void> {
  const { plan, log, flat, row } = steps[place] as Kept;
  const events = await owner.events(id);
  expect([id, events.map(({ seq: _, ...event }: LoggedEvent) => event)]).toEqual([id, log]);
  expect([id, flatState(foldLog(plan, events))]).toEqual([id, flat]);
  expect(await owner.run(id)).toMatchObject({ id, ...row, updatedAt: log.length });
}

async function open({ store }: Ground): Promise<StoreOwner> {
  const owner = await store.open({ definitions: scenes.map(({ hash }) => hash) });
  // Where others may have them, runs are taken.
  while (((await owner.fleet?.claim({ until: 1, limit: 50 })) ?? []).length > 0);
  return owner;
}

const grounds = await Promise.all(STORES.map(groundsOf));
afterAll(async () => {
  for (const each of grounds) await each.close();
});

test.each(STORES.map((name, index) => [name, index] as const))("on %s", async (_, index) => {
  const ground = (await grounds[index]?.take()) as Ground;
  let owner = await open(ground);
  const last = Math.max(...scenes.map(({ steps }) => steps.length));
  for (let place = 0; place < last; place++) {
    const now = scenes.filter(({ steps }) => place < steps.length);
    const crashed = now.filter(({ steps }) => steps[place]?.crashed);
    if (crashed.length > 0) {
      await owner.close();
      owner = await open(ground);
      for (const scene of crashed) await expectKept(owner, scene, place - 1);
    }
    await owner.commit(now.flatMap((scene) => writesOf(scene, place)));
  }
  await owner.close();
  owner = await open(ground);
  for (const scene of scenes) await expectKept(owner, scene, scene.steps.length - 1);
  await owner.close();
  await ground.leave();
});

test("there are crashes", () => {
  const crashes = scenes.flatMap(({ steps }) => steps.filter(({ crashed }) => crashed));
  expect(crashes.length).toBeGreaterThan(10);
});
