/**
 * How the log of a run is kept in Restate's state. Events are by the `seq` of the first of those that were
 * written together; a long value is under a key of its own, so that whoever asks where a run is need not
 * read it, and no message is longer than Restate takes. It knows nothing of what events mean.
 */
import type { WorkflowSharedContext } from "@restatedev/restate-sdk";
import type { LoggedEvent } from "steno-runtime/host";
import { LOG, LONG, logKey, OUTPUT, PARAMS, type ReadAnswer, type ReadQuery } from "./protocol.js";

/** An event whose value is elsewhere says under which key. */
type Kept = LoggedEvent & { readonly kept?: string };

/** Values of so many characters are kept in the log itself. */
const SHORT = 50_000;
/** A log whose values have more characters than this is not to be sent at once. */
const AT_ONCE = 4_000_000;
/** An answer goes to its end once its values have so many characters: what follows is asked for again. */
const PAGE = 4_000_000;
/** So many keys are asked for one by one; more come at once, if they are short. */
const MANY = 300;
/** So many are asked for at a time. */
const ABREAST = 100;
/** The longest id of a run, with room. */
const ID = 1000;
/** Events that say where a run is without their values. */
const TELLS_NOTHING: ReadonlySet<string> = new Set([
  ...["created", "succeeded", "started", "event-received"],
]);

type Put = (key: string, value: unknown) => void;

/** Writes the log of one run. */
export class LogWriter {
  readonly #set: Put;
  #length = 0;

  constructor(set: Put) {
    this.#set = set;
  }

  append(events: readonly LoggedEvent[]): void {
    if (events.length === 0) return;
    const before = this.#length;
    this.#set(
      logKey(events[0]?.seq ?? 0),
      events.map((event) => this.#keep(event)),
    );
    if (before <= AT_ONCE && this.#length > AT_ONCE) this.#set(LONG, true);
  }

  #keep(event: LoggedEvent): Kept {
    const { value } = event as { readonly value?: string };
    if (value === undefined) return event;
    this.#length += value.length;
    const elsewhere = keptAnyway(event);
    if (elsewhere === undefined && value.length <= SHORT) return event;
    const kept = elsewhere ?? `value/${event.seq}`;
    // Before the event is there, for whoever reads now; the params have been for long.
    if (kept !== PARAMS) this.#set(kept, value);
    const { value: _value, ...rest } = event as { readonly value?: string };
    const brief = event.type === "started" && { value: inputsInBrief(value) };
    return { ...rest, ...brief, kept } as Kept;
  }
}

/** The params and the output are kept for themselves. */
function keptAnyway(event: LoggedEvent): string | undefined {
  if (event.type === "created") return PARAMS;
  return event.type === "succeeded" && event.node === "" ? OUTPUT : undefined;
}

/** The first input of a node that starts a run is the id of that. */
function inputsInBrief(value: string): string {
  const [id] = JSON.parse(value) as readonly unknown[];
  return typeof id === "string" && id.length <= ID ? JSON.stringify([id]) : "[]";
}

/**
 * Events of the log that the state holds; `undefined` if it holds none. `isAll`: all of the state was sent
 * already.
 */
export async function readLog(
  ctx: WorkflowSharedContext,
  { after, limit = Infinity, brief = false }: ReadQuery,
  isAll: boolean,
): Promise<ReadAnswer | undefined> {
  const state = await ctx.stateKeys();
  const all = state.filter((key) => key.startsWith(LOG)).sort();
  if (all.length === 0) return undefined;
  // The last one that begins before it may hold some.
  const first = all.findLastIndex((key) => key <= logKey(after + 1));
  const keys = all.slice(Math.max(first, 0));
  const isMany = !isAll && Math.min(keys.length, limit) > MANY;
  if (isMany && !state.includes(LONG)) return { events: [], all: true };
  const events: LoggedEvent[] = [];
  let length = 0;
  for (let next = 0; next < keys.length; next += ABREAST) {
    const some = keys.slice(next, next + ABREAST);
    const found = await Promise.all(some.map((key) => ctx.get<readonly Kept[]>(key)));
    for (const stored of found.flatMap((each) => each ?? [])) {
      if (stored.seq <= after) continue;
      if (events.length >= limit) return { events };
      if (length > PAGE) return { events, more: true };
      const event = await whole(ctx, stored, brief);
      events.push(event);
      length += (event as { readonly value?: string }).value?.length ?? 0;
    }
  }
  return { events };
}

async function whole(
  ctx: WorkflowSharedContext,
  { kept, ...event }: Kept,
  brief: boolean,
): Promise<LoggedEvent> {
  if (kept === undefined || (brief && TELLS_NOTHING.has(event.type))) return event as LoggedEvent;
  const value = await ctx.get<string>(kept);
  return { ...event, ...(value !== null && { value }) } as LoggedEvent;
}
