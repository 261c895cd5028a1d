/**
 * The handlers that tell about a run, and tell it what operators want: they read its state, and resolve
 * and wait for its promises, while it runs elsewhere. How a run goes is in `drive.ts`.
 */
import {
  handlers,
  RestatePromise,
  TerminalError,
  type WorkflowSharedContext,
} from "@restatedev/restate-sdk";
import type { StenoError } from "steno-runtime";
import { type Manifest, runPruned } from "steno-runtime/host";
import { checkCommand, checkReadQuery, checkRestQuery, checkRowQuery } from "./checks.js";
import type { Definitions } from "./definitions.js";
import { readLog } from "./kept-log.js";
import {
  type Answer,
  answerPromise,
  BEGUN,
  type Begun,
  type Command,
  commandPromise,
  COMMANDS,
  DEFINITION,
  ENDED,
  type Ending,
  type Missing,
  MOVES,
  OUTPUT,
  PARAMS,
  type ReadAnswer,
  type ReadQuery,
  restPromise,
  type RestQuery,
  ROW,
  type RowAnswer,
  type RowQuery,
  type StoredRow,
} from "./protocol.js";

/** What is only asked leaves nothing behind; a command can be repeated for so long, and is done once. */
const ASKED = { journalRetention: 0, idempotencyRetention: { hours: 1 } };
/** Restate sends what state is asked for, and not all of it, with the whole log, to each call. */
const ASKED_LITTLE = { ...ASKED, enableLazyState: true };
/** What the SDK says of a promise that is resolved already. */
const CONFLICT = 409;
const GONE = 404;

export function sharedHandlers(definitions: Definitions) {
  const { shared } = handlers.workflow;
  return {
    begun: shared(ASKED_LITTLE, async (ctx: WorkflowSharedContext): Promise<Begun> => {
      const begun = await ctx.promise<Begun>(BEGUN).get();
      return { ...begun, ...(await textAt(ctx, PARAMS, "params")) };
    }),
    ended: shared(ASKED_LITTLE, async (ctx: WorkflowSharedContext): Promise<Ending> => {
      const ending = await ctx.promise<Ending>(ENDED).get();
      return { ...ending, ...(await textAt(ctx, OUTPUT, "output")) };
    }),
    row: shared(ASKED_LITTLE, (ctx: WorkflowSharedContext, query: RowQuery) => {
      return rowOf(ctx, query, definitions);
    }),
    read: shared(ASKED_LITTLE, (ctx: WorkflowSharedContext, query: ReadQuery) => {
      return read(ctx, query, false);
    }),
    // Restate sends the whole state to it: for many events, which are short together.
    readAll: shared(ASKED, (ctx: WorkflowSharedContext, query: ReadQuery) => {
      return read(ctx, query, true);
    }),
    rest: shared(ASKED_LITTLE, rest),
    tell: shared(ASKED_LITTLE, tell),
    definition: shared(ASKED_LITTLE, async (ctx: WorkflowSharedContext): Promise<Manifest> => {
      const manifest = await ctx.get<Manifest>(DEFINITION);
      if (manifest !== null) return manifest;
      throw new TerminalError(`there is no run \`${ctx.key}\``, { errorCode: GONE });
    }),
  };
}

/** The run's row. */
async function rowOf(
  ctx: WorkflowSharedContext,
  query: RowQuery,
  definitions: Definitions,
): Promise<RowAnswer | Missing> {
  const { params = false, output = false } = checkRowQuery(query);
  const stored = await ctx.get<StoredRow>(ROW);
  if (stored === null) return { missing: true };
  const row = {
    ...stored,
    ...(params && (await textAt(ctx, PARAMS, "params"))),
    ...(output && (await textAt(ctx, OUTPUT, "output"))),
  };
  const isServed = isFinal(row) || definitions.find(row) !== undefined;
  return isServed ? { row } : { row, unserved: true };
}

/** Events of the run's log. */
async function read(
  ctx: WorkflowSharedContext,
  query: ReadQuery,
  isAll: boolean,
): Promise<ReadAnswer | Missing> {
  return (await readLog(ctx, checkReadQuery(query), isAll)) ?? { missing: true };
}

async function textAt<Name extends string>(
  ctx: WorkflowSharedContext,
  key: string,
  name: Name,
): Promise<{ readonly [Each in Name]?: string }> {
  const text = await ctx.get<string>(key);
  return (text === null ? {} : { [name]: text }) as { readonly [Each in Name]?: string };
}

/** Waits until the run rests, but not for ever: whether it does. */
async function rest(
  ctx: WorkflowSharedContext,
  query: RestQuery,
): Promise<{ readonly rests: boolean } | Missing> {
  const { nonce, atMost } = checkRestQuery(query);
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
async function tell(ctx: WorkflowSharedContext, given: Command): Promise<Answer | Missing> {
  const command = checkCommand(given);
  const row = await ctx.get<StoredRow>(ROW);
  if (row === null) return { missing: true };
  const { nonce = row.nonce } = command;
  if (row.nonce !== nonce) return refusal(runPruned(ctx.key, true));
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
