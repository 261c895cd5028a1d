/**
 * What bindings read: `params`, and what nodes came to by name, decoded on first access. Each call
 * of a binding gets an object of its own, so that nothing it does can be seen by another. Which
 * names there are, `definition.ts` says.
 */
import { decode } from "../codec.js";
import type { LoadedGraph } from "./loaded-saga.js";
import type { Codec } from "../codec/codec.js";
import type { Plan } from "../machine/plan.js";
import type { Node } from "../manifest.js";
import type { NodeCodecs } from "../codec/node-codecs.js";
import { type ErrorClasses, reviveFailure } from "../codec/recorded-error.js";
import { type Frame, type Inside, nodeOf } from "../state.js";

/** Makes the values of a frame. */
export type MakeValues = (frame: Frame) => object;

/** Reads one name, from the frame of whoever reads. */
type Read = (frame: Frame) => unknown;

/** One class for all graphs of a method, with a getter per name. `plans` are those graphs. */
export function valuesOf(
  plans: readonly Plan[],
  graphs: ReadonlyMap<Plan, LoadedGraph>,
  errors: ErrorClasses,
): MakeValues {
  class Values {
    readonly #frame: Frame;
    // Most bindings read one name.
    #first: string | undefined;
    #value: unknown;
    #others: Map<string, unknown> | undefined;

    constructor(frame: Frame) {
      this.#frame = frame;
    }

    static read(values: Values, name: string, read: Read): unknown {
      if (values.#first === name) return values.#value;
      if (values.#others?.has(name) === true) return values.#others.get(name);
      const value = read(values.#frame);
      if (values.#first === undefined) {
        values.#first = name;
        values.#value = value;
      } else {
        (values.#others ??= new Map()).set(name, value);
      }
      return value;
    }
  }
  const getter = (name: string, read: Read): void => {
    Object.defineProperty(Values.prototype, name, {
      get(this: Values): unknown {
        return Values.read(this, name, read);
      },
      enumerable: true,
      configurable: true,
    });
  };
  // A node may have any name, also one that objects inherit.
  for (const plan of plans) {
    for (const [name, index] of plan.index) {
      const node = plan.nodes[index] as Node;
      const codecs = graphs.get(plan)?.codecs[index] as NodeCodecs;
      getter(name, readNode(plan, index, node, codecs.output));
      const inner = plan.plans.get(index);
      const handler = plan.handlers.get(index);
      if (inner !== undefined && (node.kind === "map" || node.kind === "loop")) {
        getter(`${name}.item`, (frame) => {
          const at = frameOf(frame, inner);
          // No item has left the loop.
          if (at === undefined) return undefined;
          return decode(codecs.item, at.params, `an item of \`${name}\``);
        });
        getter(`${name}.index`, (frame) => frameOf(frame, inner)?.ordinal);
      }
      if (handler !== undefined) getter(`${name}.error`, readError(plan, index, errors));
    }
  }
  const [root] = plans;
  const params = root && graphs.get(root)?.method.params;
  if (params !== undefined) getter("params", readParams(params));
  return (frame) => new Values(frame);
}

function readNode(plan: Plan, index: number, { kind, name }: Node, codec: Codec): Read {
  const read: Read = (frame) => {
    const at = frameOf(frame, plan);
    // What did not run has no output, whatever its type.
    if (at === undefined || at.outputs[index] === undefined) return undefined;
    return decode(codec, at.outputs[index], `the output of \`${name}\``);
  };
  switch (kind) {
    case "scope":
      return (frame) => {
        const arms = insideOf(frame, plan, index)?.arms ?? [];
        return {
          caught: arms.includes("caught"),
          returned: arms.includes("return"),
          broke: arms.includes("break"),
          continued: arms.includes("continue"),
        };
      };
    case "loop":
      return (frame) => ({
        returned: insideOf(frame, plan, index)?.arms.includes("return") ?? false,
        broke: insideOf(frame, plan, index)?.arms.includes("break") ?? false,
        value: read(frame),
      });
    case "decision":
      return (frame) => {
        const arm = frameOf(frame, plan)?.outputs[index];
        return arm === undefined ? undefined : (JSON.parse(arm) as unknown);
      };
    default:
      return read;
  }
}

/** The failure that a scope caught. */
function readError(plan: Plan, index: number, errors: ErrorClasses): Read {
  return (frame) => {
    const failure = insideOf(frame, plan, index)?.frames[0]?.failures?.[0];
    return failure === undefined ? undefined : reviveFailure(failure, errors);
  };
}

function insideOf(frame: Frame, plan: Plan, index: number): Inside | undefined {
  return frameOf(frame, plan)?.inside?.get(index);
}

/**
 * The frame of a graph, as seen from another of the method: around it, or in a scope around it, or in
 * the item that a loop around it was left in.
 */
function frameOf(from: Frame, plan: Plan): Frame | undefined {
  if (from.plan === plan) return from;
  const inwards: Plan[] = [];
  for (let inner = plan; ;) {
    for (let each = from; ; each = each.parent) {
      if (each.plan === inner) return descend(each, inwards);
      if (each === from.method || each.parent === undefined) break;
    }
    if (inner.holder === undefined) return undefined;
    inwards.push(inner);
    inner = inner.holder.plan;
  }
}

function descend(from: Frame, inwards: readonly Plan[]): Frame | undefined {
  let frame: Frame | undefined = from;
  for (let level = inwards.length - 1; level >= 0 && frame !== undefined; level--) {
    const plan = inwards[level] as Plan;
    const { index } = plan.holder as { readonly index: number };
    const { kind } = nodeOf(frame, index);
    const inside: Inside | undefined = frame.inside?.get(index);
    if (kind === "loop") frame = inside?.frames[inside.exited ?? -1];
    else if (kind === "scope") {
      frame = inside?.handler?.plan === plan ? inside.handler : inside?.frames[0];
    } else return undefined;
    // A handler that was not entered.
    if (frame?.plan !== plan) return undefined;
  }
  return frame;
}

/** Those of a subsaga are the one input of its node. */
function readParams(codec: Codec): Read {
  return ({ method: { parent, params } }) => {
    if (parent === undefined) return decode(codec, params, "the params");
    const [given] = JSON.parse(params ?? "[]") as unknown[];
    return decode(codec, given === undefined ? undefined : JSON.stringify(given), "the params");
  };
}
