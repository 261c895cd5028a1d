/** What other hosts of sagas have and Restate has not, or has in a way of its own: refused in words. */
import { StenoError } from "steno-runtime";

/** By the name of the option or method: what to do instead. */
export const UNAVAILABLE: Readonly<Record<string, string>> = {
  store: "the store is Restate: give the address of its ingress to `stenoRestate`",
  clock: "time is Restate's; test sagas with a virtual clock on `memoryStore()`",
  random: "what is random is journaled by Restate",
  limits:
    "a limit over all runs would need to know of them all; limit what Restate calls at a time in its own configuration, or in the service that the action calls",
  observers: "Restate has the traces of its invocations: see its OpenTelemetry settings",
  onPaused: "ask `run.status()`, or Restate's own state of the workflow",
  logger: "give `warn` to `sagaService`",
  shortWaitMs: "Restate suspends what waits",
  transaction:
    "start the run when yours is committed, under an id of its own data: started again, it is the same run",
  runs: "give `stenoRestate` the address of Restate's admin API, as `admin`: only that can list",
  export: "list runs with `runs()`, and read the log of each with `run.events()`",
  prune: "give `retention` to `sagaService`: Restate removes finished runs after it",
  events: "watch single runs: `run.events()`",
  drain: "stop what starts runs, and wait for their results",
  setBreakpoint: "set it on a run, with `run.setBreakpoint()`, and start the run paused",
  clearBreakpoint: "clear it on a run, with `run.clearBreakpoint()`",
};

/** The error for what is not available. */
export function unavailable(name: string): StenoError {
  return new StenoError(
    "not-on-restate",
    `\`${name}\` is not available on Restate: ${UNAVAILABLE[name] ?? "see docs/RESTATE.md"}`,
  );
}

/** @throws StenoError `not-on-restate` for an option that a coordinator has and Restate has not */
export function refuseUnavailable(options: object): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(UNAVAILABLE, name)) throw unavailable(name);
  }
}
