/**
 * Schemas of the user's own, of any library that speaks Standard Schema (standardschema.dev): they
 * check what an action outputs before it is recorded. How what they give is stored is in `codec/`.
 */
import { shownPath } from "../codec.js";
import { StenoError } from "../errors.js";

/** What every such schema has: the interface of the Standard Schema specification, version 1. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => StandardResult<Output> | PromiseLike<StandardResult<Output>>;
    /** Carries the types; never present at run time. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type of what a schema gives. */
export type StandardOutput<S> = S extends {
  readonly "~standard": { readonly types?: infer Types };
}
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : never
  : never;

/** Issues that a message can list and still be read. */
const SHOWN_AT_MOST = 5;

/**
 * What a schema makes of a value; a promise of it only if the schema is asynchronous.
 * @throws StenoError `value-invalid`, saying where in `what` it is; also if the schema itself fails
 */
export function validate(schema: StandardSchema, value: unknown, what: string): unknown {
  let result: ReturnType<StandardSchema["~standard"]["validate"]>;
  try {
    result = schema["~standard"].validate(value);
  } catch (error) {
    throw broken(what, error);
  }
  if (!isPromise(result)) return valueOf(result, what);
  return Promise.resolve(result).then(
    (settled) => valueOf(settled, what),
    (error: unknown) => {
      throw broken(what, error);
    },
  );
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}

function valueOf(result: StandardResult<unknown>, what: string): unknown {
  if (result.issues === undefined) return result.value;
  const found = result.issues
    .slice(0, SHOWN_AT_MOST)
    .map(({ message, path }) => `${what}${shownPath(stepsOf(path))}: ${message}`);
  const more = result.issues.length - found.length;
  throw new StenoError(
    "value-invalid",
    `${found.join("; ")}${more > 0 ? `; and ${more} more` : ""}: ` +
      "the action's own schema says so; mend what gives it, or the schema",
  );
}

function stepsOf(path: StandardIssue["path"]): (string | number)[] {
  return (path ?? []).map((step) => {
    const key = typeof step === "object" ? step.key : step;
    return typeof key === "number" ? key : String(key);
  });
}

function broken(what: string, error: unknown): StenoError {
  const said = error instanceof Error ? error.message : String(error);
  return new StenoError(
    "value-invalid",
    `${what} could not be checked, since the action's own schema threw: ${said}`,
    { cause: error },
  );
}
