/**
 * Says things through the logger that the user gave, whichever kind that is. What is worth saying,
 * others decide.
 */
import type { Logger, LogFields } from "../options.js";

type Level = "info" | "warn" | "error";

/** A logger for the coordinator: what the user's throws must not end a run, nor the process. */
export class Log {
  readonly #logger: Logger;
  /** pino and bunyan take the fields first. They are known by what `console` and winston have not. */
  readonly #fieldsFirst: boolean;

  /** Without a logger `console` gets what somebody should see, and not what is as it should be. */
  constructor(logger: Logger | undefined) {
    this.#logger = logger ?? {
      warn: (message) => console.warn(message),
      error: (message) => console.error(message),
    };
    const { bindings, fields } = this.#logger as { readonly bindings?: unknown; fields?: unknown };
    this.#fieldsFirst = typeof bindings === "function" || typeof fields === "object";
  }

  /** Whether anybody hears what is as it should be. */
  get tellsInfo(): boolean {
    return this.#logger.info !== undefined;
  }

  /** Something is as it should be. */
  info(message: string, fields: LogFields): void {
    this.#say("info", message, fields);
  }

  /** Something is not, and steno has dealt with it, or will when it is mended. */
  warn(message: string, fields: LogFields = {}): void {
    this.#say("warn", message, fields);
  }

  /** A run needs an operator. */
  error(message: string, fields: LogFields): void {
    this.#say("error", message, fields);
  }

  #say(level: Level, message: string, fields: LogFields): void {
    try {
      if (!this.#fieldsFirst) this.#logger[level]?.(message, fields);
      else (this.#logger[level] as ((...args: unknown[]) => void) | undefined)?.(fields, message);
    } catch {
      // See above.
    }
  }
}
