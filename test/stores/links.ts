/**
 * Runs whose results show what was done to their store, a store that a killed process left, and how
 * another one goes on with it. What is done to it is in the tests.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Coordinator,
  defineSaga,
  type SagaDefinition,
  sqliteStore,
  StenoError,
} from "steno-runtime";
import { expect } from "vitest";
import { action } from "../runtime/sagas.js";
import { keptLog, until } from "../runtime/watched-store.js";

export interface Links {
  act(node: string, from: unknown): Promise<string>;
  undo(): Promise<void>;
}

/** What each action gives is made of what the one before gave: whatever has changed is seen at the end. */
export const saga: SagaDefinition<Links, unknown, unknown> = defineSaga({
  manifest: {
    steno: 1,
    name: "Links.saga",
    hash: `sha256-${"1".repeat(64)}`,
    nodes: [action("a"), action("b", ["a"]), action("c", ["b"])],
  },
  nodes: {
    a: { inputs: ({ params }: { readonly params: unknown }) => ["a", params] },
    b: { inputs: ({ a }: { readonly a: unknown }) => ["b", a] },
    c: { inputs: ({ b }: { readonly b: unknown }) => ["c", b] },
  },
  output: (values: { readonly params: unknown; readonly c: unknown }) => [values.params, values.c],
});
/** So many runs are in a store that was left. */
const RUNS = 12;

export function resultOf(params: unknown): unknown {
  return [params, `c(b(a(${String(params)})))`];
}

/** `before`: is called by each action, with its name. */
export function links(before: (node: string) => unknown = () => undefined): Links {
  return {
    act: async (node, from) => {
      await before(node);
      return `${node}(${String(from)})`;
    },
    undo: async () => undefined,
  };
}

export function open(path: string, script = links(), busyTimeoutMs = 5000): Promise<Coordinator> {
  const store = sqliteStore(path, { busyTimeoutMs });
  return Coordinator.open({ store, sagas: [saga.on(script)], logger: keptLog() });
}

/** A store as a process left it that ended with runs in flight: the file, and its log of writes. */
export function copyOf(path: string, folder: string): string {
  const copy = join(folder, "copy.db");
  for (const end of ["", "-wal"]) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
  return copy;
}

export interface Left {
  readonly path: string;
  /** The events of each run as they were when it was left. */
  readonly logs: ReadonlyMap<string, readonly unknown[]>;
}

/** Makes a store whose process was never closed, as if it had been killed: each run is in its last action. */
export async function leaveStore(): Promise<Left> {
  const folder = mkdtempSync(join(tmpdir(), "steno-left-"));
  const path = join(folder, "a.db");
  const script = links((node) => (node === "c" ? new Promise(() => {}) : undefined));
  const coordinator = await open(path, script);
  for (let run = 0; run < RUNS; run++) await coordinator.start(saga, run, { id: `r${run}` });
  const reader = await sqliteStore(path).reader();
  await until(async () => (await reader.events(`r${RUNS - 1}`)).length >= 6);
  mkdirSync(join(folder, "left"));
  const left = copyOf(path, join(folder, "left"));
  const logs = new Map<string, readonly unknown[]>();
  for (let run = 0; run < RUNS; run++) logs.set(`r${run}`, await reader.events(`r${run}`));
  return { path: left, logs };
}

/** Opens it and goes on; gives the results of those runs that are there, or the code of the error. */
export async function goOn(
  path: string,
  ids: Iterable<string>,
  script?: Links,
): Promise<Map<string, unknown> | string> {
  let coordinator: Coordinator;
  try {
    coordinator = await open(path, script);
  } catch (error) {
    return codeOf(error);
  }
  const results = new Map<string, unknown>();
  for (const id of ids) {
    try {
      const run = await coordinator.run(id);
      if (run !== undefined) results.set(id, await run.result());
    } catch (error) {
      results.set(id, codeOf(error));
    }
  }
  await coordinator.close().catch(codeOf);
  return results;
}

export function codeOf(error: unknown): string {
  expect(error).toBeInstanceOf(StenoError);
  const { code, message } = error as StenoError;
  expect(code).not.toBe("internal");
  expect(message.length).toBeGreaterThan(20);
  return code;
}
