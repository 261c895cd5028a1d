/**
 * All runs of a program as the reference has them: the one that is looked at, and those that it
 * starts, which are runs of their own. What one run means is in `reference.ts`.
 */
import type { ActionText, Call, End, Scope } from "./calls.js";
import { type Begun, Reference } from "./reference.js";
import type { Script } from "./script.js";
import { Threads } from "./threads.js";

export class Runs {
  readonly all: Reference[] = [];

  constructor(
    private readonly script: Script,
    private readonly kit: Readonly<Record<string, ActionText>>,
    private readonly tickOf: (key: string, value: number) => number,
  ) {}

  /** Starts a run, or finds the one of that id. */
  start(inClass: string, saga: string, params: unknown, id: string | undefined): Reference {
    const known = id === undefined ? undefined : this.all.find((each) => each.id === id);
    if (known !== undefined) return known;
    const { kit, tickOf, script } = this;
    const start = this.start.bind(this);
    const run = new Reference({ kit, tickOf, start }, id);
    run.now = this.#now;
    this.all.push(run);
    run.begins(new Threads<Call, Scope>(script, run), inClass, saga, params);
    return run;
  }

  #now = 0;
  set now(now: number) {
    this.#now = now;
    for (const run of this.all) run.now = now;
  }

  /** It cannot be told what must happen. */
  get unclear(): boolean {
    return this.all.some(({ unclear }) => unclear);
  }

  get unread(): Error | undefined {
    return this.all.find(({ unread }) => unread !== undefined)?.unread;
  }

  ended(key: string, attempt: number, end: End): void {
    this.ofCall(key)?.ended(key, attempt, end);
  }

  undoEnded(key: string, attempt: number, end: "succeeded" | "failed"): void {
    this.ofCall(key)?.undoEnded(key, attempt, end);
  }

  passedOver(key: string): void {
    this.ofCall(key)?.passedOver(key);
  }

  crashed(): void {
    for (const run of this.all) run.crashed();
  }

  /** Everything that follows, until nothing more happens by itself; then what has begun is told. */
  async rest(): Promise<Begun> {
    for (let moved = true; moved;) {
      await new Promise((resolve) => setImmediate(resolve));
      moved = false;
      // Runs that are started meanwhile are in the list, too.
      for (const run of this.all) moved = run.round() || moved;
    }
    const told = this.all.map((run) => run.told());
    return { must: told.flatMap(({ must }) => must), may: told.flatMap(({ may }) => may) };
  }

  private ofCall(key: string): Reference | undefined {
    return this.all.find(({ calls }) => calls.has(key));
  }
}
