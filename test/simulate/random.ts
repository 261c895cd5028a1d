/** Chance by seed: a stream for each concern, so that leaving one out does not change the others. */

/** From 0 up to, and without, `below`. */
export type Choose = (below: number) => number;

/** The stream of a name: mulberry32, which is small and good enough to choose by. */
export function stream(seed: number, name: string): Choose {
  let state = seed | 0;
  for (const character of name) state = Math.imul(state ^ character.charCodeAt(0), 0x9e3779b1);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
