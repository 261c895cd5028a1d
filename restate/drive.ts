/**
 * Drives one run: it answers the machine's effects within Restate's replayed handler. All that is not
 * pure comes out of the journal, one thing after the other: how bodies end, what is computed, what the
 * clock says, what operators want, and which of these came first. So the same handler, begun anew,
 * comes to the same state; users' code is called within what is journaled, and nowhere else.
 */
import type { internal, RestatePromise, WorkflowContext } from "@restatedev/restate-sdk";
import { StenoError } from "steno-runtime";
import {
  type ActiveRun,
  advance,
  answerTo,
  Attempt,
  breakAfter,
  breakBefore,
  crashesOfNode,
  type Effect,
  eventOf,
  eventOfOutcome,
  failsUncalled,
  failureOf,
  isWanted,
  type LoadedSaga,
  type LoggedEvent,
  type NewRun,
  newRun,
  nodeOf,
  type Outcome,
  parseArguments,
  pathOf,
  PHASE,
  recordError,
  type SagaEvent,
  statusOf,
} from "steno-runtime/host";
import type { Bodies } from "./bodies.js";
import { isImpure } from "./impure.js";
import { Journal } from "./journal.js";
import {
  type Answer,
  answerPromise,
  type Beginning,
  type Command,
  commandPromise,
  COMMANDS,
  ENDED,
  type Ending,
  MOVES,
  restPromise,
  type Start,
} from "./protocol.js";
import { tooLong } from "./sizes.js";
import type { Spawns } from "./spawns.js";

export interface DriveOptions {
  readonly bodies: Bodies;
  readonly spawns: Spawns;
  readonly crashLimit: number;
  readonly warn: (message: string) => void;
}

export class Drive {
  readonly journal: Journal;
  readonly #options: DriveOptions;
  readonly #run: ActiveRun;
  readonly #first: NewRun;
  #now: number;
  #acting: Effect[] = [];
  #commands = 0;
  #moves = 0;

  constructor(
    ctx: WorkflowContext,
    options: DriveOptions,
    loaded: LoadedSaga,
    start: Start,
    begun: Beginning,
  ) {
    this.journal = new Journal(ctx, () => options.bodies.mayGoOn());
    this.#options = options;
    this.#now = begun.at;
    const { params, paused = false } = start;
    this.#first = newRun(loaded, params, ctx.key, begun.at, paused, begun.nonce);
    this.#run = this.#first.run;
    this.#run.byMethods = true;
  }

  /** Milliseconds since the epoch: what was read last. */
  get now(): number {
    return this.#now;
  }

  /** Goes on until the run is finished. */
  async toEnd(): Promise<Ending> {
    const { state } = this.#run;
    for (const event of this.#first.events) this.#log(event);
    this.#listen();
    this.#heedCancellation();
    await this.#follow(this.#first.effects);
    while (state.finished === undefined) await this.journal.next();
    const { failures, finished: status } = state;
    const { name: saga, hash } = this.#run.loaded.manifest;
    const ending: Ending = { status, saga, hash, failures };
    await this.journal.ctx.promise<Ending>(ENDED).resolve(ending);
    return ending;
  }

  /** Something happened to the run: does what follows, and keeps the log. */
  async record(event: SagaEvent): Promise<void> {
    await this.#follow(this.#apply(event));
  }

  /** The time now. */
  async read(): Promise<number> {
    this.#now = Math.max(this.#now, await this.journal.ctx.run("clock", () => Date.now()));
    return this.#now;
  }

  /** An event that is not a pure function of what is recorded, or need not be the same in another version. */
  async decide(name: string, make: () => SagaEvent): Promise<SagaEvent> {
    const event = await this.journal.ctx.run(name, make);
    this.#now = Math.max(this.#now, event.at);
    return event;
  }

  #log(event: SagaEvent): void {
    (event as { seq?: number }).seq = this.#run.seq++;
    this.#run.unwritten.push(event as LoggedEvent);
  }

  /** Applies an event, and the pause that comes directly after it where a breakpoint says so. */
  #apply(event: SagaEvent): readonly Effect[] {
    const { state } = this.#run;
    const { effects } = advance(state, event);
    this.#log(event);
    const value = breakAfter(state, event, []);
    if (value !== undefined) {
      const pause = { type: "paused", at: this.#now, value } as const;
      advance(state, pause);
      this.#log(pause);
    }
    return effects;
  }

  /** Answers what can be at once, keeps the log, and acts. */
  async #follow(first: readonly Effect[]): Promise<void> {
    const queue: Effect[] = [...first];
    for (let next = 0; next < queue.length; next++) {
      const event = await this.#answer(queue[next] as Effect);
      if (event === undefined) continue;
      for (const each of this.#apply(event)) queue.push(each);
    }
    this.journal.write(this.#run, this.#now);
    const acting = this.#acting.splice(0);
    // What starts is durable before it is called, and who is to call it.
    const calls = acting.some(({ kind }) => kind === "call" || kind === "call-undo");
    const { bodies } = this.#options;
    const by = calls ? await this.journal.ctx.run("start", () => bodies.process) : "";
    for (const effect of acting) this.#act(effect, by);
  }

  async #answer(effect: Effect): Promise<SagaEvent | undefined> {
    switch (effect.kind) {
      case "start":
      case "skip":
      case "leave":
      case "undo":
        return this.#answerNow(effect);
      case "timer":
        if (effect.dueAt <= 0) return this.#answerNow(effect);
        this.#sleep(effect);
        return undefined;
      case "call":
      case "call-undo": {
        const instead = failsUncalled(this.#run, effect, this.#now);
        if (instead === undefined) this.#acting.push(effect);
        return instead;
      }
      default:
        this.#acting.push(effect);
        return undefined;
    }
  }

  async #answerNow(effect: Effect): Promise<SagaEvent | undefined> {
    const run = this.#run;
    if (!isWanted(run.state, effect)) return undefined;
    const value = breakBefore(run.state, effect, []);
    if (value !== undefined) return { type: "paused", at: this.#now, value };
    const name = effect.index < 0 ? run.loaded.manifest.name : pathOf(effect.frame, effect.index);
    if (isImpure(effect)) {
      return this.decide(name, () => this.#eventFor(effect, Math.max(this.#now, Date.now())));
    }
    const event = this.#eventFor(effect, this.#now);
    // The stack of an error is another in each process.
    const fails = event.type === "failed" || event.type === "failure-held";
    return fails ? this.decide(`failure of ${name}`, () => event) : event;
  }

  /** What answers an effect, if Restate can keep it. */
  #eventFor(effect: Effect, at: number): SagaEvent {
    const { frame, index } = effect;
    const run = this.#run;
    const event = answerTo(run, effect, at);
    const what =
      "node" in event && event.node !== "" ? `what is stored of \`${event.node}\`` : "the result";
    const wrong = tooLong(what, "value" in event ? event.value : undefined);
    if (wrong === undefined) return event;
    const { node = "", attempt = 1 } = event as {
      readonly node?: string;
      readonly attempt?: number;
    };
    return failureOf(run.state, frame, index, { at, node, attempt, value: recordError(wrong) });
  }

  #act(effect: Effect, by: string): void {
    const { kind, frame, index } = effect;
    const run = this.#run;
    switch (kind) {
      case "call":
        if (frame.phase[index] !== PHASE.working) return;
        if (nodeOf(frame, index).kind === "spawn") this.#options.spawns.begin(this, run, effect);
        else this.#call(effect, by);
        break;
      case "call-undo":
        this.#call(effect, by);
        break;
      case "watch":
        this.#options.spawns.watch(this, run, effect);
        break;
      case "abort":
        this.#abort(effect);
        break;
      case "rest":
        if (run.state.finished !== undefined || statusOf(run.state) === "stuck") this.#rest();
        break;
      default:
    }
  }

  #call({ kind, frame, index }: Effect, by: string): void {
    const undo = kind === "call-undo";
    const number = (undo ? frame.unwinding?.attempt : frame.attempt)?.[index] ?? 0;
    const run = this.#run;
    const { bodies } = this.#options;
    const attempt = new Attempt(run, frame, index, number, undo);
    const key = `${undo ? "undo" : "call"} ${attempt.node} #${number}`;
    run.attempts.add(attempt);
    const called = this.journal.ctx.run(key, () => bodies.call(attempt, by));
    this.journal.wait(key, called, async (ended) => {
      run.attempts.remove(attempt);
      bodies.forget(attempt);
      this.#now = Math.max(this.#now, ended.at);
      if ("lost" in ended) await this.#lost(attempt);
      else await this.record(await this.#eventOf(attempt, ended.outcome, ended.random));
    });
  }

  async #eventOf(attempt: Attempt, outcome: Outcome, random: number): Promise<SagaEvent> {
    const make = (): SagaEvent => eventOfOutcome(attempt, outcome, this.#now, () => random);
    // Policies may be others in another version: what was decided once is decided.
    return outcome.as === "succeeded" ? make() : this.decide(`end of ${attempt.node}`, make);
  }

  /** An attempt has ended with its process. */
  async #lost(attempt: Attempt): Promise<void> {
    const { id, state } = this.#run;
    const { crashLimit, warn } = this.#options;
    const at = this.#now;
    const crashes = crashesOfNode(attempt) + 1;
    // The limit may be another in another version.
    const isTooMany = await this.journal.ctx.run("crashes", () => crashes >= crashLimit);
    if (isTooMany && state.paused === undefined) {
      warn(`run \`${id}\` is paused: its attempts ended with the process ${crashLimit} times`);
      await this.record({ type: "paused", at, value: '"crash-loop"' });
    }
    await this.record({ type: "lost", at, node: attempt.node, attempt: attempt.attempt });
  }

  #abort(effect: Effect): void {
    const attempt = this.#run.attempts.get(effect);
    if (attempt === undefined || attempt.undo) return;
    const reason = new StenoError("unwinding", `saga \`${this.#run.id}\` unwinds: stop and throw`);
    this.#options.bodies.abort(attempt, reason);
  }

  #sleep(effect: Effect): void {
    const { frame, index, dueAt } = effect;
    const key = `timer ${pathOf(frame, index)} ${dueAt}`;
    if (this.journal.isWaiting(key)) return;
    // By the clock now, and not by the last reading: the time in the journal is the one that counts.
    const left = Math.max(dueAt - Date.now(), 0);
    this.journal.wait(key, this.journal.ctx.sleep(left, key) as RestatePromise<void>, async () => {
      await this.read();
      this.#now = Math.max(this.#now, dueAt);
      if (frame.trouble?.dueAt[index] !== dueAt) return;
      const event = await this.#answerNow(effect);
      if (event !== undefined) await this.record(event);
    });
  }

  /** Takes the next command, and answers it. */
  #listen(): void {
    const place = this.#commands;
    const { ctx } = this.journal;
    const come = ctx.promise<Command>(commandPromise(place)).get();
    this.journal.wait(`command ${place}`, come, async (command) => {
      this.#commands = place + 1;
      ctx.set(COMMANDS, this.#commands);
      this.#listen();
      await this.read();
      const answer = await this.#obey(command);
      // Resolved by nobody else.
      await ctx.promise<Answer>(answerPromise(place)).resolve(answer);
    });
  }

  async #obey({ command, args }: Command): Promise<Answer> {
    let event: SagaEvent | undefined;
    try {
      event = eventOf(this.#run, command, parseArguments(args), this.#now);
    } catch (error) {
      // Anything else is a bug, which must not be taken for an answer.
      if (!(error instanceof StenoError)) throw error;
      return { ok: false, code: error.code, message: error.message };
    }
    if (event === undefined) return { ok: true };
    await this.record(event);
    this.#move();
    return event.type === "stepped"
      ? { ok: true, value: JSON.stringify({ node: event.node }) }
      : { ok: true };
  }

  /** Who cancels the invocation in Restate wants its work undone. */
  #heedCancellation(): void {
    const ctx = this.journal.ctx as unknown as internal.ContextInternal;
    this.journal.wait("cancellation", ctx.cancellation(), async () => {
      this.#heedCancellation();
      await this.read();
      const args = JSON.stringify({ reason: "cancelled in Restate" });
      const answer = await this.#obey({ command: "unwind", args });
      if (!answer.ok) this.#options.warn(answer.message);
    });
  }

  /** The run rests: tells whoever waits for that. */
  #rest(): void {
    this.#run.atRest = true;
    void this.journal.ctx.promise(restPromise(this.#moves)).resolve(null);
  }

  /** After a command: a run that was stuck may move again. */
  #move(): void {
    const run = this.#run;
    if (!run.atRest || run.state.finished !== undefined || statusOf(run.state) === "stuck") return;
    run.atRest = false;
    this.#moves += 1;
    this.journal.ctx.set(MOVES, this.#moves);
  }
}
