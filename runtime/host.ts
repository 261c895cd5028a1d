/**
 * What another host of the machine is built of, as `steno-restate` is. It is no API for users: it may
 * change with every version, and packages that use it name the very version they were made for.
 */
export { ActiveRun } from "./execution/active-run.js";
export { answerTo, codecsOf, failsUncalled } from "./execution/answers.js";
export { Attempt } from "./execution/attempt.js";
export { callBody } from "./execution/calling.js";
export { systemClock } from "./clock.js";
export { decode, encode } from "./codec.js";
export type { Codec } from "./codec/codec.js";
export { json } from "./codec/json.js";
export { runInContext } from "./context.js";
export { type CommandArguments, eventOf, parseArguments } from "./control.js";
export type { AnyNodes, AnySagaDefinition } from "./definition.js";
export { milliseconds } from "./duration.js";
export type { SagaEvent, LoggedEvent } from "./events.js";
export { differenceOf } from "./reading/definition-difference.js";
export { foldLog, outcomeOf as resultOf } from "./reading/history.js";
export { badCursor, readPage } from "./reading/listing.js";
export { type LoadedSaga, loadDefinition, loadSaga } from "./execution/loaded-saga.js";
export { advance } from "./machine.js";
export { breakAfter, breakBefore } from "./machine/breakpoints.js";
export type { Effect } from "./machine/effects.js";
export { failureOf } from "./machine/holding.js";
export { injectedAt } from "./machine/injections.js";
export { crashesOfNode, isWanted } from "./machine/outstanding.js";
export { awaitedAt } from "./machine/waiting.js";
export { type Manifest, parseManifest } from "./manifest.js";
export type { NodeCodecs } from "./codec/node-codecs.js";
export {
  eventOfOutcome,
  type Outcome,
  outcomeOf,
  outcomeOfError,
  tooLate,
} from "./execution/outcomes.js";
export { type ErrorClasses, recordError, sagaFailure } from "./codec/recorded-error.js";
export { crashLimitOf } from "./execution/recovery.js";
export { argumentsText, storedArguments } from "./operating/stored-arguments.js";
export { runPruned } from "./operating/retention.js";
export { Run, type RunHost } from "./run.js";
export { checkSpawns } from "./execution/spawns.js";
export { paramsText, type Started } from "./execution/starter.js";
export { checkId, checkSame, newNonce, type NewRun, newRun } from "./execution/starting.js";
export {
  type Failure,
  type Frame,
  isHeld,
  nodeOf,
  pathOf,
  PHASE,
  type RunState,
  statusOf,
} from "./state.js";
export type { RunRow, StoreReader, Write } from "./stores/store.js";
export { polled } from "./reading/watching.js";
