/**
 * What people do to runs at any moment, from the process that has the store and from others. What
 * they were told is done must be durable; what they are told else must be a clear error.
 */
import { type Coordinator, type Run, StenoError, type Store } from "steno-runtime";
import { needsOperator } from "../../runtime/machine/by-operator.js";
import { nodeOf, PHASE, pathOf, type RunState } from "../../runtime/state.js";
import type { Choose } from "./random.js";
import type { Definition } from "./sagas.js";
import type { Truth } from "./truth.js";

interface Asked {
  readonly request: number;
  readonly run: string | undefined;
  /** What is in the log if it was done. */
  readonly token: string | undefined;
}

export class Operator {
  /** Runs whose start was acknowledged, or may have been made. */
  readonly started = new Set<string>();
  readonly asked: Asked[] = [];
  /** Starts without an answer yet; of a process that has ended, there comes none. */
  readonly starting = new Set<string>();
  /** The ends of runs that somebody waited for. */
  readonly results: number[] = [];
  readonly #choose: Choose;
  readonly #truth: Truth;
  readonly #store: Store;
  /** Whether errors, undo errors and repeats are injected. */
  injects: boolean;
  #tokens = 0;
  #breakpoints = new Set<string>();

  constructor(choose: Choose, truth: Truth, store: Store, injects: boolean) {
    this.#choose = choose;
    this.#truth = truth;
    this.#store = store;
    this.injects = injects;
  }

  /** Starts a run, or the same again. */
  start(coordinator: Coordinator, id: string, main: Definition): void {
    const paused = this.#choose(8) === 0;
    this.starting.add(id);
    this.#watch(`start of ${id}`, async () => {
      const asked = coordinator.start(main, { id }, { id, paused });
      const run = await asked.finally(() => this.starting.delete(id));
      this.started.add(id);
      this.#truth.check(
        this.#truth.runs.has(id) || this.#truth.removed.has(id),
        `the start of run ${id} was acknowledged, and it is not durable`,
      );
      await this.#result(run);
    });
  }

  async #result(run: Run): Promise<void> {
    const { id } = run;
    const end = await run.result().then(
      (output) => ({ status: "succeeded", output }),
      (error: StenoError) => ({ status: error.code, output: undefined }),
    );
    if (this.#truth.removed.has(id)) return;
    const row = this.#truth.runs.get(id)?.row;
    if (end.status === "saga-failed") {
      this.#truth.check(
        row?.status === "undone",
        `run ${id} failed for its caller, and is ${row?.status}`,
      );
    } else if (end.status === "succeeded") {
      const same = row?.output === JSON.stringify(end.output);
      this.#truth.check(same && row?.status === "succeeded", `run ${id} gave what is not durable`);
    } else {
      this.#known(`the result of ${id}`, end.status);
    }
  }

  /** One command, chosen for a run that is there. */
  command(coordinator: Coordinator): void {
    const ids = [...this.#truth.runs.keys()];
    const id = ids[this.#choose(ids.length || 1)];
    const which = this.#choose(15);
    if (which === 0) {
      this.#watch("prune", () => coordinator.prune({ keep: this.#choose(3) }));
      return;
    }
    if (which === 14 && this.#choose(3) === 0) this.#watch("drain", () => coordinator.drain());
    if (id === undefined) return;
    if (which === 1) this.#sagaBreakpoint(coordinator, id);
    else if (which === 2) this.#watch("look", () => this.#look(coordinator, id));
    else if (which < 7) this.#watch("request", () => this.#request(id));
    else this.#watch(`command ${which}`, () => this.#byHandle(coordinator, id, which));
  }

  #sagaBreakpoint(coordinator: Coordinator, id: string): void {
    const node = this.#node(id);
    if (node === undefined) return;
    const at = this.#choose(2) === 0 ? "before" : "after";
    this.#breakpoints.add(`${at} ${node}`);
    this.#watch("saga breakpoint", () => coordinator.setBreakpoint("Main", { node, at }));
  }

  async #look(coordinator: Coordinator, id: string): Promise<void> {
    const run = await coordinator.run(id);
    await run?.status();
    await coordinator.runs({ status: "running" });
  }

  /** A node of the run, of any graph that has begun. */
  #node(id: string): string | undefined {
    const frames = this.#truth.runs.get(id)?.state?.frames ?? [];
    const frame = frames[this.#choose(frames.length || 1)];
    const { length = 0 } = frame?.plan.nodes ?? [];
    return frame === undefined || length === 0 ? undefined : pathOf(frame, this.#choose(length));
  }

  #stuck(id: string): string | undefined {
    const state = this.#truth.runs.get(id)?.state;
    return state === undefined ? undefined : nodesToFree(state)[0]?.node;
  }

  async #byHandle(coordinator: Coordinator, id: string, which: number): Promise<void> {
    const run = await coordinator.run(id);
    if (run === undefined) return;
    const token = `token-${this.#tokens++}`;
    const stuck = this.#stuck(id);
    let isLogged = true;
    if (stuck !== undefined && which < 10) await run.retry(stuck, token);
    else if (stuck !== undefined && which < 12) await run.settle(stuck, token);
    else if (which === 7) await run.send(`e${this.#choose(2)}`, token);
    else if (which === 8 && this.#choose(4) === 0) await run.unwind(token);
    else isLogged = false;
    if (which === 13 && this.injects) await this.#inject(run, token);
    if (isLogged) {
      const isThere =
        this.#truth.holds(id, token) || this.#truth.runs.get(id)?.state?.unwinding === true;
      this.#truth.check(isThere, `what was acknowledged for run ${id} (${token}) is not durable`);
      return;
    }
    const node = this.#node(id) ?? "";
    const at = this.#choose(2) === 0 ? "before" : "after";
    if (which === 9) await run.pause(token);
    else if (which === 10 || which === 11) await run.step();
    else if (which === 12) await run.resume();
    else if (this.#choose(2) === 0) await run.setBreakpoint({ node, at });
    else await run.clearBreakpoint({ node, at });
  }

  async #inject(run: Run, token: string): Promise<void> {
    const node = this.#node(run.id) ?? "";
    const which = this.#choose(4);
    const injected =
      which === 0
        ? { error: token }
        : which === 1
          ? { undoError: token }
          : { repeat: which === 2 ? 2 : { undo: 2 } };
    if (which > 1) this.#truth.repeated(run.id, node);
    await run.inject({ node, ...injected, reason: token });
    const isThere = this.#truth.holds(run.id, token);
    this.#truth.check(isThere, `what was injected in run ${run.id} (${token}) is not durable`);
  }

  /** As the command line does, from another process. */
  async #request(id: string): Promise<void> {
    const token = `token-${this.#tokens++}`;
    const stuck = this.#stuck(id);
    const which = this.#choose(6);
    const [command, args, logged] =
      stuck !== undefined
        ? ["retry", { node: stuck, reason: token }, true]
        : which < 3
          ? ["send", { event: `e${this.#choose(2)}`, payload: token }, true]
          : which === 3
            ? ["resume", {}, false]
            : which === 4
              ? ["step", {}, false]
              : ["drain", { clear: true }, false];
    const run = command === "drain" ? undefined : id;
    const reader = await this.#store.reader();
    const request = await reader.request(command as string, run, JSON.stringify(args));
    await reader.close();
    this.asked.push({ request, run, token: logged === true ? token : undefined });
  }

  /** What may fail, but only with an error that says what to do. */
  #watch(what: string, act: () => Promise<unknown>): void {
    act().catch((error: unknown) => {
      if (this.#truth.violation !== undefined) return;
      const { code } = error as StenoError;
      try {
        this.#truth.check(
          error instanceof StenoError,
          `${what}: ${(error as Error).stack ?? String(error)}`,
        );
        this.#known(`${what} (${(error as Error).message})`, code);
      } catch {
        // It is noted.
      }
    });
  }

  #known(what: string, code: string): void {
    this.#truth.check(code !== "internal", `${what}: an internal error`);
    this.#truth.check(code !== "corrupt-log", `${what}: the log is taken for damaged`);
  }

  /** All that was asked from elsewhere has one answer, and what was done is durable. */
  checkAnswers(): void {
    for (const { request, run, token } of this.asked) {
      const answer = this.#truth.answers.get(request);
      this.#truth.check(answer !== undefined, `request ${request} was never answered`);
      if (!answer.ok) this.#known(`request ${request} (${answer.message})`, answer.code);
      else if (run !== undefined && token !== undefined) {
        this.#truth.check(
          this.#truth.holds(run, token),
          `request ${request} was answered, and what it asked of run ${run} is not durable`,
        );
      }
    }
  }

  /** Does what is needed for all runs to come to their ends. */
  help(coordinator: Coordinator): void {
    for (const text of this.#breakpoints) {
      const at = text.startsWith("before") ? "before" : "after";
      const node = text.slice(at.length + 1);
      this.#watch("clear", () => coordinator.clearBreakpoint("Main", { node, at }));
    }
    this.#breakpoints.clear();
    for (const [id, { state }] of this.#truth.runs) {
      if (state === undefined || state.finished !== undefined) continue;
      this.#watch(`help for ${id}`, () => this.#free(coordinator, id, state));
    }
  }

  async #free(coordinator: Coordinator, id: string, state: RunState): Promise<void> {
    const run = await coordinator.run(id);
    if (run === undefined) return;
    for (const point of state.debugging?.breakpoints ?? []) {
      const at = point.startsWith("before") ? "before" : "after";
      await run.clearBreakpoint({ node: point.slice(at.length + 1), at });
    }
    if (state.paused !== undefined) await run.resume();
    for (const { node, settle } of nodesToFree(state)) {
      if (settle === undefined || this.#choose(3) === 0) await run.retry(node, "help");
      else await run.settle(node, "help", settle);
    }
    for (const event of waitedFor(state)) await run.send(event, "help");
  }
}

interface ToFree {
  readonly node: string;
  /** What it can be said to have come to: absent for an undo. */
  readonly settle: { readonly output: unknown } | undefined;
}

/** The nodes that wait for an operator. */
export function nodesToFree(state: RunState): ToFree[] {
  const found: ToFree[] = state.heldResult === undefined ? [] : [{ node: "", settle: undefined }];
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      if (!needsOperator(frame, index)) continue;
      const node = nodeOf(frame, index);
      const output = node.kind === "decision" ? node.arms[0] : node.kind === "map" ? [] : "given";
      const settle = frame.phase[index] === PHASE.undoFailed ? undefined : { output };
      found.push({ node: pathOf(frame, index), settle });
    }
  }
  return found;
}

function waitedFor(state: RunState): string[] {
  const found = new Set<string>();
  for (const frame of state.frames) {
    for (let index = 0; index < frame.phase.length; index++) {
      const node = nodeOf(frame, index);
      if (node.kind === "event" && frame.phase[index] === PHASE.waiting)
        found.add(node.target ?? "");
    }
  }
  return [...found];
}
