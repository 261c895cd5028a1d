/**
 * The decorators, and what a saga waits for: typed markers that the compiler reads. At run time they do nothing, so that a
 * class that was not compiled is still a class, under any toolchain (TC39 or legacy lowering).
 */

import { StenoError } from "./errors.js";
import type { StandardSchema } from "./codec/standard-schema.js";

/** A length of time: milliseconds, or text such as `"500ms"`, `"30s"`, `"5 minutes"`, `"3 days"`. */
export type Duration = number | `${number}${" " | ""}${DurationUnit}`;
type DurationUnit =
  | ("ms" | "msec" | "msecs" | "millisecond" | "milliseconds")
  | ("s" | "sec" | "secs" | "second" | "seconds")
  | ("m" | "min" | "mins" | "minute" | "minutes")
  | ("h" | "hr" | "hrs" | "hour" | "hours")
  | ("d" | "day" | "days" | "w" | "week" | "weeks");

/** How a failed attempt is repeated: exponential pauses, each shortened at random by up to a half. */
export interface RetryOptions {
  /** Attempts in all, the first included: a whole number from 1; or until it succeeds. */
  readonly attempts: number | "forever";
  /** The pause before the second attempt. Default 200 ms. */
  readonly delay?: Duration;
  /** What each further pause is multiplied by. Default 2. */
  readonly factor?: number;
  /** The longest pause. Default 30 s. */
  readonly maxDelay?: Duration;
  /** Whether pauses are shortened at random, so that runs spread out. Default true. */
  readonly jitter?: boolean;
}

export interface ActionOptions {
  /** `"none"` says out loud that there is nothing to undo. Else some method has `@undo("thisOne")`. */
  readonly undo?: "none";
  /**
   * A point of no return: it has no undo, and once it has succeeded the run only goes forward. The
   * compiler sees to it that what may follow, or run beside it, is retried for ever or pauses.
   */
  readonly pivot?: true;
  /** Instead of failing for good it waits for an operator, and the coordinator's `onPaused` is told. */
  readonly onFailure?: "pause";
  /**
   * Classes of errors that it throws: their own data is recorded, and they come back as instances, in
   * a `catch` of the saga and in `SagaFailedError`.
   */
  readonly errors?: readonly (abstract new (...args: never) => Error)[];
  /**
   * A schema of your own, of zod, valibot, arktype or any other library that speaks Standard Schema:
   * what it makes of the output is recorded, and what it refuses is not. Its type takes precedence
   * over that of the method, and must fit it. A name that the source exports or imports.
   */
  readonly output?: StandardSchema;
  /** Default: one attempt. */
  readonly retry?: RetryOptions;
  /** How long an attempt may take. After it the attempt is in doubt, and its signal is aborted. */
  readonly timeout?: Duration;
}

export interface UndoOptions {
  /**
   * `"started"`: also undo an action that failed half-way or whose outcome is not known. The undo's
   * output parameter is then `T | undefined`.
   */
  readonly when?: "started";
  /** Default: 5 attempts, from 200 ms. */
  readonly retry?: RetryOptions;
  readonly timeout?: Duration;
}

export interface SagaOptions {
  /** The saga's name, in place of `Class.method`; its last part is the name of the export. */
  readonly name?: string;
}

// `any`: the constraint that TypeScript itself puts on the methods of a decorator context.
type AsyncMethod<This> = (this: This, ...args: any) => Promise<unknown>;
// One parameter at most: a function that needs two does not fit.
type SagaMethod<This> = (this: This, params: any) => Promise<unknown>;

/** What the undo of an action is given: its output, which may be missing if it failed half-way. */
type Given<Out, Started> = Started extends true ? Out | undefined : Out;

/** The type that an `@undo(Name)` method must have: the action's output, then its inputs. */
type UndoOf<This, Name, Started> = Name extends keyof This
  ? This[Name] extends (...inputs: infer Inputs) => Promise<infer Out>
    ? (output: Given<Out, Started>, ...inputs: Inputs) => Promise<void>
    : `${Name & string} is no async method`
  : `this class has no public method named ${Name & string}`;

type UndoDecorator<Name extends string, Started> = <This, Undo extends AsyncMethod<This>>(
  undo: UndoOf<This, Name, Started> extends infer Wanted
    ? Undo extends Wanted
      ? Undo
      : Wanted
    : never,
  context: ClassMethodDecoratorContext<This, Undo> & { readonly static: false },
) => void;

/** The type that an action must have whose schema gives `Out`: what it returns includes that. */
type ReadAs<Method, Out> = Method extends (...inputs: infer Inputs) => Promise<infer Returned>
  ? [Out] extends [Returned]
    ? Method
    : (...inputs: Inputs) => Promise<Out>
  : never;

const ignore = (): void => {};
/**
 * A decorator is called with the method, or under legacy lowering the prototype, and more; with
 * options it is called with those alone, or with the action's name first.
 */
const marker = (...args: unknown[]): unknown =>
  args.length > 1 && typeof args[0] !== "string" ? undefined : ignore;

/** Marks an async method as an action of a saga: `@action` or `@action({ retry, timeout, undo })`. */
export const action = marker as {
  <This, Method extends AsyncMethod<This>>(
    method: Method,
    context: ClassMethodDecoratorContext<This, Method> & { readonly static: false },
  ): void;
  <Out>(
    options: ActionOptions & { readonly output: StandardSchema<Out> },
  ): <This, Method extends AsyncMethod<This>>(
    method: ReadAs<Method, Out>,
    context: ClassMethodDecoratorContext<This, Method> & { readonly static: false },
  ) => void;
  (
    options: ActionOptions,
  ): <This, Method extends AsyncMethod<This>>(
    method: Method,
    context: ClassMethodDecoratorContext<This, Method> & { readonly static: false },
  ) => void;
};

/** Marks the method that undoes an action; it gets the action's output, then its inputs. */
export const undo = marker as {
  <const Name extends string>(
    action: Name,
    options: UndoOptions & { readonly when: "started" },
  ): UndoDecorator<Name, true>;
  <const Name extends string>(action: Name, options?: UndoOptions): UndoDecorator<Name, false>;
};

/** Marks the method that says what the saga does: `@saga` or `@saga({ name })`. */
export const saga = marker as {
  <This, Method extends SagaMethod<This>>(
    method: Method,
    context: ClassMethodDecoratorContext<This, Method> & { readonly static: false },
  ): void;
  (
    options: SagaOptions,
  ): <This, Method extends SagaMethod<This>>(
    method: Method,
    context: ClassMethodDecoratorContext<This, Method> & { readonly static: false },
  ) => void;
};

/**
 * A durable pause of a run, in a saga method: `await sleep("3 days")`. It survives restarts. There is
 * no such thing outside of a run: a plain call is rejected, saying so.
 */
export function sleep(duration: Duration): Promise<void> {
  return Promise.reject(outsideOfRun(`sleep(${JSON.stringify(duration)})`));
}

/** Something that comes to a run from outside, once: `const approval = await this.approval`. */
export interface SagaEvent<T> extends PromiseLike<T> {
  /** Waits no longer than this: then the node fails. */
  within(timeout: Duration): Promise<T>;
}

/** Declares an event of the sagas of a class: `readonly approval = event<Approval>()`. */
export function event<T>(): SagaEvent<T> {
  const none = (): Promise<T> => Promise.reject(outsideOfRun("an event"));
  return { then: (resolved, rejected) => none().then(resolved, rejected), within: none };
}

/** A run of its own that a saga method starts: see {@link start}. */
export interface StartedRun<Result> extends PromiseLike<string> {
  /**
   * Waits until the run rests, for its result; if it failed, the node fails with its failure. Called
   * at once, `start(…).result()`, which may be held in a variable and awaited later.
   */
  result(): Promise<Result>;
}

/** How a run is started by a saga method. */
export interface StartedRunOptions {
  /**
   * The id of the run: the same id is the same run, whoever starts it. Default: made of the id of the
   * run that starts it and the path of the node, so that a crash starts nothing twice.
   */
  readonly id?: string;
}

/**
 * Starts a saga as a run of its own, in a saga method: `await start(this.billing.invoice, order)`. It
 * waits until that run is durable, and gives its id. With `.result()` it waits for what comes of it.
 * The run belongs to nobody: when the one that started it unwinds, it goes on. The saga is named by a
 * property of the class; it runs as the coordinator has it in `sagas`. There is no such thing outside
 * of a run: a plain call is rejected, saying so.
 */
export function start<Params extends readonly unknown[], Result>(
  saga: (...params: Params) => Promise<Result>,
  ...given: StartArguments<Params>
): StartedRun<Result>;
export function start(): StartedRun<unknown> {
  const none = (): Promise<never> => Promise.reject(outsideOfRun("start(…)"));
  return { then: (resolved, rejected) => none().then(resolved, rejected), result: none };
}

/** What a saga takes, then options; of one without params, `undefined` stands before the options. */
type StartArguments<Params extends readonly unknown[]> = Params extends readonly []
  ? [params?: undefined, options?: StartedRunOptions]
  : Params extends readonly [unknown]
    ? [params: Params[0], options?: StartedRunOptions]
    : [params?: Params[0], options?: StartedRunOptions];

function outsideOfRun(what: string): StenoError {
  return new StenoError(
    "outside-run",
    `${what} was awaited outside of a run: start the compiled saga with a Coordinator, in tests with ` +
      "memoryStore() and virtualClock() of steno-runtime/testing",
  );
}
