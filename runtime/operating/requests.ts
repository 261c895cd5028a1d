/**
 * Commands of other processes: rows in the store that the owner looks for now and then, acts on, and
 * answers. What a command means is in `control.ts`.
 */
import { type CommandArguments, parseArguments } from "../control.js";
import { StenoError } from "../errors.js";
import type { Executor } from "../executor.js";
import type { RequestAnswer, StoreOwner, StoreRequest } from "../stores/store.js";

/** The code of the error for a run that another coordinator has. */
export const RUN_ELSEWHERE = "run-elsewhere";

/** How soon a command from another process is seen. */
export const REQUEST_POLL_MS = 200;

export interface RequestOptions {
  readonly owner: StoreOwner;
  readonly executor: Executor;
  /** Does what is asked, not durably yet; gives what there is to say about it, as JSON text. */
  readonly act: (
    run: string | undefined,
    command: string,
    args: CommandArguments,
  ) => Promise<string | undefined>;
  readonly warn: (message: string) => void;
}

export class Requests {
  readonly #options: RequestOptions;
  #poll: NodeJS.Timeout | undefined;
  /** The last look for requests; one begins when the one before has ended. */
  #polling: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #stopped = false;
  #told: string | undefined;

  constructor(options: RequestOptions) {
    this.#options = options;
  }

  /** Where others tell of requests, they are not looked for. */
  start(): void {
    if (this.#options.owner.fleet !== undefined) return;
    this.#poll = setInterval(() => {
      if (this.#queued === 0) void this.answerAll();
    }, REQUEST_POLL_MS);
    this.#poll.unref();
  }

  /** There may be some. */
  asked(): void {
    if (this.#queued > 1 || this.#stopped) return;
    void this.answerAll().then((answered) => {
      if (answered > 0) this.asked();
    });
  }

  /** Answers what waits now; gives how many that were. A flood of them takes several calls. */
  answerAll(): Promise<number> {
    this.#queued += 1;
    const polling = this.#polling
      .then(() => this.#answerAll())
      .catch((error: unknown) => {
        this.#tell(error);
        return 0;
      })
      .finally(() => (this.#queued -= 1));
    this.#polling = polling;
    return polling;
  }

  /** Looks for no more; resolves when the one that is acted on is answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    await this.#polling;
  }

  async #answerAll(): Promise<number> {
    let answered = 0;
    const { owner, executor } = this.#options;
    for (const request of await owner.requests()) {
      // The next owner answers what is left.
      if (this.#stopped) break;
      const { epoch } = owner;
      const answer = await this.#answerTo(request);
      // Another answers it: its run is not here, or not any more.
      if (answer === undefined || owner.epoch !== epoch) continue;
      // In the commit of what was done: after a crash it is not done again, or not answered wrongly.
      executor.answer(request, answer);
      // One after another: each sees what the one before has done.
      await executor.durable();
      answered += 1;
    }
    return answered;
  }

  async #answerTo({ run, command, args }: StoreRequest): Promise<RequestAnswer | undefined> {
    try {
      const value = await this.#options.act(run, command, parseArguments(args));
      return value === undefined ? { ok: true } : { ok: true, value };
    } catch (error) {
      if ((error as Partial<StenoError>).code === RUN_ELSEWHERE) return undefined;
      if (error instanceof StenoError)
        return { ok: false, code: error.code, message: error.message };
      return { ok: false, code: "internal", message: String(error) };
    }
  }

  /** Once for each problem, and not five times a second. */
  #tell(error: unknown): void {
    const message = `requests of other processes cannot be answered: ${String(error)}`;
    if (message === this.#told || this.#stopped) return;
    this.#told = message;
    this.#options.warn(message);
  }
}
