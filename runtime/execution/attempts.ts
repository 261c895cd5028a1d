/**
 * The bodies of a run that are called now, by their nodes' paths. Mostly there is one, for which no
 * map is made. What an attempt is, is in `attempt.ts`.
 */
import type { Attempt } from "./attempt.js";

export class Attempts {
  #one: Attempt | undefined;
  #others: Map<string, Attempt> | undefined;

  add(attempt: Attempt): void {
    if (this.#one === undefined) this.#one = attempt;
    else (this.#others ??= new Map()).set(attempt.node, attempt);
  }

  get(node: string): Attempt | undefined {
    return this.#one?.node === node ? this.#one : this.#others?.get(node);
  }

  remove(attempt: Attempt): void {
    if (this.#one === attempt) this.#one = undefined;
    else this.#others?.delete(attempt.node);
  }

  all(): readonly Attempt[] {
    const others = [...(this.#others?.values() ?? [])];
    return this.#one === undefined ? others : [this.#one, ...others];
  }
}
