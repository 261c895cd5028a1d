/**
 * Values to JSON text and back, by the codecs of their types (`codec/`): what is not of its type is
 * refused, with its path. Which codec is whose, `node-codecs.ts` says.
 */
import { type Codec, Mismatch } from "./codec/codec.js";
import { StenoError } from "./errors.js";

/** Longer JSON than this is refused, in UTF-16 units: a saga log is no place for files. */
export const SIZE_LIMIT = 16 * 1024 * 1024;

/**
 * The JSON text of a value; `undefined` for `undefined`.
 * @throws StenoError `value-invalid` (or `code`), saying where in `what` it is.
 */
export function encode(
  codec: Codec,
  value: unknown,
  what: string,
  code: keyof typeof ADVICE = "value-invalid",
): string | undefined {
  try {
    const json = codec.encode(value, 0);
    if (value === undefined) return undefined;
    const text = JSON.stringify(json);
    if (text.length <= SIZE_LIMIT) return text;
    throw new Mismatch(
      `a value whose JSON has at most ${SIZE_LIMIT} characters`,
      `one that has ${text.length}: keep files elsewhere, and their names here`,
    );
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw refused(code, what, error);
  }
}

/**
 * The value of a text that `encode` made: a copy of its own.
 * @throws StenoError `value-unreadable` if the text is not of this type.
 */
export function decode(codec: Codec, text: string | undefined, what: string): unknown {
  // No text is `undefined`, also where `null` is a value, too.
  if (text === undefined && codec.kinds().includes("undefined")) return undefined;
  return decodeJson(codec, text === undefined ? undefined : parse(text, what), what);
}

/**
 * The value that some JSON stands for.
 * @throws StenoError `value-unreadable` (or `code`) if the JSON is not of this type.
 */
export function decodeJson(
  codec: Codec,
  json: unknown,
  what: string,
  code: keyof typeof ADVICE = "value-unreadable",
): unknown {
  try {
    return codec.decode(json, 0);
  } catch (error) {
    throw error instanceof Mismatch ? refused(code, what, error) : error;
  }
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused("value-unreadable", what, new Mismatch("JSON", "none"));
  }
}

const ADVICE = {
  "params-invalid": "mend the call that starts the run; nothing was stored",
  "payload-invalid": "mend the call that sends the event; nothing was stored",
  "output-invalid": "mend what is given for the output; nothing was stored",
  "value-invalid": "mend what gives it; or its type, and compile again",
  "value-unreadable":
    "another definition wrote it, or it was changed since; read it with the definition that wrote it",
} as const;

function refused(code: keyof typeof ADVICE, what: string, found: Mismatch): StenoError {
  const is = code === "value-unreadable" ? "was stored as" : "is";
  return new StenoError(code, `${what}${shownMismatch(found, is)}: ${ADVICE[code]}`);
}

/** Where a value is not of its type, what it must be and what it is. */
export function shownMismatch({ path, expected, found }: Mismatch, is = "is"): string {
  return `${shownPath(path)} must be ${expected}, and ${is} ${found}`;
}

/** A path as it is written behind a name: `.legs[2].at`. */
export function shownPath(path: readonly (string | number)[]): string {
  return path
    .map((step) =>
      typeof step === "number"
        ? `[${step}]`
        : /^[A-Za-z_$][\w$]*$/.test(step)
          ? `.${step}`
          : `[${JSON.stringify(step)}]`,
    )
    .join("");
}
