/**
 * What a generated module exports: the manifest with the typed functions that feed its nodes.
 * A definition belongs to no instance and no coordinator; `on(instance)` binds it to the object
 * whose methods are its actions.
 */
import type { Duration } from "./dsl.js";
import { StenoError } from "./errors.js";
import type { ErrorClass } from "./codec/recorded-error.js";
import type { Manifest } from "./manifest.js";
import type { AnySchema } from "./codec/schema-types.js";
import type { StandardSchema } from "./codec/standard-schema.js";

/** What an async method resolves to. Used by generated modules to name the type of a node's output. */
export type Output<Method> = Method extends (...args: never[]) => Promise<infer T> ? T : never;

/** What a function that gives a list gives. Used by generated modules to name the type of an item. */
export type Item<List> = List extends (...args: never[]) => Iterable<infer T> ? T : never;

/**
 * The values that bindings read: `params`, and by its name each node of the same graph, of those
 * around it up to the method's own, of scopes' graphs in any of these, and of loops' graphs, for the
 * item that the loop was left in.
 * - a node with an output reads as that; one that did not run as `undefined`
 * - a decision reads as the arm that was taken
 * - a scope reads as `{ caught, returned, broke, continued }`, each a boolean
 * - a loop reads as `{ returned, broke, value }`: whether an item left it by `return`, or by `break`,
 *   and what that item gives
 * - in the graph of a map or loop, `"<node>.item"` and `"<node>.index"`
 * - in the handler of a scope, `"<node>.error"`
 *
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
  /** `decision`: the arm that is taken. As `compute`. */
  readonly decide?: (values: never, self: never) => string;
  /** `map`, `loop`: the list. As `compute`. */
  readonly items?: (values: never, self: never) => Iterable<unknown>;
  /** `map`, `loop`: the name of an item in paths, in place of its number. As `compute`. */
  readonly key?: (values: never, self: never) => string;
  /** `fail`: what is thrown. As `compute`. */
  readonly error?: (values: never, self: never) => unknown;
  /** `sleep`: for how long. As `compute`. */
  readonly duration?: (values: never, self: never) => Duration;
  /** `subsaga`, `spawn`: the params of the other saga. Pure. Absent: it has none. */
  readonly params?: (values: never) => unknown;
  /** `spawn`: the id of the run. Pure. Absent: made of this run's id and the node's path. */
  readonly id?: (values: never) => string;
  /** `subsaga`: the object whose methods are its actions, reached from the one that embeds it. */
  readonly instance?: (self: never) => object;
  /**
   * `subsaga`, `map`, `loop`, `scope`: the bindings of its graph. What the graph of a map or loop
   * returns is an item's part in the value of the node.
   */
  readonly graph?: GraphBindings;
  /** `scope`: the bindings of its handler. */
  readonly handler?: GraphBindings;
}

/** The schemas of an action. */
export interface ActionSchemas {
  readonly inputs: AnySchema;
  readonly output: AnySchema;
  /** The user's own: what it makes of an output is what `output` is the schema of. */
  readonly check?: StandardSchema;
}

/** The schemas of the values of one method, by which they are stored. Without one: strict JSON. */
export interface MethodSchemas {
  readonly params?: AnySchema;
  readonly result?: AnySchema;
  /** By the method that is the action. */
  readonly actions?: Readonly<Record<string, ActionSchemas>>;
  /**
   * By the name of the node: what a compute, event or spawn node comes to; of a map what each item
   * does, of a loop what the item that left it does. Of both also `"<node>.item"`, of a spawn
   * `"<node>.params"`.
   */
  readonly values?: Readonly<Record<string, AnySchema>>;
}

/** The functions of one graph: those of its nodes, and what it returns. */
export interface GraphBindings {
  readonly nodes: Readonly<Record<string, NodeBindings>>;
  /** The `return` expression. Pure. Absent: nothing is returned. */
  readonly output?: (values: never) => unknown;
  /** Of the graph of a method only. */
  readonly schemas?: MethodSchemas;
}

export interface SagaSpec extends GraphBindings {
  readonly manifest: Manifest;
  /** The classes of errors that its actions declare, and those of the sagas that it embeds. */
  readonly errors?: Readonly<Record<string, ErrorClass>>;
  /** The schemas of their own data, by the same names. Without one: what JSON can hold of it. */
  readonly errorData?: Readonly<Record<string, AnySchema>>;
}

/** A definition bound to an instance: what `Coordinator.open({ sagas })` takes. */
export interface BoundSaga {
  readonly definition: AnySagaDefinition;
  readonly instance: object;
}

/**
 * What the compiler emitted for one saga.
 * `Instance` is the class, `Params` and `Result` are what the `@saga` method takes and returns, `Nodes`
 * has what each node of its method comes to, by name, `Errors` are the errors that its actions declare.
 */
export interface SagaDefinition<
  Instance extends object,
  Params,
  Result,
  Nodes = AnyNodes,
  Errors extends Error = Error,
> {
  readonly manifest: Manifest;
  readonly spec: SagaSpec;
  /** Binds the definition to the object that has its actions, with its dependencies injected. */
  on(instance: Instance): BoundSaga;
  /** Carries the types of params and result; never present at run time. */
  readonly types?: {
    readonly params: (params: Params) => void;
    readonly result: Result;
    readonly nodes: Nodes;
    readonly errors: Errors;
  };
}

/** Of a saga whose nodes are not known here. */
export type AnyNodes = Readonly<Record<string, unknown>>;

/** The path of a node: one of the method's own, or what is inside of one of those. */
export type NodePath<Nodes> =
  (keyof Nodes & string) | `${keyof Nodes & string}${"/" | "["}${string}`;

// `never` in the contravariant places: any definition is assignable to it.
export type AnySagaDefinition = Omit<SagaDefinition<never, never, unknown>, "types">;

/** Called by generated modules only. */
export function defineSaga<
  Instance extends object,
  Params,
  Result,
  Nodes = AnyNodes,
  Errors extends Error = Error,
>(spec: SagaSpec): SagaDefinition<Instance, Params, Result, Nodes, Errors> {
  const definition: SagaDefinition<Instance, Params, Result, Nodes, Errors> = {
    manifest: spec.manifest,
    spec,
    on: (instance) => ({ definition: definition as unknown as AnySagaDefinition, instance }),
  };
  return definition;
}

/**
 * Called by generated modules only, in front of an expression: where TypeScript knows a type from a
 * condition of the method, the expression repeats the condition. It holds whenever it is reached.
 */
export function notReached(): Error {
  return new StenoError(
    "internal",
    "a value was read on a path that the saga did not take: please report this as a bug of steno",
  );
}
