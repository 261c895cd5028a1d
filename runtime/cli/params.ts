/** From the JSON of `--params` to params: what JSON has no text for is written as it is stored. */
import { decodeJson } from "../codec.js";
import { Codecs } from "../codec/compile.js";
import type { AnySagaDefinition } from "../definition.js";

/** @throws StenoError `params-invalid` */
export function paramsOf({ spec }: AnySagaDefinition, json: unknown): unknown {
  const schema = spec.schemas?.params;
  if (schema === undefined) return json;
  return decodeJson(new Codecs().of(schema), json, "params", "params-invalid");
}
