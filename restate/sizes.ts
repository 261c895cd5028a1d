/**
 * How long a value may be on Restate, which takes no message of more than 32 MB: it would try again for ever
 * to send or to keep one. What is too long is told to whoever gives it, before Restate has seen it.
 */
import { StenoError } from "steno-runtime";

/** In messages, texts are in JSON; some room is left for what is around them. */
const LONGEST_BYTES = 30_000_000;
/** A character takes so many bytes at most, as JSON in UTF-8. */
const WORST = 6;
const MEGABYTE = 1_000_000;

/** The error for a text that Restate would not take; `undefined` if it takes it. */
export function tooLong(
  what: string,
  text: string | undefined,
  code = "value-invalid",
): StenoError | undefined {
  if (text === undefined || text.length * WORST <= LONGEST_BYTES) return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(text));
  if (bytes <= LONGEST_BYTES) return undefined;
  const [has, most] = [bytes, LONGEST_BYTES].map((each) => `${Math.ceil(each / MEGABYTE)} MB`);
  return new StenoError(
    code,
    `${what} is too long for Restate: it takes ${has} as it is sent, of at most ${most}; keep ` +
      "documents elsewhere, and their addresses in sagas",
  );
}

/** @throws StenoError with the code */
export function checkLength(what: string, text: string | undefined, code: string): void {
  const error = tooLong(what, text, code);
  if (error !== undefined) throw error;
}
