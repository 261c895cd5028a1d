/** The time of a coordinator that shares a store with others: that of the store, whatever the machines say. */
import type { Clock } from "../clock.js";
import type { Fleet } from "../stores/store.js";

/** Timers are those of the machine's clock: only how long they last is of interest there. */
export function clockOf(fleet: Fleet | undefined, clock: Clock): Clock {
  const now = fleet?.now;
  if (now === undefined) return clock;
  return {
    now,
    setTimer: (at, call) => clock.setTimer(clock.now() + (at - now()), call),
  };
}
