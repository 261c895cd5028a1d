/**
 * Commands to a coordinator: files a request in the store, and waits for its answer if a coordinator
 * is alive; else the next one that opens the store acts on it.
 */
import { shownStore } from "./store.js";
import { setTimeout as sleep } from "node:timers/promises";
import type { RequestAnswer, RunRow, StoreReader } from "../stores/store.js";
import { allRuns } from "../reading/listing.js";
import { historyOf, stuckNodes } from "./failures.js";
import { shellWord } from "./output.js";
import { Problem } from "./problem.js";

/** A coordinator polls every 250 ms; one that has not answered by then hangs. */
const ANSWER_WITHIN_MS = 10_000;
const POLL_MS = 25;

/** What a coordinator has to say about what it did. */
export interface Done {
  readonly value: { readonly node?: string };
}

/** Sends a command about a run. `undefined`: nobody is there to act on it now; the request is kept. */
export async function sendRequest(
  reader: StoreReader,
  store: string,
  command: string,
  run: string,
  args: Readonly<Record<string, unknown>>,
): Promise<Done | undefined> {
  const row = await reader.run(run);
  if (row === undefined) throw noSuchRun(run, store);
  const owned = await reader.owned();
  // Nobody would be told later that it makes no sense.
  if (!owned) await checkKept(reader, command, row, args.node);
  const request = await reader.request(command, run, JSON.stringify(args));
  if (!owned) return undefined;
  const answer = await waitForAnswer(reader, store, request);
  if (!answer.ok) throw new Problem(answer.code, answer.message);
  return { value: answer.value === undefined ? {} : (JSON.parse(answer.value) as Done["value"]) };
}

/** Requests that wait for their answers at the same time. */
const AT_A_TIME = 50;

export interface Resumed {
  readonly runs: number;
  /** Whether nobody is there to act on it now; the requests are kept. */
  readonly pending?: true;
}

/** Resumes each run of a saga that a breakpoint has paused; those that are paused by hand stay so. */
export async function resumeSaga(
  reader: StoreReader,
  store: string,
  saga: string,
  reason: string | undefined,
): Promise<Resumed> {
  const ids: string[] = [];
  for await (const { id } of allRuns(reader, { saga, reason: "breakpoint" })) ids.push(id);
  const args = reason === undefined ? {} : { reason };
  let pending = false;
  for (let next = 0; next < ids.length; next += AT_A_TIME) {
    const sent = ids
      .slice(next, next + AT_A_TIME)
      .map((id) => sendRequest(reader, store, "resume", id, args));
    for (const done of await Promise.all(sent)) pending ||= done === undefined;
  }
  return { runs: ids.length, ...(pending && { pending }) };
}

/** Sends a command that is about no run, to a coordinator that is alive; gives what it answers. */
export async function askOwner(
  reader: StoreReader,
  store: string,
  command: string,
  args: object,
): Promise<unknown> {
  const request = await reader.request(command, undefined, JSON.stringify(args));
  const answer = await waitForAnswer(reader, store, request);
  if (!answer.ok) throw new Problem(answer.code, answer.message);
  return answer.value === undefined ? undefined : (JSON.parse(answer.value) as unknown);
}

/** The same, where there may be none. @throws Problem `no-coordinator` */
export async function askAll(
  reader: StoreReader,
  store: string,
  command: string,
  args: object,
): Promise<void> {
  if (!(await reader.owned())) {
    throw new Problem(
      "no-coordinator",
      `no coordinator of ${shownStore(store)} is alive to do this: open one first, or say it in its code`,
    );
  }
  await askOwner(reader, store, command, args);
}

async function checkKept(
  reader: StoreReader,
  command: string,
  { id, status }: RunRow,
  node: unknown,
): Promise<void> {
  if (status === "succeeded" || status === "undone") {
    throw new Problem(
      "run-finished",
      `run \`${id}\` is finished (${status}): nothing is left to do`,
    );
  }
  if (command !== "retry" && command !== "settle") return;
  const stuck = stuckNodes(historyOf(await reader.events(id)));
  if (typeof node === "string" && stuck.includes(node)) return;
  const where = stuck.length === 0 ? "none is" : stuck.map((each) => `\`${each}\``).join(", ");
  throw new Problem(
    "node-not-stuck",
    `node \`${node}\` of run \`${id}\` is not stuck; stuck: ${where}`,
  );
}

async function waitForAnswer(
  reader: StoreReader,
  store: string,
  request: number,
): Promise<RequestAnswer> {
  const deadline = Date.now() + ANSWER_WITHIN_MS;
  for (;;) {
    const owned = await reader.owned();
    // After asking who owns it: an owner that answers and then ends has answered.
    const answer = await reader.answer(request);
    if (answer !== undefined) return answer;
    if (!owned) {
      throw new Problem(
        "coordinator-ended",
        `the coordinator of ${shownStore(store)} ended before it answered: the next one that opens the store ` +
          "will see the request",
      );
    }
    if (Date.now() > deadline) {
      throw new Problem(
        "no-answer",
        `the coordinator of ${shownStore(store)} has not answered for ${ANSWER_WITHIN_MS / 1000} s: look at ` +
          "its process; the request stays and is answered when it gets to it",
      );
    }
    await sleep(POLL_MS);
  }
}

/** The error for a run that the store does not have. */
export function noSuchRun(id: string, store: string): Problem {
  return new Problem(
    "no-such-run",
    `there is no run \`${id}\` in ${shownStore(store)}: see \`steno list --store ${shellWord(shownStore(store))}\``,
  );
}
