/**
 * Sagas for the benchmarks that measure the runtime alone: chains and ladders of any size, made as
 * the compiler would make them. Each action is a no-op that returns about 100 bytes of JSON.
 */
import { createHash } from "node:crypto";
import { defineSaga, type SagaDefinition } from "steno-runtime";
import type { Node } from "steno-runtime/manifest";
import type { NodeBindings } from "../../runtime/definition.js";

export interface Receipt {
  readonly id: number;
  readonly text: string;
}

export class Work {
  async act(id: number): Promise<Receipt> {
    return { id, text: "x".repeat(80) };
  }
  async unact(): Promise<void> {}
}

export type WorkSaga = SagaDefinition<Work, { readonly id: number }, Receipt>;

/** `length` actions, one after another, each fed by the one before. */
export function chain(length: number): WorkSaga {
  return ladder(length, 1);
}

/** `stages` stages of `width` actions side by side; all of a stage come after all of the one before. */
export function ladder(stages: number, width: number): WorkSaga {
  const name = (stage: number, place: number): string => `n${stage}x${place}`;
  const places = [...Array(width).keys()];
  const nodes: Node[] = [];
  const bindings: Record<string, { readonly inputs: (values: never) => readonly unknown[] }> = {};
  for (let stage = 0; stage < stages; stage++) {
    const before = stage === 0 ? "params" : name(stage - 1, 0);
    for (const place of places) {
      const after = stage === 0 ? [] : places.map((other) => name(stage - 1, other));
      nodes.push({ name: name(stage, place), kind: "action", action: "act", undo: "unact", after });
      bindings[name(stage, place)] = {
        inputs: (values: Record<string, Receipt>) => [values[before]?.id],
      };
    }
  }
  const last = name(stages - 1, 0);
  const hash = createHash("sha256").update(`${stages} ${width}`).digest("hex");
  return defineSaga({
    manifest: { steno: 1, name: `Work.ladder${stages}x${width}`, hash: `sha256-${hash}`, nodes },
    nodes: bindings,
    output: (values: Record<string, Receipt>) => values[last],
  });
}

/** `width` actions side by side, and one after all of them. */
export function fanOut(width: number): WorkSaga {
  const side = [...Array(width).keys()].map((place) => work(`side${place}`));
  const join: Node = { ...work("join"), after: side.map(({ name }) => name) };
  const bindings = [...side, join].map(({ name }) => [name, { inputs: () => [1] }] as const);
  return sagaOf(`fanOut${width}`, [...side, join], Object.fromEntries(bindings));
}

/** A saga whose size is not that of its outermost graph. */
export interface Sized {
  readonly saga: WorkSaga;
  readonly size: number;
}

const work = (name: string): Node => ({
  name,
  kind: "action",
  action: "act",
  undo: "unact",
  after: [],
});

/** One action for each item of a list, side by side or one after another. */
export function items(kind: "map" | "loop", size: number): Sized {
  const nodes: Node[] = [{ name: "xs", kind, after: [], graph: { nodes: [work("x")] } }];
  const inner = { nodes: { x: { inputs: (values: Values) => [values["xs.item"]] } } };
  const list = [...Array(size).keys()];
  return {
    saga: sagaOf(`${kind}${size}`, nodes, { xs: { items: () => list, graph: inner } }),
    size,
  };
}

/** Scopes in scopes, with an action in each. */
export function scopes(size: number): Sized {
  let nodes: Node[] = [work("leaf")];
  let bindings: Record<string, NodeBindings> = { leaf: { inputs: () => [1] } };
  for (let level = 0; level < size; level++) {
    const graph = { nodes: [work(`a${level}`), ...nodes] };
    nodes = [{ name: `t${level}`, kind: "scope", after: [], graph }];
    const inner = { nodes: { ...bindings, [`a${level}`]: { inputs: () => [level] } } };
    bindings = { [`t${level}`]: { graph: inner } };
  }
  return { saga: sagaOf(`scopes${size}`, nodes, bindings), size };
}

type Values = Readonly<Record<string, unknown>>;

function sagaOf(
  name: string,
  nodes: readonly Node[],
  bindings: Readonly<Record<string, NodeBindings>>,
): WorkSaga {
  const hash = `sha256-${createHash("sha256").update(name).digest("hex")}`;
  return defineSaga({
    manifest: { steno: 1, name: `Work.${name}`, hash, nodes },
    nodes: bindings,
  });
}
