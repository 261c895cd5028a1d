/**
 * The workflow that runs sagas: one for all definitions. A run is an invocation of `run`, by its id;
 * the other handlers tell about it, and tell it what operators want. How a run goes is in `drive.ts`.
 */
import "./with-resolvers.js";
import {
  RestatePromise,
  handlers,
  TerminalError,
  workflow,
  type WorkflowContext,
  type WorkflowDefinition,
  type WorkflowSharedContext,
} from "@restatedev/restate-sdk";
import { type BoundSaga, type Duration, StenoError } from "steno-runtime";
import {
  checkSpawns,
  crashLimitOf,
  type LoadedSaga,
  loadSaga,
  type LoggedEvent,
  type Manifest,
  milliseconds,
  newNonce,
  runPruned,
} from "steno-runtime/host";
import { Bodies } from "./bodies.js";
import { Drive, type DriveOptions } from "./drive.js";
import {
  type Answer,
  answerPromise,
  BEGUN,
  type Begun,
  type Command,
  commandPromise,
  COMMANDS,
  ENDED,
  type Ending,
  LOG,
  logKey,
  type Missing,
  MOVES,
  PARAMS,
  type ReadAnswer,
  type ReadQuery,
  restPromise,
  type RestQuery,
  ROW,
  SERVICE,
  type Start,
  type StoredRow,
} from "./protocol.js";
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
/** What is only asked leaves nothing behind; a command can be repeated for so long, and is done once. */
const ASKED = { journalRetention: 0, idempotencyRetention: { hours: 1 } };
/** Restate sends what state is asked for, and not all of it, with the whole log, to each call. */
const UNREAD = { enableLazyState: true };
const ASKED_LITTLE = { ...ASKED, ...UNREAD };
const DEFAULT_RETENTION = "1 day";
/** What the SDK says of a promise that is resolved already. */
const CONFLICT = 409;

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
  const drive: DriveOptions = {
    bodies,
    spawns: new Spawns(name, sagas),
    crashLimit: crashLimitOf(options),
    warn: options.warn ?? (() => {}),
  };
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
            ...UNREAD,
          },
          (ctx: WorkflowContext, start: Start) => runSaga(ctx, start, sagas, drive),
        ),
        ...sharedHandlers(sagas),
      },
      options: { workflowRetention: retention, retryPolicy: AGAIN },
    }) as SagaService["workflow"],
    close: () => bodies.close(),
  };
}

async function runSaga(
  ctx: WorkflowContext,
  start: Start,
  sagas: readonly LoadedSaga[],
  options: DriveOptions,
): Promise<Ending> {
  const { saga, hash, params } = start;
  const found = sagas.find(({ manifest }) => manifest.hash === hash && manifest.name === saga);
  if (found === undefined) {
    // No end of the run: it goes on when Restate tries again where the definition is.
    throw new StenoError(
      "definition-missing",
      `run \`${ctx.key}\` was started with the definition ${hash} of \`${saga}\`, which is not in ` +
        "`sagas` here: serve the bundle or module that it was started with, too",
    );
  }
  const begun = await ctx.run("begin", () => {
    return { at: Date.now(), nonce: start.nonce ?? newNonce() };
  });
  const run = new Drive(ctx, options, found, start, begun);
  if (params !== undefined) ctx.set(PARAMS, params);
  void ctx.promise<Begun>(BEGUN).resolve({ saga });
  return run.toEnd();
}

function sharedHandlers(sagas: readonly LoadedSaga[]) {
  const { shared } = handlers.workflow;
  return {
    begun: shared(ASKED_LITTLE, async (ctx: WorkflowSharedContext): Promise<Begun> => {
      return withParams(ctx, await ctx.promise<Begun>(BEGUN).get());
    }),
    ended: shared(ASKED_LITTLE, (ctx: WorkflowSharedContext): Promise<Ending> => {
      return ctx.promise<Ending>(ENDED).get();
    }),
    read: shared(ASKED, read),
    rest: shared(ASKED_LITTLE, rest),
    tell: shared(ASKED_LITTLE, tell),
    definition: shared(
      ASKED_LITTLE,
      async (_: WorkflowSharedContext, hash: string): Promise<Manifest> => {
        const found = sagas.find(({ manifest }) => manifest.hash === hash);
        if (found !== undefined) return found.manifest;
        throw new TerminalError(`no definition ${hash} is in \`sagas\` here`, { errorCode: 404 });
      },
    ),
  };
}

/** The run's row, and events of its log. */
async function read(
  ctx: WorkflowSharedContext,
  { after, limit = Infinity }: ReadQuery,
): Promise<ReadAnswer | Missing> {
  const stored = await ctx.get<StoredRow>(ROW);
  if (stored === null) return { missing: true };
  const row = await withParams(ctx, stored);
  const events: LoggedEvent[] = [];
  if (after === undefined) return { row, events };
  const keys = (await ctx.stateKeys()).filter((key) => key.startsWith(LOG)).sort();
  // The last one that begins before it may hold some.
  const first = keys.findLastIndex((key) => key <= logKey(after + 1));
  for (const key of keys.slice(Math.max(first, 0))) {
    for (const event of (await ctx.get<LoggedEvent[]>(key)) ?? []) {
      if (event.seq > after && events.length < limit) events.push(event);
    }
    if (events.length >= limit) break;
  }
  return { row, events };
}

async function withParams<T extends object>(
  ctx: WorkflowSharedContext,
  of: T,
): Promise<T & { readonly params?: string }> {
  const params = await ctx.get<string>(PARAMS);
  return params === null ? of : { ...of, params };
}

/** Waits until the run rests, but not for ever: whether it does. */
async function rest(
  ctx: WorkflowSharedContext,
  { nonce, atMost }: RestQuery,
): Promise<{ readonly rests: boolean } | Missing> {
  const row = await ctx.get<StoredRow>(ROW);
  if (row === null) return { missing: true };
  // Of another run nothing is waited for: whoever asks looks then, and sees that it is another.
  if (isFinal(row) || row.status === "stuck" || row.nonce !== nonce) return { rests: true };
  const moves = (await ctx.get<number>(MOVES)) ?? 0;
  const rests = await RestatePromise.race([
    ctx
      .promise(restPromise(moves))
      .get()
      .map(() => true),
    ctx.sleep(atMost).map(() => false),
  ]);
  return { rests };
}

/** Gives a command to the run, and its answer back. */
async function tell(ctx: WorkflowSharedContext, command: Command): Promise<Answer | Missing> {
  const row = await ctx.get<StoredRow>(ROW);
  if (row === null) return { missing: true };
  const { nonce = row.nonce } = command;
  if (row.nonce !== nonce) return refusal(runPruned(ctx.key));
  if (isFinal(row)) return finished(ctx.key, row.status);
  for (let place = (await ctx.get<number>(COMMANDS)) ?? 0; ; place++) {
    if (!(await isPlaced(ctx, place, command))) continue;
    const answer = ctx.promise<Answer>(answerPromise(place));
    const end = ctx.promise<Ending>(ENDED).get();
    const got = await RestatePromise.race([
      answer.get(),
      end.map((ending) => ending?.status ?? "succeeded"),
    ]);
    if (typeof got === "object") return got;
    // It may have been the last thing that the run did.
    return (await answer.peek()) ?? finished(ctx.key, got);
  }
}

/** Puts a command in a place of the list, if the place is free. */
async function isPlaced(
  ctx: WorkflowSharedContext,
  place: number,
  command: Command,
): Promise<boolean> {
  try {
    await ctx.promise<Command>(commandPromise(place)).resolve(command);
    return true;
  } catch (error) {
    if (error instanceof TerminalError && error.code === CONFLICT) return false;
    throw error;
  }
}

function isFinal({ status }: StoredRow): boolean {
  return status === "succeeded" || status === "undone";
}

function refusal({ code, message }: StenoError): Answer {
  return { ok: false, code, message };
}

function finished(id: string, status: string): Answer {
  const message = `run \`${id}\` is finished (${status}): nothing is left to do to it`;
  return { ok: false, code: "run-finished", message };
}
