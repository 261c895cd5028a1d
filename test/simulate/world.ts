/**
 * The scheduler of a simulation: all that a process would wait for is a task here, and which is done
 * next is chosen. It takes the place of Node's timers while it is there. It knows nothing of sagas.
 */
import type { Clock } from "../../runtime/clock.js";
import type { Choose } from "./random.js";

interface Timer {
  readonly at: number;
  readonly call: () => void;
  /** It does not keep a process alive: what merely polls. */
  idle: boolean;
}

const real = {
  setImmediate: globalThis.setImmediate,
  setTimeout: globalThis.setTimeout,
  setInterval: globalThis.setInterval,
  clearTimeout: globalThis.clearTimeout,
  clearInterval: globalThis.clearInterval,
};

/** A handle as Node's timers give it. */
class Handle {
  readonly world: World;
  readonly timer: Timer;
  constructor(world: World, timer: Timer) {
    this.world = world;
    this.timer = timer;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    this.timer.idle = true;
    return this;
  }
}

export class World {
  now = 1_700_000_000_000;
  steps = 0;
  readonly #choose: Choose;
  #tasks: (() => void)[] = [];
  #timers = new Set<Timer>();
  /** Of those who watch: they outlive the process that they watch. */
  #onCrash: (() => void)[] = [];

  constructor(choose: Choose) {
    this.#choose = choose;
  }

  /** The clock of this world, which can be set. */
  readonly clock: Clock = {
    now: () => this.now,
    setTimer: (at, call) => {
      const timer = { at, call, idle: false };
      this.#timers.add(timer);
      return () => void this.#timers.delete(timer);
    },
  };

  /** Something that happens some time from now, unless the process ends before. */
  post(task: () => void): void {
    this.#tasks.push(task);
  }

  /** As if a process waited for something of its own: the world says when. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.post(resolve));
  }

  atCrash(task: () => void): void {
    this.#onCrash.push(task);
  }

  /** The process ends here and now: nothing that it waits for comes. */
  crash(): void {
    this.#tasks = [];
    this.#timers = new Set();
    for (const task of this.#onCrash.splice(0)) task();
  }

  /** Does one thing, and all that follows from it at once; `false` if nothing is left but to poll. */
  async step(): Promise<boolean> {
    await settle();
    this.steps += 1;
    const due = this.#tasks.length === 0 || this.#choose(12) === 0 ? this.#first() : undefined;
    const busy = this.#tasks.length > 0 || [...this.#timers].some(({ idle }) => !idle);
    if (due !== undefined) {
      this.#timers.delete(due);
      this.now = Math.max(this.now, due.at);
      due.call();
    } else {
      const [task] = this.#tasks.splice(this.#choose(this.#tasks.length || 1), 1);
      task?.();
    }
    await settle();
    return busy;
  }

  #first(): Timer | undefined {
    let found: Timer | undefined;
    for (const timer of this.#timers) if (found === undefined || timer.at < found.at) found = timer;
    return found;
  }

  /** Node's timers are this world's, until the function that is returned is called. */
  takeTimers(): () => void {
    const after = (call: () => void, ms = 0, again = false): Handle => {
      const add = (): Timer => {
        const timer = { at: this.now + ms, call: fire, idle: again };
        this.#timers.add(timer);
        return timer;
      };
      const fire = (): void => {
        if (again) Object.assign(handle, { timer: add() });
        call();
      };
      const handle = new Handle(this, add());
      return handle;
    };
    const clear = (handle: unknown): void => {
      if (handle instanceof Handle) handle.world.#timers.delete(handle.timer);
      else real.clearTimeout(handle as never);
    };
    Object.assign(globalThis, {
      setImmediate: (call: () => void) => this.post(call),
      setTimeout: (call: () => void, ms?: number) => after(call, ms),
      setInterval: (call: () => void, ms?: number) => after(call, ms, true),
      clearTimeout: clear,
      clearInterval: clear,
    });
    return () => Object.assign(globalThis, real);
  }
}

/** All that can go on by itself has. */
async function settle(): Promise<void> {
  await new Promise((resolve) => real.setImmediate(resolve));
}
