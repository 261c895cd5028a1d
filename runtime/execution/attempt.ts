/** One call of a body, and the context that it sees. Its signal is made when somebody asks for it. */
import type { ActiveRun } from "./active-run.js";
import type { Timer } from "../clock.js";
import { type ActionContext, idempotencyKey } from "../context.js";
import { type Frame, pathOf } from "../state.js";

export class Attempt implements ActionContext {
  readonly run: ActiveRun;
  readonly frame: Frame;
  readonly index: number;
  readonly attempt: number;
  readonly undo: boolean;
  readonly node: string;
  /** Its end is recorded: a late answer is of no interest. */
  ended = false;
  /** When it has taken too long. */
  timeout: Timer<Attempt> | undefined;
  #controller: AbortController | undefined;
  #aborted: Error | undefined;

  constructor(run: ActiveRun, frame: Frame, index: number, attempt: number, undo: boolean) {
    this.run = run;
    this.frame = frame;
    this.index = index;
    this.attempt = attempt;
    this.undo = undo;
    this.node = pathOf(frame, index);
  }

  get sagaId(): string {
    return this.run.id;
  }

  get idempotencyKey(): string {
    return idempotencyKey(this.run.nonce, this.undo, this.node);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  get aborted(): boolean {
    return this.#aborted !== undefined;
  }

  abort(reason: Error): void {
    this.#aborted ??= reason;
    this.#controller?.abort(reason);
  }
}
