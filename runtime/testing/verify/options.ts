/** What `verifySaga()` is told, and what it tells an invariant. */
import type { BoundSaga } from "../../definition.js";
import type { Run } from "../../run.js";

/** How a scenario has ended. */
export interface VerifyEnd<World, Params, Result> {
  /**
   * `undone`: it failed, or an operator had it undone, and nothing of it may be left. `stuck`: an
   * operator was not able to help it; only told with `onStuck: "leave"`.
   */
  readonly outcome: "succeeded" | "undone" | "stuck";
  readonly world: World;
  readonly params: Params;
  /** What the run gave; `undefined` unless it succeeded. */
  readonly result: Result | undefined;
  /** Why it did not succeed, a `SagaFailedError` or `SagaStuckError`. */
  readonly error: unknown;
  /** Its name, which `only` takes. */
  readonly scenario: string;
}

export interface VerifyOptions<Instance extends object, Params, Result, World> {
  /**
   * Makes the world that a scenario happens in: what the class talks to, such as a fake of a service
   * or an empty database. It outlives the process that dies in a scenario. Default: none.
   */
  readonly world?: () => World | Promise<World>;
  /** Removes a world again. */
  readonly dispose?: (world: World) => void | Promise<void>;
  /** Makes the object whose methods are the actions: afresh for each scenario and each process. */
  readonly instance: (world: World) => Instance;
  /** Params of the saga; of a list, each is a case of its own. */
  readonly params: Params | readonly Params[];
  /**
   * Whether all is there (`succeeded`), or nothing is left (`undone`): throws, or gives `false`, if
   * not. It or `snapshot` has to be given.
   */
  readonly invariant?: (
    end: VerifyEnd<World, Params, Result>,
  ) => void | boolean | Promise<void | boolean>;
  /**
   * All that matters of a world, as plain data. If it is given, it has to be as before the run after
   * each that is undone, and as after the good run after each that succeeds in spite of repeats,
   * lost answers and crashes. Idempotency keys in it may differ.
   */
  readonly snapshot?: (world: World) => unknown;
  /** The sagas that this one starts as runs of their own. */
  readonly sagas?: (world: World) => readonly BoundSaga[];
  /** What is sent when the run waits for an event, by its name; or a function that gives it. */
  readonly events?: Readonly<Record<string, unknown>>;
  /**
   * What an operator does with a node on which a run is stuck: `retry` (default); `leave`: the run
   * stays, and the invariant is told of `stuck`; or what a function does.
   */
  readonly onStuck?:
    | "retry"
    | "leave"
    | ((stuck: {
        readonly run: Run;
        readonly node: string;
        readonly world: World;
      }) => Promise<void>);
  /**
   * What is not to be tried, with the reason: `{ "sendReceipt repeats": "two receipts do no harm" }`.
   * Items of lists are `nics[*]/create`.
   */
  readonly except?: Readonly<Record<string, string>>;
  /** Tries one scenario, by its name, after the good run. */
  readonly only?: string;
  /** No more scenarios than this are tried, and the report says so. Default 2000. */
  readonly maxScenarios?: number;
  /** Of the pauses between attempts. The same seed gives the same scenarios. Default 1. */
  readonly seed?: number;
}
