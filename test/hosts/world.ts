/**
 * The world of a run on any host: each body waits until it is let go, and answers then by a schedule of
 * faults. What began is kept in words that are the same on every host. It knows no host.
 */
import { actionContext } from "steno-runtime";
import { canonical } from "../oracle/canonical.js";
import type { Doing, Faults } from "../oracle/faults.js";
import type { World } from "../oracle/kit.js";
import { outputOf, tickOf } from "../oracle/outputs.js";

/** A body that runs. */
export interface Waiting {
  readonly doing: Doing;
  readonly key: string;
  readonly attempt: number;
  /** Names it among those that run. */
  readonly name: string;
  readonly go: () => void;
}

export class GatedWorld implements World {
  /** What began since it was last taken. */
  begun: string[] = [];
  readonly waiting = new Map<string, Waiting>();
  /** The key under which the places of a program ran, by the path of the node. */
  readonly keys = new Map<string, string>();
  /** Whether idempotency keys of one run began with two nonces. */
  mixed = false;
  readonly #nonces = new Map<string, string>();

  readonly #ticks = new Set<string>();

  /** `again`: what is computed and not recorded yet may be computed again, and is noted once. */
  constructor(
    private readonly faults: Faults,
    private readonly again = false,
  ) {}

  async act(method: string, inputs: readonly [key: string, ...rest: unknown[]]): Promise<unknown> {
    const [key] = inputs;
    // An argument that was left out is no input.
    const given = inputs.slice(0, inputs.findLastIndex((each) => each !== undefined) + 1);
    const output = outputOf(method, inputs);
    return this.perform("act", key, `${method} ${canonical(given)}`, output);
  }

  async undo(method: string, output: unknown, key: string): Promise<void> {
    await this.perform("undo", key, `${method} ${canonical(output)}`, undefined);
  }

  /** A body: it answers when it is let go. `what`: with which it was called, in words. */
  async perform<T>(doing: Doing, key: string, what: string, output: T): Promise<T> {
    const attempt = await this.gate(doing, key, what);
    if (this.faults.fails(doing, key, attempt)) throw new Error(`${doing} ${key} fails`);
    return output;
  }

  tick(key: string, value: number): number {
    const name = `tick ${key} ${value}`;
    if (!this.again || !this.#ticks.has(name)) this.begun.push(name);
    this.#ticks.add(name);
    if (this.faults.fails("tick", key, 1)) throw new Error(`tick ${key} fails`);
    return tickOf(key, value);
  }

  /** What began since this was last asked, sorted. */
  take(): string[] {
    return this.begun.splice(0).sort();
  }

  /** The body that the schedule ends first. */
  next(): Waiting | undefined {
    const time = ({ doing, key, attempt }: Waiting): number =>
      this.faults.latency(doing, key, attempt);
    return [...this.waiting.values()].sort((a, b) => time(a) - time(b))[0];
  }

  /** Lets everything go that still waits. */
  end(): void {
    for (const { go } of this.waiting.values()) go();
  }

  private async gate(doing: Doing, key: string, what: string): Promise<number> {
    const { sagaId, node, attempt, signal, idempotencyKey } = actionContext();
    const [nonce = "", ...rest] = idempotencyKey.split(".");
    if ((this.#nonces.get(sagaId) ?? nonce) !== nonce) this.mixed = true;
    this.#nonces.set(sagaId, nonce);
    this.keys.set(node, key);
    const name = `${doing} ${key} #${attempt}`;
    this.begun.push(`${name} ${what} as ${rest.join(".")}`);
    signal.addEventListener("abort", () => this.begun.push(`abort ${name}`));
    await new Promise<void>((resolve) => {
      const go = (): void => {
        this.waiting.delete(name);
        resolve();
      };
      this.waiting.set(name, { doing, key, attempt, name, go });
    });
    return attempt;
  }
}
