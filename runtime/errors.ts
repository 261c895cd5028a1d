/**
 * The errors that users of the runtime meet. Each has a `code`, by which it is recognised: two
 * copies of a package can meet, so `instanceof` is not enough. It holds no messages; those are
 * written where the error is found.
 */

/** Any error of steno's own. The message says what is wrong and what to do next. */
export class StenoError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A store cannot be opened, read or written. */
export class StoreError extends StenoError {}

/**
 * One failure of a run, as its saga log has it. `Declared`: the errors that the saga's actions declare,
 * of which the error may be one, or any other.
 */
export interface SagaFailure<Declared extends Error = Error> {
  /** The node's path; `""` for the run itself. */
  readonly node: string;
  readonly attempt: number;
  readonly error: Declared | Error;
}

/** The run failed, and everything that it had done is undone. `cause` is the first failure. */
export class SagaFailedError extends StenoError {
  declare readonly cause: Error;
  readonly sagaId: string;
  readonly node: string;
  /** All of them, in the order in which they were recorded. */
  readonly failures: readonly SagaFailure[];

  constructor(sagaId: string, failures: readonly SagaFailure[]) {
    const [first] = failures;
    const where = first?.node ? `node \`${first.node}\`` : "the run itself";
    super(
      "saga-failed",
      `saga \`${sagaId}\` failed at ${where}, and is undone: ${first?.error.message ?? ""}`,
      { cause: first?.error },
    );
    this.sagaId = sagaId;
    this.node = first?.node ?? "";
    this.failures = failures;
  }
}

/** The run cannot go on without an operator. `cause` is the error of the first stuck node. */
export class SagaStuckError extends StenoError {
  declare readonly cause: Error;
  readonly sagaId: string;
  readonly node: string;
  /** The nodes whose undo failed, or that are in doubt. */
  readonly stuck: readonly SagaFailure[];
  /** What made the run unwind, if it unwinds. */
  readonly failures: readonly SagaFailure[];

  /** `byMethods`: the command `steno` does nothing where the run is. */
  constructor(
    sagaId: string,
    stuck: readonly SagaFailure[],
    failures: readonly SagaFailure[],
    byMethods = false,
  ) {
    const [first] = stuck;
    const node = first?.node ?? "";
    const [retry, settle] = byMethods ? ["", ""] : [" or `steno retry`", " or `steno settle`"];
    super(
      "saga-stuck",
      `saga \`${sagaId}\` is stuck at node \`${node}\` (${first?.error.message ?? ""}): ` +
        `mend the cause, then \`run.retry("${node}")\`${retry}; or undo it by hand and ` +
        `say so with \`run.settle("${node}", reason)\`${settle}`,
      { cause: first?.error },
    );
    this.sagaId = sagaId;
    this.node = node;
    this.stuck = stuck;
    this.failures = failures;
  }
}

/**
 * A {@link SagaFailedError} whose errors are typed. Not the class itself: by `instanceof` a class with
 * type parameters would have `any` for them.
 */
export interface FailedWith<Declared extends Error> extends SagaFailedError {
  readonly cause: Declared | Error;
  readonly failures: readonly SagaFailure<Declared>[];
}

/** A {@link SagaStuckError} whose errors are typed. */
export interface StuckWith<Declared extends Error> extends SagaStuckError {
  readonly cause: Declared | Error;
  readonly stuck: readonly SagaFailure<Declared>[];
  readonly failures: readonly SagaFailure<Declared>[];
}
