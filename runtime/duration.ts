/** Lengths of time as users write them, in milliseconds. The compiler reads those in options. */
import type { Duration } from "./dsl.js";
import { StenoError } from "./errors.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** By the word, without an `s` at its end. */
const units: Readonly<Record<string, number>> = {
  ms: 1,
  msec: 1,
  millisecond: 1,
  s: SECOND,
  sec: SECOND,
  second: SECOND,
  m: MINUTE,
  min: MINUTE,
  minute: MINUTE,
  h: HOUR,
  hr: HOUR,
  hour: HOUR,
  d: DAY,
  day: DAY,
  w: 7 * DAY,
  week: 7 * DAY,
};

/** @throws StenoError `bad-duration` */
export function milliseconds(duration: Duration): number {
  const length = typeof duration === "number" ? duration : parse(duration);
  if (Number.isFinite(length) && length >= 0) return length;
  throw new StenoError(
    "bad-duration",
    `${JSON.stringify(duration)} is no length of time: ` +
      'write milliseconds, or a text like "30s", "5 minutes", "3 days"',
  );
}

function parse(text: string): number {
  const [, amount, word = ""] = /^(\d*\.?\d+) ?([a-z]+)$/.exec(text) ?? [];
  return Number(amount) * (units[word] ?? units[word.replace(/s$/, "")] ?? NaN);
}
