/**
 * The workflow that runs sagas: one for all definitions. A run is an invocation of `run`, by its id;
 * the other handlers tell about it, and tell it what operators want. How a run goes is in `drive.ts`.
 */
import "./with-resolvers.js";
import {
  handlers,
  workflow,
  type WorkflowContext,
  type WorkflowDefinition,
} from "@restatedev/restate-sdk";
import type { BoundSaga, Duration } from "steno-runtime";
import { checkSpawns, crashLimitOf, loadSaga, milliseconds, newNonce } from "steno-runtime/host";
import { Bodies } from "./bodies.js";
import { checkParams, checkStart } from "./checks.js";
import { Definitions } from "./definitions.js";
import { Drive, type DriveOptions } from "./drive.js";
import {
  BEGUN,
  type Beginning,
  type Begun,
  DEFINITION,
  type Ending,
  JOURNAL,
  PARAMS,
  SERVICE,
  type Start,
} from "./protocol.js";
import { sharedHandlers } from "./shared-handlers.js";
import { Spawns } from "./spawns.js";
import { refuseUnavailable } from "./unavailable.js";

export interface SagaServiceOptions {
  /** The definitions with the objects that run them; of several of one name, runs that runs start take the first. */
  readonly sagas: readonly BoundSaga[];
  /** The name of the workflow in Restate: `steno` unless told. */
  readonly name?: string;
  /** How often the attempts of a node may end with the process before its run is paused: 3 unless told. */
  readonly crashLimit?: number;
  /** How long a finished run is kept: one day unless told. */
  readonly retention?: Duration;
  /** Hears what an operator should know; by default nobody does. */
  readonly warn?: (message: string) => void;
}

/** The workflow, to be served, and the bodies that it runs in this process. */
export interface SagaService {
  readonly workflow: WorkflowDefinition<string, unknown>;
  /** Begins no body any more here; resolves when none runs. Runs go on where it is served again. */
  close(): Promise<void>;
}

/**
 * A body may run for so long and the connection be silent: only after that Restate begins the
 * handler anew, maybe in another process, where what runs here is in doubt.
 */
const SILENT = { days: 7 };
/**
 * When nobody serves, or a process has died: Restate's own default waits a minute at last, and after
 * some seventy times it waits for an operator, which a run that goes on by itself must not.
 */
const AGAIN = {
  initialInterval: 100,
  exponentiationFactor: 2,
  maxInterval: 10_000,
  maxAttempts: 1_000_000_000,
};
const DEFAULT_RETENTION = "1 day";

/**
 * Makes the workflow that runs sagas on Restate.
 * @throws StenoError if a saga cannot be run, or an option is not for Restate
 */
export function sagaService(options: SagaServiceOptions): SagaService {
  refuseUnavailable(options);
  const name = options.name ?? SERVICE;
  const sagas = options.sagas.map(loadSaga);
  checkSpawns(sagas);
  const bodies = new Bodies();
  const warn = options.warn ?? ((): void => {});
  const definitions = new Definitions(sagas, warn);
  const spawns = new Spawns(name, sagas);
  const drive: DriveOptions = { bodies, spawns, crashLimit: crashLimitOf(options), warn };
  const retention = milliseconds(options.retention ?? DEFAULT_RETENTION);
  return {
    workflow: workflow({
      name,
      handlers: {
        run: handlers.workflow.workflow(
          {
            explicitCancellation: true,
            inactivityTimeout: { minutes: 1 },
            abortTimeout: SILENT,
            // It writes state, and reads none.
            enableLazyState: true,
          },
          (ctx: WorkflowContext, start: Start) => runSaga(ctx, start, definitions, drive),
        ),
        ...sharedHandlers(definitions),
      },
      options: { workflowRetention: retention, retryPolicy: AGAIN },
    }) as SagaService["workflow"],
    close: () => bodies.close(),
  };
}

async function runSaga(
  ctx: WorkflowContext,
  given: Start,
  definitions: Definitions,
  options: DriveOptions,
): Promise<Ending> {
  const start = checkStart(ctx.key, given);
  const found = definitions.of(ctx.key, start);
  checkParams(found, start);
  const begun = await ctx.run<Beginning>("begin", () => {
    const nonce = start.nonce ?? newNonce();
    return { at: Date.now(), nonce, journal: JOURNAL, manifest: found.manifest };
  });
  definitions.checkJournal(ctx.key, begun);
  if (start.params !== undefined) ctx.set(PARAMS, start.params);
  // Of another build the policies in it may be others.
  ctx.set(DEFINITION, begun.manifest);
  const run = new Drive(ctx, options, found, start, begun);
  void ctx.promise<Begun>(BEGUN).resolve({ saga: start.saga });
  return run.toEnd();
}
