/**
 * The scheduler of a simulation: all that processes would wait for is a task here, and which is done
 * next is chosen. It takes the place of Node's timers while it is there. It knows nothing of sagas.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";
import type { Clock } from "../../runtime/clock.js";
import type { Choose } from "./random.js";

/** The place of a process in the simulation; what belongs to none outlives them all. */
export type ProcessId = number;

interface Task {
  readonly of: ProcessId | undefined;
  /** If it waits for something real, all else waits for it. */
  readonly call: () => void | Promise<void>;
}

interface Timer extends Task {
  readonly at: number;
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
const realSleep = timersPromises.setTimeout;

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

/**
 * In which process it is. One for all worlds, which come one after the other: Node 20 asks each that ever
 * was at each promise, of whatever follows in that process, too.
 */
const inside = new AsyncLocalStorage<ProcessId | undefined>();

export class World {
  now = 1_700_000_000_000;
  steps = 0;
  /** Milliseconds that have gone by, whatever clocks are set to. */
  elapsed = 0;
  readonly #choose: Choose;
  #tasks: Task[] = [];
  #timers = new Set<Timer>();
  /** Of those who watch: they outlive the process that they watch. */
  #onCrash: { readonly of: ProcessId | undefined; readonly call: () => void }[] = [];
  /** Processes that are stopped, as a signal does it: nothing of them is done. */
  readonly stopped = new Set<ProcessId>();

  constructor(choose: Choose) {
    this.#choose = choose;
  }

  /** The clock of this world, which can be set. */
  readonly clock: Clock = {
    now: () => this.now,
    setTimer: (at, call) => {
      const timer = { at, call, idle: false, of: this.process };
      this.#timers.add(timer);
      return () => void this.#timers.delete(timer);
    },
  };

  /** The process that runs now. */
  get process(): ProcessId | undefined {
    return inside.getStore();
  }

  /** Does something as that process, and all that follows from it. */
  in<T>(process: ProcessId | undefined, act: () => T): T {
    return inside.run(process, act);
  }

  /** Something that happens some time from now, unless its process ends before. */
  post(call: () => void | Promise<void>): void {
    this.#tasks.push({ of: this.process, call });
  }

  /** As if a process waited for something of its own: the world says when. */
  pause(): Promise<void> {
    return new Promise((resolve) => this.post(resolve));
  }

  atCrash(call: () => void): void {
    this.#onCrash.push({ of: this.process, call });
  }

  /** A process ends here and now: nothing that it waits for comes. */
  crash(process: ProcessId): void {
    this.stopped.delete(process);
    this.#tasks = this.#tasks.filter(({ of }) => of !== process);
    this.#timers = new Set([...this.#timers].filter(({ of }) => of !== process));
    const told = this.#onCrash.filter(({ of }) => of === process);
    this.#onCrash = this.#onCrash.filter(({ of }) => of !== process);
    for (const { call } of told) call();
  }

  /** Does one thing, and all that follows from it at once; `false` if nothing is left but to poll. */
  async step(): Promise<boolean> {
    await settle();
    this.steps += 1;
    const tasks = this.#tasks.filter((task) => this.#isAwake(task));
    const due = tasks.length === 0 || this.#choose(12) === 0 ? this.#first() : undefined;
    const busy =
      tasks.length > 0 || [...this.#timers].some((each) => !each.idle && this.#isAwake(each));
    if (due !== undefined) {
      this.#timers.delete(due);
      this.pass(Math.max(0, due.at - this.now));
      await this.in(due.of, due.call);
    } else {
      const task = tasks[this.#choose(tasks.length || 1)];
      if (task !== undefined) {
        this.#tasks.splice(this.#tasks.indexOf(task), 1);
        await this.in(task.of, task.call);
      }
    }
    await settle();
    return busy;
  }

  /** So much time goes by, in milliseconds. */
  pass(ms: number): void {
    this.now += ms;
    this.elapsed += ms;
  }

  #isAwake({ of }: Task): boolean {
    return of === undefined || !this.stopped.has(of);
  }

  #first(): Timer | undefined {
    let found: Timer | undefined;
    for (const timer of this.#timers) {
      if (!this.#isAwake(timer)) continue;
      if (found === undefined || timer.at < found.at) found = timer;
    }
    return found;
  }

  /** Node's timers are this world's, until the function that is returned is called. */
  takeTimers(): () => void {
    const after = (call: () => void, ms = 0, again = false): Handle => {
      const of = this.process;
      const add = (): Timer => {
        const timer = { at: this.now + ms, call: fire, idle: again, of };
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
    const sleep = <T>(ms?: number, value?: T): Promise<T> =>
      new Promise((resolve) => after(() => resolve(value as T), ms));
    timersPromises.setTimeout = sleep;
    syncBuiltinESMExports();
    performance.now = () => this.elapsed;
    return () => {
      Object.assign(globalThis, real);
      timersPromises.setTimeout = realSleep;
      syncBuiltinESMExports();
      // What it is by its prototype.
      delete (performance as { now?: unknown }).now;
    };
  }
}

/** All that can go on by itself has. */
async function settle(): Promise<void> {
  await new Promise((resolve) => real.setImmediate(resolve));
}
