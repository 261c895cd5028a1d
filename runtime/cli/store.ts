/** Which store `--store` names: a SQLite file, or a PostgreSQL by its URL. It opens none. */
import { sqliteStore } from "../stores/sqlite.js";
import type { Store } from "../stores/store.js";

/** What begins so is no file. */
const POSTGRES = /^postgres(ql)?:\/\//;

/**
 * The store. Of a PostgreSQL, `?schema=…` says in which schema its tables are, if not `steno`.
 * @throws StoreError `store-options`
 */
export async function storeAt(name: string): Promise<Store> {
  if (!POSTGRES.test(name)) return sqliteStore(name);
  // Only who needs it waits for it.
  const { postgresStore } = await import("../stores/postgres.js");
  const [address, query = ""] = name.split(/\?(.*)/s) as [string, string?];
  const parameters = new URLSearchParams(query);
  const schema = parameters.get("schema");
  parameters.delete("schema");
  const rest = parameters.size === 0 ? "" : `?${parameters.toString()}`;
  return postgresStore(address + rest, schema === null ? {} : { schema });
}

/** What can be told of it to people: without a password. */
export function shownStore(name: string): string {
  return POSTGRES.test(name) ? name.replace(/(:\/\/[^:@/]*):[^@/]*@/, "$1:…@") : name;
}
