/** Commands to a running coordinator: files a request in the store and waits for its answer. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RequestAnswer, StoreReader } from "../stores/store.js";
import { Problem } from "./problem.js";

/** A coordinator polls every 250 ms; one that has not answered by then hangs. */
const ANSWER_WITHIN_MS = 10_000;
const POLL_MS = 25;

/** Sends a command about a run, and gives the value of the answer. */
export async function sendRequest(
  reader: StoreReader,
  store: string,
  command: string,
  run: string,
  args: object,
): Promise<string | undefined> {
  if ((await reader.run(run)) === undefined) throw noSuchRun(run, store);
  if (!(await reader.owned())) throw notOwned(store);
  const request = await reader.request(command, run, JSON.stringify(args));
  const answer = await waitForAnswer(reader, store, request);
  if (!answer.ok) throw new Problem(answer.code, answer.message);
  return answer.value;
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
        `the coordinator of ${store} ended before it answered: the next one that opens the store ` +
          "will see the request",
      );
    }
    if (Date.now() > deadline) {
      throw new Problem(
        "no-answer",
        `the coordinator of ${store} has not answered for ${ANSWER_WITHIN_MS / 1000} s: look at ` +
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
    `there is no run \`${id}\` in ${store}: see \`steno list --store ${store}\``,
  );
}

function notOwned(store: string): Problem {
  return new Problem(
    "store-not-owned",
    `no coordinator is running on ${store}, so nobody can act on this: start your program, or ` +
      `\`steno recover <bundle> --store ${store}\`, and call again while it runs`,
  );
}
