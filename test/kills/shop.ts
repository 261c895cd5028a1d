/**
 * What the killed processes act on: a file with one line for each call and each effect, which outlives
 * them. An effect is there once for its idempotency key, however often it is asked for.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { actionContext } from "steno-runtime";

export interface Line {
  /** `called`: a body has begun. `booked`, `cancelled`: its effect. */
  readonly what: "called" | "booked" | "cancelled";
  readonly run: string;
  readonly node: string;
  readonly attempt: number;
  readonly undo: boolean;
  readonly key: string;
}

export class Shop {
  readonly #file: string;
  /** A moment at which the process may be killed. */
  readonly #moment: () => void;

  constructor(file: string, moment: () => void = () => undefined) {
    this.#file = file;
    this.#moment = moment;
  }

  book(what: string, fails = false): string {
    this.#act("booked", false, fails);
    if (fails) throw new Error(`${what} cannot be had`);
    return what;
  }

  cancel(): void {
    this.#act("cancelled", true);
  }

  #act(what: "booked" | "cancelled", undo: boolean, fails = false): void {
    const { sagaId: run, node, attempt, idempotencyKey: key } = actionContext();
    const line = { run, node, attempt, undo, key };
    this.#write({ what: "called", ...line });
    this.#moment();
    if (!fails) this.#write({ what, ...line });
    this.#moment();
  }

  #write(line: Line): void {
    // One write with O_APPEND: what a killed process has written is there, and whole.
    appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

export function linesOf(file: string): Line[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Line);
}
