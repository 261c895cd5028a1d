/** `steno-runtime/postgres`: the store for a fleet of coordinators. It needs the package `pg`. */
export { postgresStore } from "./stores/postgres.js";
export type { PostgresStoreOptions } from "./stores/postgres.js";
export type { PostgresConnection } from "./stores/postgres-link.js";
