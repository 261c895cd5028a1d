/**
 * A coordinator in a process of its own, for tests that kill it. Its saga is a chain of five actions,
 * of which `fails` fails for each third run, and `poison` ends the process when the params say so.
 * `node … <url> <schema> <lease in ms> <clock offset in ms>`; it prints `open` when it is.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Coordinator, systemClock } from "steno-runtime";
import { postgresStore } from "steno-runtime/postgres";
import { action, scripted, type Script } from "../runtime/sagas.js";
import { actionContext } from "../../runtime/context.js";

export const worked = scripted(
  [
    action("a"),
    action("b", ["a"]),
    action("c", ["b"]),
    action("d", ["c"]),
    action("e", ["d"], { undo: "none" }),
  ],
  "Test.worked",
);

/** How long each body takes, in milliseconds. */
const BODY_MS = Number(process.env["BODY_MS"] ?? 5);

const script: Script = {
  act: async (node) => {
    await sleep(BODY_MS);
    const { sagaId } = actionContext();
    if (node === "c" && sagaId.startsWith("poison")) process.exit(1);
    if (node === "e" && /[05]$/.test(sagaId)) throw new Error("every fifth run fails at its end");
    return node;
  },
  undo: async () => void (await sleep(BODY_MS)),
};

const [, file, url, schema, leaseMs, offset] = process.argv;
if (file?.includes("fleet-worker") && url !== undefined && schema !== undefined) {
  const coordinator = await Coordinator.open({
    store: postgresStore(url, { schema, leaseMs: Number(leaseMs) }),
    sagas: [worked.on(script)],
    clock: { ...systemClock, now: () => Date.now() + Number(offset ?? 0) },
    logger: { warn: (message) => console.error(message) },
  });
  console.log("open");
  process.once("SIGTERM", () => {
    void coordinator.close().then(() => process.exit(0));
  });
}
