/**
 * Asks the coordinator that has a run for something, by a request in the store, and waits for its
 * answer. How requests are answered is in `requests.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandArguments } from "../control.js";
import { argumentsText } from "../operating/stored-arguments.js";
import { StenoError } from "../errors.js";
import type { StoreReader } from "../stores/store.js";

/** How often the answer is looked for, in milliseconds: from the first to the last. */
const POLL_MS = [5, 50] as const;

/** A coordinator that lives has answered by then. */
const ANSWER_WITHIN_MS = 15_000;

/**
 * Gives what there is to say about it, as JSON text.
 * @throws StenoError what the coordinator refused it for; `no-answer` if none has answered
 */
export async function ask(
  reader: StoreReader,
  run: string,
  command: string,
  args: CommandArguments,
): Promise<string | undefined> {
  const request = await reader.request(command, run, argumentsText(args));
  const end = performance.now() + ANSWER_WITHIN_MS;
  for (let pause: number = POLL_MS[0]; ; pause = Math.min(2 * pause, POLL_MS[1])) {
    const answer = await reader.answer(request);
    if (answer?.ok === true) return answer.value;
    if (answer !== undefined) throw new StenoError(answer.code, answer.message);
    if (performance.now() > end) break;
    await sleep(pause);
  }
  throw new StenoError(
    "no-answer",
    `no coordinator has answered for ${ANSWER_WITHIN_MS / 1000} s whether run \`${run}\` is to ` +
      `\`${command}\`: is one alive that has its definition? The request stays, and the next one answers it`,
  );
}
