/**
 * The errors that users of the runtime meet. Each has a `code`, by which it is recognised: two
 * copies of a package can meet, so `instanceof` is not enough. It holds no messages; those are
 * written where the error is found.
 */

/** Any error of steno's own. The message says what is wrong and what to do next. */
export class StenoError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A store cannot be opened, read or written. */
export class StoreError extends StenoError {}
