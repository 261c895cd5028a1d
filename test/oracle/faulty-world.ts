/**
 * The world of a run under a fault schedule: bodies take their time, fail, or never answer; whatever
 * can be seen of them is kept in the order in which it happened.
 */
import { actionContext } from "steno-runtime";
import type { VirtualClock } from "steno-runtime/testing";
import { canonical } from "./canonical.js";
import type { Faults } from "./faults.js";
import { kitActions } from "./kit-actions.js";
import type { World } from "./kit.js";
import { outputOf, tickOf } from "./outputs.js";
import type { End } from "./calls.js";

/** Of the kit's actions that have one: 20 minutes. */
const TIMEOUT_MS = 20 * 60_000;

/** Something that ended. */
export type Ended =
  | { readonly doing: "act"; readonly key: string; readonly attempt: number; readonly end: End }
  | {
      readonly doing: "undo";
      readonly key: string;
      readonly attempt: number;
      readonly end: "succeeded" | "failed";
    };

/** What is seen of a run over all its processes. */
export class Sight {
  /** In the words of the reference. */
  begun: string[] = [];
  ended: Ended[] = [];
  /** What will have ended at a time, without anybody telling. */
  later: { readonly at: number; readonly ended: Ended }[] = [];
  /** Of each call, the run that it was in, and the path of its node. */
  readonly places = new Map<string, { readonly run: string; readonly path: string }>();
}

/** The world of one process. */
export class FaultyWorld implements World {
  /** The process has died: nothing is seen any more. */
  #dead = false;
  readonly #pending = new Set<() => void>();

  constructor(
    private readonly clock: VirtualClock,
    private readonly faults: Faults,
    private readonly sight: Sight,
  ) {}

  async act(method: string, inputs: readonly [key: string, ...rest: unknown[]]): Promise<unknown> {
    const { sagaId, node, attempt, signal } = actionContext();
    const { sight } = this;
    const [key] = inputs;
    sight.places.set(key, { run: sagaId, path: node });
    // An argument that was left out is no input.
    const given = inputs.slice(0, inputs.findLastIndex((each) => each !== undefined) + 1);
    this.begins(`act ${key} #${attempt} ${method} ${canonical(given)}`);
    const began = this.clock.now();
    const hangs = kitActions[method]?.timeout === true && this.faults.hangs("act", key, attempt);
    const output = outputOf(method, inputs);
    const end: End = this.faults.fails("act", key, attempt)
      ? { as: "failed", message: `act ${key} fails` }
      : { as: "succeeded", output };
    const late =
      `attempt ${attempt} of \`${node}\` had no answer in time: ` +
      "whether it had its effect is not known";
    let aborted = false;
    const out: Ended = { doing: "act", key, attempt, end: { as: "timeout", message: late } };
    signal.addEventListener("abort", () => {
      const { code } = signal.reason as { readonly code: string };
      aborted = code !== "timeout";
      if (!aborted) this.ends(out);
      else {
        this.begins(`abort ${key} #${attempt}`);
        // A signal tells of its abortion once; that it times out after that is not told any more.
        if (hangs) sight.later.push({ at: began + TIMEOUT_MS, ended: out });
      }
    });
    await this.wait(hangs ? undefined : this.faults.latency("act", key, attempt));
    if (end.as === "failed" && aborted) {
      const message = late.replace("had no answer in time", "ended after its signal was aborted");
      this.ends({ doing: "act", key, attempt, end: { as: "failed", message } });
    } else this.ends({ doing: "act", key, attempt, end });
    if (end.as === "failed") throw new Error(end.message);
    return output;
  }

  async undo(method: string, output: unknown, key: string): Promise<void> {
    const { attempt, signal } = actionContext();
    this.begins(`undo ${key} #${attempt} ${canonical(output)}`);
    signal.addEventListener("abort", () =>
      this.ends({ doing: "undo", key, attempt, end: "failed" }),
    );
    const hangs =
      kitActions[method]?.undoTimeout === true && this.faults.hangs("undo", key, attempt);
    await this.wait(hangs ? undefined : this.faults.latency("undo", key, attempt));
    const end = this.faults.fails("undo", key, attempt) ? "failed" : "succeeded";
    this.ends({ doing: "undo", key, attempt, end });
    if (end === "failed") throw new Error(`undo ${key} fails`);
  }

  tick(key: string, value: number): number {
    this.begins(`tick ${key} ${value}`);
    if (this.faults.fails("tick", key, 1)) throw new Error(`tick ${key} fails`);
    return tickOf(key, value);
  }

  die(): void {
    this.#dead = true;
    for (const go of this.#pending) go();
  }

  private begins(text: string): void {
    if (!this.#dead) this.sight.begun.push(text);
  }

  private ends(end: Ended): void {
    if (!this.#dead) this.sight.ended.push(end);
  }

  private wait(ms: number | undefined): Promise<void> {
    // The runtime may still call what it had begun to call: nobody would ever let it go.
    if (this.#dead) return Promise.resolve();
    return new Promise((resolve) => {
      this.#pending.add(resolve);
      if (ms !== undefined) this.clock.setTimer(this.clock.now() + ms, resolve);
    });
  }
}
