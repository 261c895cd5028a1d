/**
 * The second oracle, second half: what running a saga means, as DESIGN §5 says it, once more and as
 * plainly as possible. It is told how bodies end, in the order in which they ended, and says what
 * must have begun then, whatever came before. It shares no code with the runtime or the compiler.
 *
 * 1. A failure belongs to the innermost `try` around what failed, or to the run. In that scope
 *    nothing new starts; what runs comes to its end.
 * 2. What was done there is undone once everything after it is settled: undone, never ran, or failed
 *    with nothing to undo. "After" is whatever was started by who had waited for it.
 * 3. When all of a scope is settled its handler runs, unless a scope around it has failed.
 * 4. An attempt without an answer is in doubt: it is made again, also while unwinding; but not where
 *    the undo covers it (`started`) or there is none: those need no end when their scope has failed.
 * 5. An undo that fails for good, or a doubt that no attempt is left for, makes the run stuck:
 *    nothing new starts, but for what an operator has freed or a crash has ended.
 * 6. An event is kept until somebody waits for it. A run that is started belongs to nobody: who waits
 *    for its result fails when it does, and stops waiting when it is to be undone.
 */
import {
  type ActionText,
  type Call,
  type End,
  newCall,
  pause,
  Scope,
  type State,
} from "./calls.js";
import { canonical } from "./canonical.js";
import { Handle, type Semantics } from "./expressions.js";
import type { Threads } from "./threads.js";
import { type Surroundings, Waits } from "./waits.js";

/** What must have begun, or been aborted, since it was last asked. */
export interface Begun {
  readonly must: readonly string[];
  /** Where several things happened at once, one of which failed, these may or may not. */
  readonly may: readonly string[];
}

/** One run. */
export class Reference extends Waits implements Semantics<Call, Scope> {
  readonly root = new Scope(undefined);
  readonly calls = new Map<string, Call>();
  readonly actions: ReadonlySet<string>;
  now = 0;
  output: unknown;
  finished: "succeeded" | "undone" | undefined;
  private begun: { readonly text: string; readonly call: Call | undefined }[] = [];
  protected failing: { readonly error: Error; readonly scope: Scope }[] = [];
  /** Something synchronous failed while other things went on: which came first is anybody's. */
  protected torn = false;
  /** Two such failed at the same time: what follows from which was first cannot be told. */
  unclear = false;
  /** Why the program cannot be read. */
  unread: Error | undefined;
  private readonly scopes: Scope[] = [this.root];
  private readonly waiting: (() => void)[] = [];

  private readonly kit: Readonly<Record<string, ActionText>>;

  constructor(
    around: Surroundings,
    /** Undefined: the runtime has given it one of its own. */
    readonly id: string | undefined,
  ) {
    super(around);
    this.kit = around.kit;
    this.actions = new Set(Object.keys(around.kit));
  }

  begins(threads: Threads<Call, Scope>, inClass: string, saga: string, params: unknown): void {
    void threads.run(inClass, saga, params, this.root).then((output) => {
      this.output = output;
      this.finished = "succeeded";
    });
  }

  get stuck(): boolean {
    return this.any((state) => state === "undo-failed" || state === "stuck-in-doubt");
  }

  /** Nothing can happen any more unless an operator does something. */
  get atRest(): boolean {
    if (this.finished !== undefined) return true;
    const isBusy = ({ state, freed }: Call): boolean =>
      ["working", "undo-working"].includes(state) ||
      (freed && ["waiting-to-retry", "in-doubt", "waiting-to-retry-undo"].includes(state));
    return this.stuck && ![...this.calls.values()].some(isBusy);
  }

  // --- what threads ask for

  call(
    method: string,
    inputs: readonly unknown[],
    past: ReadonlySet<Call>,
    scope: Scope,
  ): Handle<Call> {
    const key = String(inputs[0]);
    if (this.calls.has(key)) throw new Error(`${key} is called twice`);
    const all = new Set(past);
    const end = new Promise<{ value: unknown; past: Set<Call> }>((resolve) => {
      const succeed = (value: unknown): void => resolve({ value, past: all });
      const call = newCall({ key, method, inputs, scope, past: new Set(past), succeed });
      all.add(call);
      this.calls.set(key, call);
    });
    return new Handle(end);
  }

  tick(key: string, value: number): number {
    this.begun.push({ text: `tick ${key} ${value}`, call: undefined });
    return this.around.tickOf(key, value);
  }

  fail(error: Error, scope: Scope): Promise<never> {
    this.failing.push({ error, scope });
    return new Promise(() => {});
  }

  giveUp(error: Error): Promise<never> {
    this.unread = error;
    return new Promise(() => {});
  }

  async mayGoOn(scope: Scope): Promise<void> {
    while (this.stuck) await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (scope.over) await new Promise(() => {});
  }

  open(outer: Scope): { readonly scope: Scope; readonly caught: Promise<Error> } {
    const scope = new Scope(outer);
    this.scopes.push(scope);
    return { scope, caught: new Promise((resolve) => (scope.catch = resolve)) };
  }

  *callsIn(scope: Scope): Iterable<Call> {
    for (const call of this.calls.values()) if (call.scope.within(scope)) yield call;
  }

  // --- what happens

  ended(key: string, attempt: number, end: End): void {
    const call = this.calls.get(key);
    // A late answer is of no interest.
    if (call?.state !== "working" || call.attempts !== attempt) return;
    const { scope, attempts, free } = call;
    const policy = (this.kit[call.method] as ActionText).retry;
    const isLeft = attempts - free < policy.attempts;
    if (end.as === "succeeded") {
      call.state = "done";
      call.output = end.output;
      call.freed = false;
      call.succeed(end.output);
    } else if (
      end.as === "failed" ? isLeft && !scope.over : isLeft && !(scope.over && this.endsAnyhow(call))
    ) {
      call.state = end.as === "failed" ? "waiting-to-retry" : "in-doubt";
      call.dueAt = this.now + pause(policy, attempts - free);
    } else if (end.as === "failed" || this.endsAnyhow(call)) {
      this.callFails(call, end.message);
    } else {
      call.state = "stuck-in-doubt";
      call.freed = false;
    }
  }

  undoEnded(key: string, attempt: number, end: "succeeded" | "failed"): void {
    const call = this.calls.get(key);
    if (call?.state !== "undo-working" || call.undos !== attempt) return;
    const policy = (this.kit[call.method] as ActionText).undoRetry;
    const counted = call.undos - call.undoFree;
    if (end === "succeeded") call.state = "undone";
    else if (counted < policy.attempts) {
      call.state = "waiting-to-retry-undo";
      call.dueAt = this.now + pause(policy, counted);
      return;
    } else call.state = "undo-failed";
    call.freed = false;
  }

  /** An operator asks for the run to be undone. */
  unwind(message: string): void {
    this.record(this.root, message);
    this.end(this.root);
  }

  /** The process has died, and another one goes on. */
  crashed(): void {
    const isStuck = this.stuck;
    for (const call of this.calls.values()) {
      if (call.state === "working") {
        call.free += 1;
        if (call.scope.over && this.endsAnyhow(call)) {
          call.state = "failed";
          continue;
        }
        call.state = "in-doubt";
      } else if (call.state === "undo-working") {
        call.undoFree += 1;
        call.state = "queued-undo";
      } else continue;
      call.dueAt = 0;
      call.freed ||= isStuck;
    }
  }

  /** An operator wants a stuck node to be tried again. */
  retry(call: Call): void {
    if (call.state === "undo-failed") {
      call.state = "queued-undo";
      call.undoFree = call.undos;
    } else {
      call.state = "in-doubt";
      call.free = call.attempts;
      call.dueAt = 0;
    }
    call.freed = true;
  }

  /** An operator says that a stuck node is undone. */
  settleStuck(call: Call, message: string): void {
    const inDoubt = call.state === "stuck-in-doubt";
    call.state = "undone";
    if (inDoubt) this.nodeFails(call.scope, message);
  }

  /** What has begun since it was last asked. */
  told(): Begun {
    const optional = ({ call, text }: { text: string; call: Call | undefined }): boolean => {
      // It ended in the same moment: there was nothing to abort.
      if (text.startsWith("abort") && call?.state !== "working") return true;
      return this.torn && (call === undefined || (call.scope.over && !text.startsWith("undo")));
    };
    const must = this.begun.filter((each) => !optional(each)).map(({ text }) => text);
    const may = this.begun.filter(optional).map(({ text }) => text);
    this.begun = [];
    this.torn = false;
    return { must, may };
  }

  /** It was not begun, though it might have been. */
  passedOver(key: string): void {
    const call = this.calls.get(key);
    if (call?.state !== "working") return;
    call.state = "abandoned";
    call.attempts = 0;
  }

  // --- one thing after another

  /** What follows at once; false: nothing does. */
  round(): boolean {
    const before = this.begun.length;
    let moved = false;
    if (!this.stuck && this.waiting.length > 0) {
      for (const go of this.waiting.splice(0)) go();
      moved = true;
    }
    for (const call of this.calls.values()) this.startOrRepeat(call);
    moved = this.goOnWaiting() || moved;
    const failing = this.failing;
    this.failing = [];
    for (const { error, scope } of failing) {
      if (this.torn) this.unclear = true;
      this.torn = true;
      this.nodeFails(scope, error.message);
    }
    // Latest first, so that a chain of what needs no undo is settled in one go.
    for (const call of [...this.calls.values()].reverse()) moved = this.undo(call) || moved;
    for (const scope of this.scopes) moved = this.handle(scope) || moved;
    if (this.root.failed && this.finished === undefined && this.isSettledIn(this.root)) {
      this.finished = "undone";
      // Another run may have waited for it.
      moved = true;
    }
    return moved || failing.length > 0 || this.begun.length > before;
  }

  private startOrRepeat(call: Call): void {
    const { state } = call;
    if (this.stuck && !call.freed) return;
    const isDue = call.dueAt <= this.now;
    if (
      state === "queued-todo" ||
      ((state === "waiting-to-retry" || state === "in-doubt") && isDue)
    ) {
      call.state = "working";
      call.attempts += 1;
      this.begin(
        `act ${call.key} #${call.attempts} ${call.method} ${canonical(given(call.inputs))}`,
        call,
      );
    } else if (state === "queued-undo" || (state === "waiting-to-retry-undo" && isDue)) {
      call.state = "undo-working";
      call.undos += 1;
      this.begin(`undo ${call.key} #${call.undos} ${canonical(call.output)}`, call);
    }
  }

  private begin(text: string, call: Call): void {
    this.begun.push({ text, call });
  }

  protected nodeFails(scope: Scope, message: string): void {
    this.record(scope, message);
    if (!scope.over) this.end(scope);
  }

  private callFails(call: Call, message: string): void {
    call.state = "failed";
    call.freed = false;
    this.nodeFails(call.scope, message);
  }

  /** With the scope that it ends; where several end together, with the outermost. */
  private record(of: Scope, message: string): void {
    let scope = of;
    while (scope.over && scope.outer?.over) scope = scope.outer;
    scope.failures.push(message);
  }

  /** A scope has failed. */
  private end(scope: Scope): void {
    const calls = [...this.callsIn(scope)].filter((call) => !call.scope.over);
    scope.failed = true;
    for (const call of calls) {
      const { state } = call;
      const isCovered = this.endsAnyhow(call);
      if (state === "queued-todo") call.state = "abandoned";
      if (state === "working" && isCovered) this.begin(`abort ${call.key} #${call.attempts}`, call);
      if (state === "waiting-to-retry") this.callFails(call, this.lastOf(call));
      if (state === "in-doubt" && isCovered) {
        call.state = "failed";
        call.freed = false;
      }
    }
  }

  /** The message of the attempt that failed last: they all say the same. */
  private lastOf({ key }: Call): string {
    return `act ${key} fails`;
  }

  private undo(call: Call): boolean {
    const { scope, method, state } = call;
    const { undo } = this.kit[method] as ActionText;
    const isThere = state === "done" || (state === "failed" && undo === "started");
    if (!isThere || !scope.over || !this.isTurnOf(call)) return false;
    call.state = undo === "none" ? "undone" : "queued-undo";
    return true;
  }

  private isTurnOf(call: Call): boolean {
    for (const other of this.calls.values()) {
      if (other.past.has(call) && !this.isSettled(other)) return false;
    }
    return true;
  }

  private isSettled({ state, method }: Call): boolean {
    if (state === "undone" || state === "abandoned") return true;
    return state === "failed" && this.kit[method]?.undo !== "started";
  }

  private isSettledIn(scope: Scope): boolean {
    return [...this.callsIn(scope)].every((call) => this.isSettled(call));
  }

  private handle(scope: Scope): boolean {
    if (scope.outer === undefined || !scope.failed || scope.handled || scope.outer.over)
      return false;
    if (!this.isSettledIn(scope)) return false;
    scope.handled = true;
    scope.catch(new Error(scope.failures[0]));
    return true;
  }

  /** Whether how it ends is of no interest to who undoes it. */
  private endsAnyhow({ method }: Call): boolean {
    return this.kit[method]?.undo !== "done";
  }

  private any(holds: (state: State) => boolean): boolean {
    return [...this.calls.values()].some(({ state }) => holds(state));
  }
}

/** What is left out at the end of a call is no input. */
function given(inputs: readonly unknown[]): readonly unknown[] {
  return inputs.slice(0, inputs.findLastIndex((each) => each !== undefined) + 1);
}
