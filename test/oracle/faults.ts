/**
 * A fault schedule: how long each attempt of each body takes, which fail and which never answer, and
 * what happens to the whole run meanwhile. It is a pure function of a seed, so that the runtime and
 * the reference are told the same without knowing each other.
 */

/** What is attempted: an action or its undo; a computation takes no time. */
export type Doing = "act" | "undo" | "tick";

/** What happens to a run from outside, before one of its steps. */
export type Blow = "crash" | "unwind" | undefined;

export interface Faults {
  /** In milliseconds. */
  latency(doing: Doing, key: string, attempt: number): number;
  fails(doing: Doing, key: string, attempt: number): boolean;
  /** The body never comes to an end by itself. Asked of those that have a timeout. */
  hangs(doing: Doing, key: string, attempt: number): boolean;
  /** When an event is sent, in milliseconds after the run was started. */
  sentAt(event: string): number;
  blow(step: number): Blow;
  /** Whether an operator settles a stuck node, and does not try it again. */
  settles(key: string): boolean;
}

/** How likely faults are, in percent; crashes and unwinding by request at each step. */
const LEVELS = [
  { act: 0, tick: 0, undo: 0, never: 0, hang: 0, crash: 0, unwind: 0 },
  { act: 4, tick: 1, undo: 10, never: 0, hang: 10, crash: 4, unwind: 1 },
  { act: 12, tick: 3, undo: 20, never: 4, hang: 20, crash: 0, unwind: 1 },
  { act: 25, tick: 8, undo: 30, never: 10, hang: 30, crash: 8, unwind: 0 },
  { act: 50, tick: 25, undo: 40, never: 15, hang: 40, crash: 1, unwind: 2 },
] as const;

/** So wide that two things hardly ever fall on the same millisecond: their order would be anybody's. */
const LATENCY_MS = 1_000_003;
/** Some events are there before anybody waits, and some come too late. */
const EVENTS_MS = 5 * LATENCY_MS;
/** An operator tries what is stuck so often in vain. */
const NEVER = 7;

/** The schedule of a seed. The level of faults is drawn too, unless it is given. */
export function faultsOf(seed: number, level = 1 + (seed % (LEVELS.length - 1))): Faults {
  const chance = LEVELS[level] ?? LEVELS[0];
  const draw = (below: number, ...what: readonly (string | number)[]): number =>
    mix(`${seed}|${what.join("|")}`) % below;
  return {
    latency: (doing, key, attempt) => 1 + draw(LATENCY_MS, "latency", doing, key, attempt),
    fails: (doing, key, attempt) =>
      draw(100, doing, key, attempt) < chance[doing] ||
      // Some undos fail whatever is tried: then the run is stuck.
      (doing === "undo" && attempt < NEVER && draw(100, "never", key) < chance.never),
    hangs: (doing, key, attempt) => draw(100, "hangs", doing, key, attempt) < chance.hang,
    sentAt: (event) => 1 + draw(EVENTS_MS, "sent", event),
    blow: (step) => {
      const drawn = draw(100, "blow", step);
      if (drawn < chance.crash) return "crash";
      return drawn < chance.crash + chance.unwind ? "unwind" : undefined;
    },
    settles: (key) => draw(2, "settles", key) === 0,
  };
}

/** FNV-1a, then mixed once more: neighbours must not get neighbouring numbers. */
function mix(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
