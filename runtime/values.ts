/**
 * What bindings read: `params`, and the output of each node by name, decoded on first access. Each
 * call of a binding gets an object of its own, so that nothing it does can be seen by another.
 */
import { decode, decodeInputs } from "./codec.js";
import type { Frame } from "./state.js";
import type { Plan } from "./machine/plan.js";

/** Makes the values of a frame. */
export type MakeValues = (frame: Frame) => object;

/** One class per graph, with a getter per node. */
export function valuesOf(plan: Plan): MakeValues {
  class Values {
    readonly #frame: Frame;
    #decoded: Map<number, unknown> | undefined;

    constructor(frame: Frame) {
      this.#frame = frame;
    }

    static read(values: Values, index: number): unknown {
      const decoded = (values.#decoded ??= new Map());
      if (decoded.has(index)) return decoded.get(index);
      const frame = values.#frame;
      const value = index < 0 ? paramsOf(frame) : decode(frame.outputs[index]);
      decoded.set(index, value);
      return value;
    }
  }
  const getter = (name: string, index: number): void => {
    Object.defineProperty(Values.prototype, name, {
      get(this: Values): unknown {
        return Values.read(this, index);
      },
      enumerable: true,
      configurable: true,
    });
  };
  // A node may have any name, also one that objects inherit.
  for (const [name, index] of plan.index) getter(name, index);
  getter("params", -1);
  return (frame) => new Values(frame);
}

function paramsOf({ parent, params }: Frame): unknown {
  return parent === undefined ? decode(params) : decodeInputs(params ?? "[]")[0];
}
