/** Refuses an event that cannot be: the saga log is not one of this definition, or was changed. */
import { StenoError } from "../errors.js";
import type { SagaEvent } from "../events.js";

export function expect(event: SagaEvent, fits: boolean): void {
  if (!fits) throw misplaced(event, "the node is not where this could happen");
}

export function misplaced(event: SagaEvent, why: string): StenoError {
  const node = "node" in event ? ` of \`${event.node}\`` : "";
  return new StenoError(
    "corrupt-log",
    `the event \`${event.type}\`${node} does not fit the state of the run (${why}): ` +
      "the saga log was changed by something else than a coordinator, or for another definition",
  );
}
