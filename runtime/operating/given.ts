/** Values that come from outside of a run, other than its params: from code, or as JSON from a command line. */
import { decodeJson, encode } from "../codec.js";
import type { Codec } from "../codec/codec.js";

/** A value as it is, or the JSON that it is stored as. */
export type Given = { readonly value: unknown } | { readonly json: string };

/**
 * What is stored of it.
 * @throws StenoError with the code, if it is not of its type
 */
export function storedText(
  codec: Codec,
  given: Given,
  what: string,
  code: "payload-invalid" | "output-invalid",
): string | undefined {
  const value =
    "json" in given ? decodeJson(codec, JSON.parse(given.json), what, code) : given.value;
  return encode(codec, value, what, code);
}
