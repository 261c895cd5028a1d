/**
 * Commands of other processes: rows in the store that the owner looks for now and then, acts on, and
 * answers. What a command means is in `control.ts`.
 */
import { type CommandArguments, parseArguments } from "./control.js";
import { StenoError } from "./errors.js";
import type { Executor } from "./executor.js";
import type { RequestAnswer, StoreOwner, StoreRequest } from "./stores/store.js";

/** How soon a command from another process is seen. */
export const REQUEST_POLL_MS = 200;

export interface RequestOptions {
  readonly owner: StoreOwner;
  readonly executor: Executor;
  /** Does what is asked; not durably yet. */
  readonly act: (run: string, command: string, args: CommandArguments) => Promise<void>;
  readonly warn: (message: string) => void;
}

export class Requests {
  readonly #options: RequestOptions;
  #poll: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #stopped = false;
  #told: string | undefined;

  constructor(options: RequestOptions) {
    this.#options = options;
  }

  start(): void {
    this.#poll = setInterval(() => {
      this.#polling ??= this.#answerAll()
        .catch((error: unknown) => this.#tell(error))
        .finally(() => (this.#polling = undefined));
    }, REQUEST_POLL_MS);
    this.#poll.unref();
  }

  /** Looks for no more; resolves when the one that is acted on is answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    await this.#polling;
  }

  async #answerAll(): Promise<void> {
    const { owner, executor } = this.#options;
    for (const request of await owner.requests()) {
      // The next owner answers what is left.
      if (this.#stopped) return;
      // In the commit of what was done: after a crash it is not done again, or not answered wrongly.
      executor.answer(request, await this.#answerTo(request));
      // One after another: each sees what the one before has done.
      await executor.durable();
    }
  }

  async #answerTo({ run, command, args }: StoreRequest): Promise<RequestAnswer> {
    try {
      await this.#options.act(run ?? "", command, parseArguments(args));
      return { ok: true };
    } catch (error) {
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
