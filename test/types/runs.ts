/** What follows from a definition is typed: `tsc` checks this file, nothing runs it. */
import type { Coordinator, FailedWith } from "steno-runtime";
import { SagaFailedError } from "steno-runtime";
import { Declined } from "../fixtures/saga/policies/input.js";
import type { order } from "../fixtures/saga/policies/input.saga.js";
import type { trip } from "../fixtures/saga/output-schema/input.saga.js";
import type { bookTrip } from "../../examples/trip/book-trip.saga.js";

type Params = Parameters<NonNullable<(typeof bookTrip)["types"]>["params"]>[0];

export async function check(
  coordinator: Coordinator,
  definition: typeof bookTrip,
  params: Params,
): Promise<void> {
  const run = await coordinator.start(definition, params);
  const { payment, hotel } = await run.outputs();
  const id: string | undefined = payment?.id;
  await run.retry("payment", `again ${id} ${hotel?.id}`);
  await run.settle("hotel", "by phone", { output: hotel });
  await run.setBreakpoint({ node: "payment" });

  // @ts-expect-error: a misspelled node
  await run.retry("paiment");
  // @ts-expect-error: there, too
  await run.setBreakpoint({ node: "paiment" });
  // @ts-expect-error: and there
  await run.inject({ node: "paiment", error: true });
  // @ts-expect-error: there is no such node
  (await run.outputs()).paiment;
  // @ts-expect-error: the price is a number
  await coordinator.start(definition, { ...params, price: "1" });
  // @ts-expect-error: params are required
  await coordinator.start(definition, undefined);

  // Of a run that is found by its id nothing is known: any text may be a node.
  const found = await coordinator.run("trip-42");
  await found?.retry("paiment");
  const anything: unknown = (await found?.outputs())?.["paiment"];
  void anything;
}

/** What a run failed with is typed where the actions declare it. */
export async function checkFailures(
  coordinator: Coordinator,
  definition: typeof order,
  params: { item: string; card: string; spare: string },
): Promise<string> {
  const run = await coordinator.start(definition, params);
  const outcome = await run.outcome();
  if (outcome.status === "succeeded") {
    const tracking: string = outcome.result;
    // @ts-expect-error: it has not failed
    void outcome.error;
    return tracking;
  }
  const { cause, failures } = outcome.error;
  const typed: Declined | Error = cause;
  if (cause instanceof Declined) {
    const missing: number = cause.missing;
    // @ts-expect-error: there is no such reason
    if (cause.reason === "lost") return "";
    return `${missing}`;
  }
  if (outcome.status === "undone") {
    const error: FailedWith<Declined> = outcome.error;
    // @ts-expect-error: one of other errors is not one of these
    const other: FailedWith<TypeError & { readonly own: 1 }> = outcome.error;
    void [error, other];
  } else {
    for (const { node, error } of outcome.error.stuck) {
      if ("missing" in error) return `${node} ${error.missing}`;
    }
  }
  const thrown: unknown = outcome;
  if (thrown instanceof SagaFailedError) {
    // @ts-expect-error: of what was thrown only is known that it is an error
    void thrown.cause.missing;
  }
  // @ts-expect-error: any other error has none
  void failures[0]?.error.missing;
  return typed.message;
}

/** A schema of the user's own says what a node has come to. */
export async function checkSchemas(
  coordinator: Coordinator,
  definition: typeof trip,
): Promise<void> {
  const run = await coordinator.start(definition, { name: "x" });
  const { price, tell } = await run.outputs();
  const at: Date | undefined = price?.at;
  // The method says nothing of it.
  const told: string | undefined = tell;
  // @ts-expect-error: that was before the transform
  const text: string | undefined = price?.at;
  void [at, told, text];
}
