/**
 * A process that starts runs in the store that is named until it cannot, and tells with which code that
 * ended and which runs it had been told of. It is bundled, and started with a limit of its own.
 */
import { Coordinator, sqliteStore } from "steno-runtime";
import { action, scripted, scriptOf } from "../runtime/sagas.js";

/** What it prints, as JSON. */
export interface Filled {
  readonly code: string;
  readonly started: readonly string[];
}

/** Its runs are gone on with by the test, under the same name. */
export const filling = scripted([action("a"), action("b", ["a"]), action("c", ["b"])]);
const [path = ""] = process.argv.slice(2);

if (path !== "") {
  const started: string[] = [];
  let code = "";
  try {
    const store = sqliteStore(path);
    const script = scriptOf((node) => node.repeat(500));
    const logger = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
    const coordinator = await Coordinator.open({ store, sagas: [filling.on(script)], logger });
    for (let run = 0; ; run++) {
      await coordinator.start(filling, `r${run}`, { id: `r${run}` });
      started.push(`r${run}`);
    }
  } catch (error) {
    ({ code } = error as { code: string });
  }
  console.log(JSON.stringify({ code, started } satisfies Filled));
  process.exit();
}
