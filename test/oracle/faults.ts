/**
 * A fault schedule: how long each attempt of each body takes, and which fail. It is a pure function of
 * a seed, so that the runtime and the reference are told the same without knowing each other.
 */

/** What is attempted: an action or its undo; a computation takes no time. */
export type Doing = "act" | "undo" | "compute";

export interface Faults {
  /** In milliseconds. */
  latency(doing: Doing, path: string, attempt: number): number;
  fails(doing: Doing, path: string, attempt: number): boolean;
}

/** How likely faults are, in percent. */
const LEVELS = [
  { act: 0, compute: 0, undo: 0, never: 0 },
  { act: 15, compute: 5, undo: 15, never: 0 },
  { act: 30, compute: 10, undo: 25, never: 5 },
  { act: 60, compute: 30, undo: 40, never: 15 },
] as const;

/** So wide that two things hardly ever fall on the same millisecond: their order would be anybody's. */
const LATENCY_MS = 1_000_003;

/** The schedule of a seed. The level of faults is drawn too, unless it is given. */
export function faultsOf(seed: number, level = 1 + (seed % (LEVELS.length - 1))): Faults {
  const chance = LEVELS[level] ?? LEVELS[0];
  const draw = (below: number, ...what: readonly (string | number)[]): number =>
    mix(`${seed}|${what.join("|")}`) % below;
  return {
    latency: (doing, path, attempt) => 1 + draw(LATENCY_MS, "latency", doing, path, attempt),
    fails: (doing, path, attempt) =>
      draw(100, doing, path, attempt) < chance[doing] ||
      // Some undos fail whatever is tried: then the run is stuck.
      (doing === "undo" && draw(100, "never", path) < chance.never),
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
