/** Which codec each value of a method has: made of the schemas that its definition has. */
import type { Codec } from "./codec.js";
import type { Codecs } from "./compile.js";
import { json } from "./json.js";
import { array, tuple, type Element } from "./parts.js";
import { text } from "./simple.js";
import type { MethodSchemas } from "../definition.js";
import type { Node } from "../manifest.js";
import type { AnySchema } from "./schema-types.js";
import type { StandardSchema } from "./standard-schema.js";

/** The codecs of a node's values. */
export interface NodeCodecs {
  /** What an action is called with, and the params of a subsaga or spawn: an array. */
  readonly inputs: Codec;
  readonly output: Codec;
  /** Of an action: the user's own schema, which makes of what is returned what is stored. */
  readonly check?: StandardSchema | undefined;
  /** `map`, `loop`: an item, and the list of them. */
  readonly item: Codec;
  readonly items: Codec;
}

/** The codecs of one method. */
export class MethodCodecs {
  readonly params: Codec;
  readonly result: Codec;
  readonly #codecs: Codecs;
  readonly #schemas: MethodSchemas | undefined;

  constructor(codecs: Codecs, schemas: MethodSchemas | undefined) {
    this.#codecs = codecs;
    this.#schemas = schemas;
    this.params = this.#of(schemas?.params);
    this.result = this.#of(schemas?.result);
  }

  /** `embedded`: of a subsaga, the codecs of its own method. */
  node(node: Node, embedded: MethodCodecs | undefined): NodeCodecs {
    const { name, kind } = node;
    const none = { inputs: anyInputs, output: json, item: json, items: anyInputs };
    switch (kind) {
      case "action": {
        const schemas = own(this.#schemas?.actions, node.action);
        if (schemas === undefined) return none;
        const { inputs, output, check } = schemas;
        return { ...none, inputs: this.#of(inputs), output: this.#of(output), check };
      }
      case "subsaga": {
        if (embedded === undefined) return none;
        return { ...none, inputs: inputsOf(embedded.params, 0), output: embedded.result };
      }
      case "spawn":
        return {
          ...none,
          inputs: inputsOf(this.#value(`${name}.params`), 1),
          output: this.#value(name),
        };
      case "map":
      case "loop": {
        const item = this.#value(`${name}.item`);
        const value = this.#value(name);
        return { ...none, item, items: array(item), output: kind === "map" ? array(value) : value };
      }
      default:
        return { ...none, output: this.#value(name) };
    }
  }

  #value(name: string): Codec {
    return this.#of(own(this.#schemas?.values, name));
  }

  #of(schema: AnySchema | undefined): Codec {
    return schema === undefined ? json : this.#codecs.of(schema);
  }
}

const anyInputs = array(json);

/** The params of another saga, if it has any, after `before` texts. */
function inputsOf(params: Codec, before: number): Codec {
  const first = Array.from({ length: before }, (): Element => ({
    codec: text,
    optional: false,
    rest: false,
  }));
  return tuple([...first, { codec: params, optional: true, rest: false }]);
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
