/**
 * The reference, what a run waits for that is no call: sleeps, events, runs that it has started. An
 * event is kept until somebody waits for it. While the run is stuck nothing of this goes on.
 */
import type { ActionText, Call, Scope, Spawn, SpawnedRun, Wait } from "./calls.js";
import { Handle } from "./expressions.js";

/** What runs are given: their code, and each other. */
export interface Surroundings {
  readonly kit: Readonly<Record<string, ActionText>>;
  tickOf(key: string, value: number): number;
  /** Starts another run. */
  start(inClass: string, saga: string, params: unknown, id: string | undefined): SpawnedRun;
}

export abstract class Waits {
  private readonly waits: Wait[] = [];
  private readonly spawns: Spawn[] = [];
  private readonly mailbox = new Map<string, unknown[]>();

  constructor(protected readonly around: Surroundings) {}

  abstract readonly now: number;
  abstract readonly stuck: boolean;
  /** Which of several things came first cannot be told. */
  abstract unclear: boolean;
  protected abstract readonly torn: boolean;
  protected abstract readonly failing: readonly unknown[];
  protected abstract nodeFails(scope: Scope, message: string): void;

  sleep(duration: string, past: ReadonlySet<Call>, scope: Scope): Handle<Call> {
    return this.waitFor(undefined, Number.parseInt(duration, 10) * 1000, past, scope);
  }

  event(
    name: string,
    within: string | undefined,
    past: ReadonlySet<Call>,
    scope: Scope,
  ): Handle<Call> {
    const minutes = within === undefined ? Infinity : Number.parseInt(within, 10);
    return this.waitFor(name, minutes * 60_000, past, scope);
  }

  private waitFor(
    event: string | undefined,
    durationMs: number,
    past: ReadonlySet<Call>,
    scope: Scope,
  ): Handle<Call> {
    return Handle.of(past, (succeed) =>
      this.waits.push({ scope, event, durationMs, dueAt: undefined, over: false, succeed }),
    );
  }

  start(
    [inClass, saga]: readonly [inClass: string, saga: string],
    { params, id, wait }: { params: unknown; id: string | undefined; wait: boolean },
    past: ReadonlySet<Call>,
    scope: Scope,
  ): Handle<Call> {
    return Handle.of(past, (succeed) => {
      const begin = (): SpawnedRun => this.around.start(inClass, saga, params, id);
      const answer = wait ? undefined : { value: id };
      this.spawns.push({ scope, begin, run: undefined, id: answer, over: false, succeed });
    });
  }

  /** Somebody sends an event. */
  receive(event: string, payload: unknown): void {
    this.mailbox.set(event, [...(this.mailbox.get(event) ?? []), payload]);
  }

  /** Whether something that was waited for is there. */
  protected goOnWaiting(): boolean {
    let moved = false;
    for (const wait of this.waits) moved = this.wait(wait) || moved;
    for (const spawn of this.spawns) moved = this.spawn(spawn) || moved;
    return moved;
  }

  private wait(wait: Wait): boolean {
    const { scope, event, durationMs } = wait;
    if (wait.over || scope.over || this.stuck) return false;
    const mail = event === undefined ? undefined : this.mailbox.get(event);
    const hasMail = mail !== undefined && mail.length > 0;
    wait.dueAt ??= this.now + durationMs;
    if (!hasMail && wait.dueAt > this.now) return false;
    wait.over = true;
    if (event === undefined || hasMail) wait.succeed(mail?.shift());
    else this.nodeFails(scope, `no event \`${event}\` was received in ${durationMs} ms`);
    return true;
  }

  private spawn(spawn: Spawn): boolean {
    const { scope, run, id } = spawn;
    if (spawn.over || scope.over || this.stuck) return false;
    if (run === undefined) {
      // Which came first, this or the failure, is anybody's.
      if (this.failing.length > 0 || this.torn) this.unclear = true;
      spawn.run = spawn.begin();
      spawn.over = id !== undefined;
      if (id !== undefined) spawn.succeed(id.value);
      return true;
    }
    if (run.finished === undefined) return false;
    spawn.over = true;
    if (run.finished === "succeeded") spawn.succeed(run.output);
    else this.nodeFails(scope, `a run failed: ${run.root.failures[0]}`);
    return true;
  }
}
