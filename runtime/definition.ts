/**
 * What a generated module exports: the manifest with the typed functions that feed its nodes.
 * A definition belongs to no instance and no coordinator; `on(instance)` binds it to the object
 * whose methods are its actions.
 */
import type { Manifest } from "./manifest.js";

/** What an async method resolves to. Used by generated modules to name the type of a node's output. */
export type Output<Method> = Method extends (...args: never[]) => Promise<infer T> ? T : never;

/**
 * The values that bindings read: `params`, and the output of each node by the node's name.
 * Each binding call gets decoded copies of its own, made on first access.
 */
// Generated modules give each graph a precise interface for this; the runtime knows only names.
export type Values = never;

/** The functions of one node. Which of them it has depends on its kind. */
export interface NodeBindings {
  /** `action`: the arguments of the call. Pure. */
  readonly inputs?: (values: never) => readonly unknown[];
  /** `compute`: the expression. May read `self`, may throw, runs once; its value is recorded. */
  readonly compute?: (values: never, self: never) => unknown;
  /** `subsaga`: the params of the embedded saga. Pure. */
  readonly params?: (values: never) => unknown;
  /** `subsaga`: the object whose methods are its actions, reached from the one that embeds it. */
  readonly instance?: (self: never) => object;
  /** `subsaga`: the bindings of its graph. */
  readonly graph?: GraphBindings;
}

/** The functions of one graph: those of its nodes, and what it returns. */
export interface GraphBindings {
  readonly nodes: Readonly<Record<string, NodeBindings>>;
  /** The saga's `return` expression. Pure. Absent: the saga returns nothing. */
  readonly output?: (values: never) => unknown;
}

export interface SagaSpec extends GraphBindings {
  readonly manifest: Manifest;
}

/** A definition bound to an instance: what `Coordinator.open({ sagas })` takes. */
export interface BoundSaga {
  readonly definition: AnySagaDefinition;
  readonly instance: object;
}

/**
 * What the compiler emitted for one saga.
 * `Instance` is the class, `Params` and `Result` are what the `@saga` method takes and returns.
 */
export interface SagaDefinition<Instance extends object, Params, Result> {
  readonly manifest: Manifest;
  readonly spec: SagaSpec;
  /** Binds the definition to the object that has its actions, with its dependencies injected. */
  on(instance: Instance): BoundSaga;
  /** Carries the types of params and result; never present at run time. */
  readonly types?: { readonly params: (params: Params) => void; readonly result: Result };
}

// `never` in the contravariant places: any definition is assignable to it.
export type AnySagaDefinition = Omit<SagaDefinition<never, never, unknown>, "types">;

/** Called by generated modules only. */
export function defineSaga<Instance extends object, Params, Result>(
  spec: SagaSpec,
): SagaDefinition<Instance, Params, Result> {
  const definition: SagaDefinition<Instance, Params, Result> = {
    manifest: spec.manifest,
    spec,
    on: (instance) => ({ definition: definition as unknown as AnySagaDefinition, instance }),
  };
  return definition;
}
