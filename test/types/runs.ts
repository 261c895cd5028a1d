/** What follows from a definition is typed: `tsc` checks this file, nothing runs it. */
import type { Coordinator } from "steno-runtime";
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
