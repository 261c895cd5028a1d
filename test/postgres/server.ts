/** The PostgreSQL of the tests: the one that the example starts. */
export { type PostgresServer, query, startPostgres } from "../../examples/fleet/postgres.js";
