/** `steno drain`: has the coordinator start nothing new, and waits until what is under way rests. */
import { shownStore } from "./store.js";
import { setTimeout as sleep } from "node:timers/promises";
import { movesByItself } from "../operating/reasons.js";
import type { StoreReader } from "../stores/store.js";
import { askAll } from "./control.js";
import type { Output } from "./output.js";
import { Problem } from "./problem.js";

/** How often the store is asked: a page of it is read each time. */
const POLL_MS = 500;
const PAGE = 1000;

export interface DrainOptions {
  readonly store: string;
  /** Lets runs be started again. */
  readonly end?: true;
  /** Commander's name for what `--no-wait` switches off. */
  readonly wait: boolean;
}

export async function drain(
  output: Output,
  reader: StoreReader,
  { store, end, wait }: DrainOptions,
): Promise<void> {
  await askAll(reader, store, "drain", end ? { clear: true } : {});
  if (end || !wait) {
    tell(output, end ? "runs are started again" : "nothing new is started");
    return;
  }
  output.remark(
    "nothing new is started; waiting for what is under way (steno drain --end: as before)",
  );
  while (await isMoving(reader)) {
    if (!(await reader.owned())) {
      throw new Problem(
        "coordinator-ended",
        `the coordinator of ${shownStore(store)} ended while runs were under way`,
      );
    }
    await sleep(POLL_MS);
  }
  tell(output, "every run is at rest");
}

function tell(output: Output, said: string): void {
  if (output.json) output.value({ command: "drain", ok: true, said });
  else output.line(`drain: done; ${said}`);
}

async function isMoving(reader: StoreReader): Promise<boolean> {
  for (let after: string | undefined; ;) {
    const runs = await reader.runs({
      status: ["running", "unwinding"],
      limit: PAGE,
      ...(after !== undefined && { after }),
    });
    if (runs.some(movesByItself)) return true;
    after = runs.at(-1)?.id;
    if (runs.length < PAGE || after === undefined) return false;
  }
}
