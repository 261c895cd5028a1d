/** A clock that is moved by hand, so that pauses and timeouts take no time in tests. */
import type { Clock } from "../clock.js";

export interface VirtualClock extends Clock {
  /** Moves on by so many milliseconds, and fires what is due on the way, in order. */
  advance(ms: number): Promise<void>;
  /** Moves on to the next timer and fires it; `false` if there is none. */
  next(): Promise<boolean>;
}

interface Timer {
  readonly at: number;
  readonly call: () => void;
}

/** Turns of the event loop that are left to whatever a timer set off: commits, and bodies without I/O. */
const TURNS = 20;

/** A clock that stands at `start` until it is moved. */
export function virtualClock(start = 0): VirtualClock {
  return settlingClock(start, () => new Promise(setImmediate));
}

/** The same where a turn may be longer: that of a store which asks a server. Not for users. */
export function settlingClock(start: number, turn: () => Promise<void>): VirtualClock {
  let now = start;
  const settle = async (): Promise<void> => {
    for (let left = TURNS; left > 0; left--) await turn();
  };
  const timers = new Set<Timer>();
  const first = (): Timer | undefined => {
    let found: Timer | undefined;
    for (const timer of timers) if (found === undefined || timer.at < found.at) found = timer;
    return found;
  };
  const fire = async (timer: Timer): Promise<void> => {
    timers.delete(timer);
    now = Math.max(now, timer.at);
    timer.call();
    await settle();
  };
  return {
    now: () => now,
    setTimer: (at, call) => {
      const timer = { at, call };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance: async (ms) => {
      const until = now + ms;
      await settle();
      for (let timer = first(); timer !== undefined && timer.at <= until; timer = first()) {
        await fire(timer);
      }
      now = until;
    },
    next: async () => {
      await settle();
      const timer = first();
      if (timer !== undefined) await fire(timer);
      return timer !== undefined;
    },
  };
}
