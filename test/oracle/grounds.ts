/**
 * The stores that programs are run on, and when they are at rest: where a store asks a real server,
 * nothing is said of a run before all that was asked has been answered. It knows no programs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore, sqliteStore, type Store, type StoreOwner } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { query, startPostgres } from "../postgres/server.js";

export const STORES = ["memory", "sqlite", "postgres"] as const;
export type StoreName = (typeof STORES)[number];

/** What one program is run on: a store that nobody else uses. */
export interface Ground {
  readonly store: Store;
  /** A turn of the event loop after which nothing is under way in the store. */
  turn(): Promise<void>;
  /** Ends the owner as the death of its process would: another may open the store. */
  kill(): Promise<void>;
  /** It is used no more. */
  leave(): Promise<void>;
}

export interface Grounds {
  take(): Promise<Ground>;
  close(): Promise<void>;
}

/** Stores of PostgreSQL at a time; each has four connections, and for a moment twice as many after a crash. */
const SCHEMAS = 16;
/** All that a store has. Its tables stay, which take long to be made. */
const TABLES = ["runs", "events", "awaits", "requests", "kept", "definitions", "lanes"];

export async function groundsOf(name: StoreName): Promise<Grounds> {
  if (name === "postgres") return onPostgres();
  const take = name === "sqlite" ? inFile : inMemory;
  return { take: () => Promise.resolve(take()), close: () => Promise.resolve() };
}

export function inMemory(): Ground {
  return groundOf(memoryStore(), () => Promise.resolve());
}

function inFile(): Ground {
  const folder = mkdtempSync(join(tmpdir(), "steno-programs-"));
  const leave = (): Promise<void> => Promise.resolve(rmSync(folder, { recursive: true }));
  return groundOf(sqliteStore(join(folder, "runs.db")), leave);
}

async function onPostgres(): Promise<Grounds> {
  const server = await startPostgres({ fsync: false });
  const url = server.url("postgres");
  const free: string[] = Array.from({ length: SCHEMAS }, (_, place) => `programs_${place}`);
  const waiting: ((schema: string) => void)[] = [];
  const used = new Set<string>();
  const giveBack = (schema: string): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(schema);
    else next(schema);
  };
  return {
    take: async () => {
      const schema = free.pop() ?? (await new Promise<string>((take) => waiting.push(take)));
      const wipe = TABLES.map((table) => `DELETE FROM ${schema}.${table}`).join(";");
      if (used.has(schema)) await query(url, wipe);
      used.add(schema);
      const store = postgresStore(url, { schema, lanes: 1, clock: "coordinator" });
      return groundOf(store, () => Promise.resolve(giveBack(schema)));
    },
    close: () => server.stop(),
  };
}

/** Counts what is asked of a store until it is answered. */
class Asked {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** What is given counts all that is asked of it, and of what it gives. */
  counted<T extends object>(given: T): T {
    return new Proxy(given, {
      get: (object, name) => {
        const value = Reflect.get(object, name) as unknown;
        if (name === "fleet" || name === "shared") return value && this.counted(value);
        if (typeof value !== "function") return value;
        return (...args: readonly unknown[]) => this.#during(Reflect.apply(value, object, args));
      },
    });
  }

  #during(answer: unknown): unknown {
    if (!(answer instanceof Promise)) return answer;
    this.#count += 1;
    return answer.finally(() => {
      this.#count -= 1;
      if (this.#count === 0) for (const go of this.#waiting.splice(0)) go();
    });
  }

  async turn(): Promise<void> {
    do {
      if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#count > 0);
  }
}

function groundOf(inner: Store, leave: () => Promise<void>): Ground {
  const asked = new Asked();
  let owner: StoreOwner | undefined;
  const store: Store = {
    reader: async () => asked.counted(await inner.reader()),
    open: async (options) => {
      owner = await inner.open(options);
      return asked.counted(owner);
    },
  };
  return {
    store: asked.counted(store),
    turn: () => asked.turn(),
    kill: async () => owner?.close(),
    leave,
  };
}
