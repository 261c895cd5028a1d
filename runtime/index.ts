/** The public API of steno-runtime: the one file users import. */
export { action, event, saga, sleep, start, undo } from "./dsl.js";
export { each } from "./each.js";
export type { EachOptions } from "./each.js";
export type {
  ActionOptions,
  Duration,
  RetryOptions,
  SagaEvent,
  SagaOptions,
  StartedRun,
  StartedRunOptions,
  UndoOptions,
} from "./dsl.js";
export type { StandardIssue, StandardResult, StandardSchema } from "./codec/standard-schema.js";
export { defineSaga, notReached } from "./definition.js";
export type { AnyNodes, BoundSaga, Item, NodePath, Output, SagaDefinition } from "./definition.js";
export { Client } from "./client.js";
export type { ClientOptions } from "./client.js";
export { Coordinator } from "./coordinator.js";
export type { LogFields, PausedRun, PauseReason } from "./options.js";
export type { CoordinatorOptions, Logger, StartOptions } from "./options.js";
export type { Injection } from "./operating/inject.js";
export type { LoggedEvent } from "./events.js";
export type { ObservedCall, ObservedRun, Observer } from "./observing/observing.js";
export type { WatchOptions } from "./reading/watching.js";
export type { Outcome, Run, RunReport } from "./run.js";
export type { RunPage, RunQuery, RunSummary } from "./reading/listing.js";
export type { Limit, LimitedAttempt } from "./execution/limits.js";
export type { Hold, HoldReason } from "./operating/reasons.js";
export type { BreakpointPlace } from "./operating/debugging.js";
export type { UnrecoveredRun } from "./execution/recovery.js";
export type { ExportedRun, ExportQuery, ExportRecord } from "./reading/export.js";
export type { PruneOptions, RetentionOptions } from "./operating/retention.js";
export { nodeStates, statusText } from "./reading/history.js";
export type { NodeStatus } from "./reading/history.js";
export { actionContext } from "./context.js";
export type { ActionContext } from "./context.js";
export { systemClock } from "./clock.js";
export type { Clock } from "./clock.js";
export { SagaFailedError, SagaStuckError, StenoError, StoreError } from "./errors.js";
export type { FailedWith, SagaFailure, StuckWith } from "./errors.js";
export { memoryStore } from "./stores/memory.js";
export { sqliteStore } from "./stores/sqlite.js";
export type { SqliteStoreOptions } from "./stores/sqlite.js";
export type {
  RunRow,
  RunStatus,
  Store,
  StoreOwner,
  StoreReader,
  Transaction,
  WatchedEvent,
} from "./stores/store.js";
