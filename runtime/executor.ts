/**
 * The host of the machine: it answers the machine's effects, and has made durable what happened
 * before anything acts on it (`commits.ts`). It knows no public API; that is `coordinator.ts`.
 */
import type { ActiveRun, Due } from "./execution/active-run.js";
import { answerTo, failsUncalled } from "./execution/answers.js";
import type { Attempt } from "./execution/attempt.js";
import { Bodies } from "./execution/bodies.js";
import { type Clock, TimerHeap } from "./clock.js";
import { Commits } from "./execution/commits.js";
import { StenoError } from "./errors.js";
import type { LoggedEvent, SagaEvent } from "./events.js";
import { type Limit, Limits } from "./execution/limits.js";
import { advance } from "./machine.js";
import { type Breakpoint, breakAfter, breakBefore } from "./machine/breakpoints.js";
import { isWanted } from "./machine/outstanding.js";
import { outstandingOf } from "./machine/waiting.js";
import type { Effect } from "./machine/effects.js";
import type { Manifest } from "./manifest.js";
import { type Frame, nodeOf, pathOf, PHASE, type Place, statusOf } from "./state.js";
import type { StoreOwner, StoreRequest, RequestAnswer, Write } from "./stores/store.js";

export interface ExecutorOptions {
  readonly owner: StoreOwner;
  readonly clock: Clock;
  readonly random: () => number;
  /** The run is finished, or stuck, and its log says so durably. */
  readonly onRest: (run: ActiveRun) => void;
  /** Starts the run of a `spawn` node; tells how it ends. */
  readonly spawn: (run: ActiveRun, frame: Frame, index: number) => void;
  readonly watch: (run: ActiveRun, frame: Frame, index: number) => void;
  /** Calls a body, for whoever looks on; `undefined` if nobody does. */
  readonly call: (<T>(attempt: Attempt, body: () => T) => T) | undefined;
  /** Events of a run are durable. */
  readonly onDurable: (run: ActiveRun, events: readonly LoggedEvent[]) => void;
  /** The breakpoints of all runs of its saga. */
  readonly breakpoints: (run: ActiveRun) => readonly Breakpoint[];
  /** The run only waits, for longer than this many milliseconds: its row says so durably. */
  readonly shortWaitMs: number;
  readonly onWait: (run: ActiveRun) => void;
  readonly limits: readonly Limit[];
  readonly warn: (message: string) => void;
  /** The store cannot be written: nothing can go on. */
  readonly onLost: (error: Error) => void;
}

export class Executor {
  readonly clock: Clock;
  readonly random: () => number;
  readonly #options: ExecutorOptions;
  readonly #bodies: Bodies;
  readonly #limits: Limits;
  readonly #retries: TimerHeap<Due>;
  readonly #commits: Commits;
  #closing = false;
  /** What does nothing here is to leave. */
  #handingOver = false;
  #idle: (() => void)[] = [];

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.random = options.random;
    this.#limits = new Limits(
      options.limits,
      ({ run, effect }) => {
        if (!this.#closing) this.#begin(run, effect);
      },
      options.warn,
    );
    this.#bodies = new Bodies(this, options.call);
    const { owner, shortWaitMs, onDurable } = options;
    this.#commits = new Commits({
      ...{ owner, shortWaitMs, onDurable },
      now: () => this.clock.now(),
      act: (due) => this.#act(due),
      onWritten: (runs) => this.#written(runs),
      onRefused: (run) => this.#limits.drop(run),
      onFenced: (run, error) => this.drop(run, error),
      onLost: (error) => {
        this.#retries.clear();
        options.onLost(error);
      },
      onEnd: () => this.#wake(),
    });
    this.#retries = new TimerHeap(options.clock, ({ run, effect }, timer) => {
      run.timers?.delete(timer);
      if (!this.#closing && this.#isStill(run, effect)) this.#begin(run, effect);
    });
  }

  /** Takes a new run; `durable` tells when it is. */
  add(run: ActiveRun, effects: readonly Effect[], events: readonly SagaEvent[]): void {
    for (const event of events) this.#log(run, event);
    this.#follow(run, effects);
  }

  /** Writes a definition with the next commit. */
  define(manifest: Manifest): void {
    this.write({ kind: "define", manifest });
  }

  answer(request: StoreRequest, answer: RequestAnswer): void {
    this.write({ kind: "answer", request: request.id, answer });
  }

  write(write: Write): void {
    this.#commits.write(write);
  }

  /** Resolves when all that has happened so far is durable: to this run, if one is given. */
  durable(run?: ActiveRun): Promise<void> {
    return this.#commits.durable(run);
  }

  /** Something happened to a run, at a place if that is known: records it, and does what follows. */
  record(run: ActiveRun, event: SagaEvent, place?: Place): void {
    if (this.#commits.lost !== undefined || run.refused) return;
    if (run.left) {
      throw new StenoError("internal", `run \`${run.id}\` is not in memory: please report this`);
    }
    this.#follow(run, this.#apply(run, event, place));
  }

  /** Applies an event, and the pause that comes directly after it where a breakpoint says so. */
  #apply(run: ActiveRun, event: SagaEvent, place?: Place): readonly Effect[] {
    const { effects } = advance(run.state, event, place);
    this.#log(run, event);
    const value = breakAfter(run.state, event, this.#options.breakpoints(run));
    if (value !== undefined) {
      const pause = { type: "paused", at: this.clock.now(), value } as const;
      advance(run.state, pause);
      this.#log(run, pause);
    }
    // After the pause: what of a paused run waited is not wanted any more.
    if (run.limited !== undefined && run.limited.size > 0) this.#limits.review(run);
    return effects;
  }

  /**
   * What comes of an effect whose turn it is: what it asks for, or a pause before that; nothing yet
   * where a limit has no room.
   */
  #answer(run: ActiveRun, effect: Effect): SagaEvent | undefined {
    const at = this.clock.now();
    const value = breakBefore(run.state, effect, this.#options.breakpoints(run));
    const event: SagaEvent =
      value === undefined ? answerTo(run, effect, at) : { type: "paused", at, value };
    const { frame, index } = effect;
    const undo = event.type === "undo-started";
    if (!undo && (event.type !== "started" || nodeOf(frame, index).kind !== "action")) {
      // It may have waited for a place, which it does not need now. Who waits for that gets it when this
      // event is recorded: before, it could make of the run what the event does not fit.
      if (index >= 0 && this.#limits.areSet) this.#limits.end(run, pathOf(frame, index));
      return event;
    }
    const inputs = event.type === "started" ? event.value : frame.inputs[index];
    return this.#limits.admit({ run, effect }, undo, inputs) ? event : undefined;
  }

  /** Takes a run that waited, and asks again for all that is outstanding; what is due is done now. */
  resume(run: ActiveRun): void {
    const now = this.clock.now();
    const effects = outstandingOf(run.state).map((effect) =>
      effect.kind === "timer" && effect.dueAt <= now ? { ...effect, dueAt: 0 } : effect,
    );
    this.#follow(run, effects);
    this.touch(run);
  }

  /** Looks at a run again, to see whether it only waits. */
  touch(run: ActiveRun): void {
    if (this.#commits.lost !== undefined || run.refused || run.left) return;
    this.#commits.taint(run);
  }

  /** Starts nothing new from now on. */
  stop(): void {
    this.#closing = true;
    this.#retries.clear();
  }

  /**
   * From now on each of these runs leaves as soon as it does nothing here: at once, or when its bodies
   * have ended and that is durable.
   */
  handOver(runs: Iterable<ActiveRun>): void {
    this.#handingOver = true;
    for (const run of runs) this.touch(run);
  }

  /** Starts nothing new, and resolves when no body runs and everything is written. */
  async close(): Promise<void> {
    this.stop();
    // A store that is lost has nothing left to write, but bodies run on.
    while (
      this.#bodies.running > 0 ||
      (this.#commits.lost === undefined && this.#commits.areBusy)
    ) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    this.#bodies.clear();
  }

  /** A body has ended, and its event is not recorded yet. */
  bodyEnding(attempt: Attempt): void {
    if (this.#limits.areSet) this.#limits.end(attempt.run, attempt.node);
  }

  /** A body has ended, and what follows has begun. */
  bodyEnded(): void {
    this.#limits.fill();
    this.#wake();
  }

  #wake(): void {
    if (this.#idle.length > 0) for (const wake of this.#idle.splice(0)) wake();
  }

  #log(run: ActiveRun, event: SagaEvent): void {
    // The event was made for this: it gets its place in the log, and is not copied.
    (event as { seq?: number }).seq = run.seq++;
    run.unwritten.push(event as LoggedEvent);
    this.#commits.taint(run);
  }

  /** Answers at once what can be; keeps what acts until everything so far is durable. */
  #follow(run: ActiveRun, first: readonly Effect[]): void {
    const queue = [first];
    for (const effects of queue) {
      for (const effect of effects) {
        const event = this.#answerNow(run, effect);
        if (event === undefined) continue;
        const more = this.#apply(run, event, effect);
        if (more.length > 0) queue.push(more);
      }
    }
    this.#limits.fill();
  }

  #answerNow(run: ActiveRun, effect: Effect): SagaEvent | undefined {
    switch (effect.kind) {
      case "start":
      case "skip":
      case "leave":
      case "undo":
        return !this.#closing && isWanted(run.state, effect)
          ? this.#answer(run, effect)
          : undefined;
      case "timer":
        if (effect.dueAt <= 0) {
          return !this.#closing && isWanted(run.state, effect)
            ? this.#answer(run, effect)
            : undefined;
        }
        if (!this.#closing) {
          (run.timers ??= new Set()).add(this.#retries.add(effect.dueAt, { run, effect }));
        }
        return undefined;
      case "call":
      case "call-undo": {
        const instead = failsUncalled(run, effect, this.clock.now());
        if (instead === undefined) this.#commits.actAfter({ run, effect });
        else this.#limits.end(run, pathOf(effect.frame, effect.index));
        return instead;
      }
      default:
        this.#commits.actAfter({ run, effect });
        return undefined;
    }
  }

  /** A timer is still of interest if the node waits for that very time. */
  #isStill(run: ActiveRun, effect: Effect): boolean {
    const { frame, index, dueAt } = effect;
    return isWanted(run.state, effect) && frame.trouble?.dueAt[index] === dueAt;
  }

  #begin(run: ActiveRun, effect: Effect): void {
    const event = this.#answer(run, effect);
    if (event !== undefined) this.record(run, event, effect);
  }

  /** Those that only wait leave. */
  #written(runs: readonly ActiveRun[]): void {
    for (const run of runs) {
      if (run.pending > 0 || run.refused || run.dirty) continue;
      const isLeaving = this.#closing ? this.#handingOver && isIdle(run) : run.onlyWaits;
      if (!isLeaving) continue;
      this.#cancelTimers(run);
      this.#options.onWait(run);
    }
  }

  /** Others go on with all these runs, and answer what was asked of them. */
  lose(runs: Iterable<ActiveRun>, reason: Error): void {
    this.#commits.lose();
    for (const run of runs) this.drop(run, reason);
  }

  /** Another coordinator goes on with the run: its bodies are told to end, and their ends do not count. */
  drop(run: ActiveRun, reason: Error): void {
    run.lost = true;
    run.refused = true;
    this.#limits.drop(run);
    this.#cancelTimers(run);
    for (const attempt of run.attempts.all()) attempt.abort(reason);
  }

  #cancelTimers(run: ActiveRun): void {
    for (const timer of run.timers ?? []) this.#retries.cancel(timer);
    run.timers = undefined;
  }

  #rest(run: ActiveRun): void {
    run.atRest = true;
    if (run.state.finished !== undefined) this.#cancelTimers(run);
    this.#options.onRest(run);
  }

  #act({ run, effect }: Due): void {
    const { kind, frame, index } = effect;
    switch (kind) {
      case "call":
        if (frame.phase[index] !== PHASE.working) {
          this.#limits.release(run, pathOf(frame, index));
          break;
        }
        if (nodeOf(frame, index).kind === "spawn") {
          this.#options.spawn(run, frame, index);
        } else {
          this.#bodies.call(run, frame, index, false);
        }
        break;
      case "call-undo":
        this.#bodies.call(run, frame, index, true);
        break;
      case "watch":
        this.#options.watch(run, frame, index);
        break;
      case "abort":
        this.#bodies.abort(run, effect);
        break;
      case "rest":
        // Something has happened to it since, which is not durable: whoever waits is told when it is.
        if (run.unwritten.length > 0) this.#commits.actAfter({ run, effect });
        else if (isResting(run)) this.#rest(run);
        break;
      default:
    }
  }
}

/** Whether nothing of it is under way, and it is not finished. */
function isIdle({ state }: ActiveRun): boolean {
  return state.finished === undefined && state.inFlight === 0;
}

function isResting({ state }: ActiveRun): boolean {
  return state.finished !== undefined || statusOf(state) === "stuck";
}

/** Whether anything of a run can still move without an operator. */
export function isMoving(run: ActiveRun): boolean {
  const { state } = run;
  if (run.atRest) return false;
  const { paused, inFlight, debugging } = state;
  return paused === undefined || inFlight > 0 || debugging?.stepping !== undefined;
}
