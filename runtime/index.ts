/** The public API of steno-runtime: the one file users import. */
export { action, saga, undo } from "./dsl.js";
export type { ActionOptions, Duration, RetryOptions, SagaOptions, UndoOptions } from "./dsl.js";
export { defineSaga } from "./definition.js";
export type { BoundSaga, Output, SagaDefinition } from "./definition.js";
export { sqliteStore } from "./stores/sqlite.js";
export type { SqliteStoreOptions } from "./stores/sqlite.js";
