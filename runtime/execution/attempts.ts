/**
 * The bodies of a run that are called now, by their nodes. Mostly there is one, for which no map is
 * made; and never by their paths, which in deep sagas are long. What an attempt is, is in `attempt.ts`.
 */
import type { Attempt } from "./attempt.js";
import type { Frame, Place } from "../state.js";

export class Attempts {
  #one: Attempt | undefined;
  #others: Map<Frame, Map<number, Attempt>> | undefined;

  add(attempt: Attempt): void {
    if (this.#one === undefined) {
      this.#one = attempt;
      return;
    }
    const others = (this.#others ??= new Map());
    const ofFrame = others.get(attempt.frame);
    if (ofFrame === undefined) others.set(attempt.frame, new Map([[attempt.index, attempt]]));
    else ofFrame.set(attempt.index, attempt);
  }

  get({ frame, index }: Place): Attempt | undefined {
    const one = this.#one;
    if (one?.frame === frame && one.index === index) return one;
    return this.#others?.get(frame)?.get(index);
  }

  remove(attempt: Attempt): void {
    if (this.#one === attempt) {
      this.#one = undefined;
      return;
    }
    const ofFrame = this.#others?.get(attempt.frame);
    ofFrame?.delete(attempt.index);
    if (ofFrame?.size === 0) this.#others?.delete(attempt.frame);
  }

  all(): readonly Attempt[] {
    const others = [...(this.#others?.values() ?? [])].flatMap((each) => [...each.values()]);
    return this.#one === undefined ? others : [this.#one, ...others];
  }
}
