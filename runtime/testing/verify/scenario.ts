/**
 * One scenario: a fresh world, one run in it that goes wrong as the faults say, until all has come
 * to rest. It tells what it saw, and judges nothing: that is `check.ts`.
 */
import { Coordinator } from "../../coordinator.js";
import type { SagaDefinition } from "../../definition.js";
import { StenoError } from "../../errors.js";
import type { LoggedEvent } from "../../events.js";
import type { NodeStatus } from "../../reading/history.js";
import type { Run } from "../../run.js";
import type { RunRow } from "../../stores/store.js";
import { virtualClock } from "../virtual-clock.js";
import { checkInstance, checkSagas } from "./call.js";
import { DEATH, type Fault, generalPath, type Place, PROCESS } from "./faults.js";
import { Interceptor, RUN_ID } from "./intercept.js";
import { MortalStore } from "./mortal-store.js";
import type { VerifyOptions } from "./options.js";

/** What a scenario came to. */
export interface Seen<World = unknown> {
  readonly outcome: "succeeded" | "undone" | "stuck";
  readonly world: World;
  readonly result: unknown;
  readonly error: unknown;
  /** The saga log of the run. */
  readonly events: readonly LoggedEvent[];
  readonly commits: number;
  /** Idempotency keys of runs begin with these. */
  readonly nonces: readonly string[];
}

/** A saga with what is told of it once; of some types, which nobody here knows. */
export interface Subject<World = unknown> {
  /** The places of the manifest by their paths. */
  readonly places: ReadonlyMap<string, Place>;
  readonly definition: SagaDefinition<object, unknown, unknown>;
  readonly options: VerifyOptions<object, unknown, unknown, World>;
}

/** A saga in which more than this happens goes on for ever. */
const STEPS = 20_000;

/** What is tried again for ever, and has failed so often, is taken to fail for ever. */
const FOREVER = 200;

/** A body that takes longer than this in real time waits for something that does not come. */
const PATIENCE_MS = 10_000;

/** One that has done so in another scenario gets no more than this. */
const LITTLE_PATIENCE_MS = 500;

/** Turns of the event loop without anything that happens, after which nothing will by itself. */
const QUIET_TURNS = 8;

/** An operator tries no node more often. */
const OPERATOR_TRIES = 2;

export class Scenario<World> {
  readonly #subject: Subject<World>;
  readonly #params: unknown;
  readonly #faults: readonly Fault[];
  readonly #world: World;
  readonly #calls: Interceptor;
  readonly #store: MortalStore;
  readonly #clock = virtualClock();
  readonly #random: () => number;
  readonly #tries = new Map<string, number>();
  readonly #hung: Set<string>;
  /** The objects that `instance` gave, one for each process. */
  readonly instances: object[] = [];
  #coordinator: Coordinator | undefined;
  #run: Run | undefined;
  #timers = new Set<() => void>();

  /** `hung`: what did not come to its end in others; grows. */
  constructor(
    subject: Subject<World>,
    params: unknown,
    faults: readonly Fault[],
    world: World,
    hung: Set<string>,
  ) {
    this.#hung = hung;
    this.#subject = subject;
    this.#params = params;
    this.#faults = faults;
    this.#world = world;
    this.#calls = new Interceptor(faults);
    this.#store = new MortalStore(faults);
    this.#random = randomOf(subject.options.seed ?? 1);
  }

  /** @throws StenoError `verify-…` if it does not come to rest */
  async play(): Promise<Seen<World>> {
    try {
      await this.#open();
      await this.#start();
      await this.#drive();
      return await this.#seen();
    } finally {
      this.#calls.releaseAll();
      const closed = this.#coordinator?.close();
      // It would wait for ever for a body that never ends.
      if (this.#calls.executing.size === 0) await closed;
    }
  }

  /** Whether the run came to where a fault is; of what no body brings about, that is not known. */
  cameAbout(fault: Fault): boolean {
    if (fault.node === PROCESS) return this.#store.died.has(Number(DEATH.exec(fault.what)?.[2]));
    return this.#kindOf(fault.node) !== "action" || fault.what === "unwound-after"
      ? true
      : this.#calls.applied.has(fault);
  }

  async #start(): Promise<void> {
    const special = this.#faults.filter((fault) => this.#isSpecial(fault));
    const { definition } = this.#subject;
    // A caller whose call was lost calls again, with the same id.
    for (let ready = false; !ready;) {
      try {
        const options = { id: RUN_ID, paused: special.length > 0 };
        this.#run = (await this.#coordinator?.start(definition, this.#params, options)) as Run;
        for (const { node, what } of special) {
          if (what === "fails") await this.#run.inject({ node, error: true });
          else await this.#run.setBreakpoint({ node, at: "after" });
        }
        if (special.length > 0) await this.#run.resume();
        ready = true;
      } catch (error) {
        if (!this.#store.dead) throw error;
        await this.#reopen();
      }
    }
  }

  /** What no body can bring about. */
  #isSpecial({ node, what }: Fault): boolean {
    if (what === "unwound-after") return true;
    return what === "fails" && this.#kindOf(node) !== "action" && this.#kindOf(node) !== "event";
  }

  #kindOf(path: string): string | undefined {
    return this.#subject.places.get(generalPath(path))?.node.kind;
  }

  async #open(): Promise<void> {
    const { definition, options } = this.#subject;
    const instance = checkInstance(options.instance(this.#world));
    this.instances.push(instance);
    const bound = [definition.on(instance), ...checkSagas(options.sagas?.(this.#world) ?? [])];
    const timers = new Set<() => void>();
    this.#timers = timers;
    this.#coordinator = await Coordinator.open({
      store: this.#store.store,
      sagas: bound.map((saga) => this.#calls.wrap(saga)),
      clock: {
        now: () => this.#clock.now(),
        setTimer: (at, call) => {
          const cancel = this.#clock.setTimer(at, () => {
            timers.delete(cancel);
            call();
          });
          timers.add(cancel);
          return cancel;
        },
      },
      random: this.#random,
      crashLimit: Infinity,
      logger: { warn: () => undefined },
    });
  }

  /** Another process takes over. What the one that died had sent arrives all the same. */
  async #reopen(): Promise<void> {
    for (const cancel of this.#timers) cancel();
    this.#calls.releaseAll();
    while (this.#calls.executing.size > 0) {
      if ((await this.#firstEnd()) === "late") throw this.#hangs();
    }
    await this.#coordinator?.close();
    await this.#open();
    this.#run = await this.#coordinator?.run(RUN_ID);
  }

  async #drive(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      await this.#quiet();
      this.#checkAttempts();
      if (this.#store.dead) {
        await this.#reopenUntilAlive();
        continue;
      }
      if (this.#calls.executing.size > 0) {
        await this.#oneEnds();
        continue;
      }
      const open = await this.#unfinished();
      if (open.length === 0) return;
      try {
        if (await this.#goOn(open)) continue;
      } catch (error) {
        if (this.#store.dead) continue;
        throw error;
      }
      if (open.every(({ status }) => status === "stuck")) return;
      throw await this.#idle();
    }
    throw new StenoError("verify-endless", "the run does not come to an end");
  }

  async #reopenUntilAlive(): Promise<void> {
    while (this.#store.dead) {
      try {
        await this.#reopen();
        if (this.#run === undefined) await this.#start();
      } catch (error) {
        if (!this.#store.dead) throw error;
      }
    }
  }

  /** Does the next thing that is to happen from outside; `false` if there is none. */
  async #goOn(open: readonly RunRow[]): Promise<boolean> {
    const held = this.#calls.held.shift();
    if (held !== undefined) {
      held.release();
      return true;
    }
    const paused = open.find(({ id, reason }) => id === RUN_ID && reason === "breakpoint");
    if (paused !== undefined) {
      await this.#unwind();
      return true;
    }
    if (await this.#sendEvents(open)) return true;
    if (await this.#clock.next()) return true;
    return this.#operate(open);
  }

  async #unwind(): Promise<void> {
    for (const { node, what } of this.#faults) {
      if (what !== "unwound-after") continue;
      await this.#run?.clearBreakpoint({ node, at: "after" });
    }
    if ((await this.#run?.status())?.status === "running") await this.#run?.unwind("verifySaga");
    await this.#run?.resume();
  }

  async #sendEvents(open: readonly RunRow[]): Promise<boolean> {
    const script = this.#subject.options.events ?? {};
    let sent = false;
    for (const { id } of open) {
      const run = await this.#coordinator?.run(id);
      const waiting = leavesOf((await run?.status())?.nodes ?? []).filter(
        ({ kind, state }) => kind === "event" && state === "waiting",
      );
      for (const { label, path } of waiting) {
        if (!Object.hasOwn(script, label)) continue;
        const isLost = ({ node, what }: Fault): boolean => node === path && what === "fails";
        if (id === RUN_ID && this.#faults.some(isLost)) continue;
        const payload = script[label];
        await run?.send(label, typeof payload === "function" ? await payload() : payload);
        sent = true;
      }
    }
    return sent;
  }

  /** An operator sees to what is stuck. */
  async #operate(open: readonly RunRow[]): Promise<boolean> {
    const { onStuck = "retry" } = this.#subject.options;
    let done = false;
    for (const { id } of open) {
      const run = await this.#coordinator?.run(id);
      for (const hold of (await run?.status())?.holds ?? []) {
        if (!STUCK.has(hold.reason) || !("node" in hold) || run === undefined) continue;
        const { node } = hold;
        const key = `${id} ${node}`;
        const tries = this.#tries.get(key) ?? 0;
        if (onStuck === "leave" || tries >= OPERATOR_TRIES) continue;
        this.#tries.set(key, tries + 1);
        if (id === RUN_ID) this.#calls.lift(node);
        if (onStuck === "retry") await run.retry(node, "verifySaga");
        else await onStuck({ run, node, world: this.#world });
        done = true;
      }
    }
    return done;
  }

  async #oneEnds(): Promise<void> {
    if ((await this.#firstEnd()) !== "late") return;
    // It may wait for its signal, which its timeout aborts.
    if (!(await this.#clock.next())) throw this.#hangs();
  }

  /** Waits until one of the calls ends; gives `late` if none does. */
  async #firstEnd(): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      const isKnown = [...this.#calls.executing.values()].every((key) => this.#hung.has(key));
      timer = setTimeout(() => resolve("late"), isKnown ? LITTLE_PATIENCE_MS : PATIENCE_MS);
    });
    const first = await Promise.race([late, ...this.#calls.executing.keys()]);
    clearTimeout(timer);
    return first;
  }

  #hangs(): StenoError {
    const keys = [...new Set(this.#calls.executing.values())];
    const isNew = keys.some((key) => !this.#hung.has(key));
    for (const key of keys) this.#hung.add(key);
    const names = keys.map((key) => key.replace(/(\S+)$/, "`$1`")).join(", ");
    const seconds = (isNew ? PATIENCE_MS : LITTLE_PATIENCE_MS) / 1000;
    return new StenoError("verify-hangs", `${names} did not end within ${seconds} s of real time`);
  }

  #checkAttempts(): void {
    const { key = "", attempt = 0, error } = this.#calls.most ?? {};
    if (attempt <= FOREVER) return;
    const { node } = this.#subject.places.get(generalPath(key.replace(/^undo /, ""))) ?? {};
    if (node?.kind !== "action") return;
    const { attempts } = (key.startsWith("undo ") ? node.undoRetry : node.retry) ?? {};
    if (attempts !== "forever") return;
    const name = key.replace(/(\S+)$/, "`$1`");
    const why = error instanceof Error ? error.message : String(error);
    throw new StenoError(
      "verify-endless",
      `${name} is retried for ever, and failed ${FOREVER} times in a row: ${why}`,
    );
  }

  async #quiet(): Promise<void> {
    let last = -1;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await new Promise(setImmediate);
      const now = this.#calls.activity + this.#store.commits;
      if (now !== last) quiet = 0;
      last = now;
    }
  }

  async #unfinished(): Promise<readonly RunRow[]> {
    const reader = await this.#store.inner.reader();
    return reader.runs({ status: ["running", "unwinding", "stuck"] });
  }

  async #idle(): Promise<StenoError> {
    const { holds = [] } = (await this.#run?.status()) ?? {};
    const event = holds.find((hold) => hold.reason === "waiting-event");
    const why = event
      ? `the run waits for the event \`${event.event}\`: give it in \`events\``
      : `the run does not go on: ${holds.map(({ reason }) => reason).join(", ") || "it waits for nothing"}`;
    return new StenoError("verify-waits", why);
  }

  async #seen(): Promise<Seen<World>> {
    const reader = await this.#store.inner.reader();
    const rows = await reader.runs({ limit: 10_000 });
    const stuck = rows.some(({ status }) => status === "stuck");
    const ended = await this.#run?.result().then(
      (result) => ({ result, error: undefined }),
      (error: unknown) => ({ result: undefined, error }),
    );
    const own = rows.find(({ id }) => id === RUN_ID)?.status;
    return {
      outcome: stuck ? "stuck" : own === "succeeded" ? "succeeded" : "undone",
      world: this.#world,
      result: ended?.result,
      error: ended?.error,
      events: await reader.events(RUN_ID),
      commits: this.#store.commits,
      nonces: rows.map(({ nonce }) => nonce),
    };
  }
}

const STUCK: ReadonlySet<string> = new Set(["undo-failed", "in-doubt", "action-failed"]);

function leavesOf(nodes: readonly NodeStatus[]): readonly NodeStatus[] {
  return nodes.flatMap((node) => [
    node,
    ...leavesOf(node.nodes ?? []),
    ...leavesOf(node.handler ?? []),
  ]);
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
