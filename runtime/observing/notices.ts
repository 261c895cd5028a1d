/**
 * Tells the host which runs need an operator, and why: when it is durable, and again for each when a
 * coordinator takes it over, since the one before may have died before it told. It changes no run.
 */
import type { ActiveRun } from "../execution/active-run.js";
import type { LoggedEvent } from "../events.js";
import { stuckNodes } from "../reading/history.js";
import type { Log } from "./log.js";
import type { Observers } from "./observing.js";
import type { PausedRun, PauseReason } from "../options.js";
import { sagaFailure } from "../codec/recorded-error.js";
import { PHASE, placeOf } from "../state.js";

export class Notices {
  readonly #log: Log;
  readonly #observers: Pick<Observers, "stuck">;
  readonly #onPaused: ((run: PausedRun) => unknown) | undefined;

  constructor(
    log: Log,
    onPaused: ((run: PausedRun) => unknown) | undefined,
    observers: Pick<Observers, "stuck">,
  ) {
    this.#log = log;
    this.#onPaused = onPaused;
    this.#observers = observers;
  }

  /** Events of a run have become durable. */
  durable(run: ActiveRun, events: readonly LoggedEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case "created":
          this.#log.info(`run \`${run.id}\` has started`, fieldsOf(run));
          break;
        case "paused":
          if (event.value === '"crash-loop"') this.#tellCrashLoop(run, false);
          break;
        case "failure-held":
        case "undo-failed":
        case "in-doubt":
          this.#tellNode(run, event);
          break;
        case "succeeded":
          if (event.node === "") this.#log.info(`run \`${run.id}\` has succeeded`, fieldsOf(run));
          break;
        default:
      }
    }
    if (run.state.finished === "undone" && run.unwritten.length === 0) this.#tellUndone(run);
  }

  /** A run that another coordinator left: what needs an operator still does. */
  recovered(run: ActiveRun): void {
    if (run.state.paused === '"crash-loop"') this.#tellCrashLoop(run, true);
    if (run.state.stuck === 0) return;
    for (const { node, attempt, error } of stuckNodes(run.state, run.loaded.errors)) {
      this.#tell(run, { reason: reasonAt(run, node), node, attempt, error, recovered: true });
    }
  }

  #tellNode(
    run: ActiveRun,
    event: Extract<LoggedEvent, { type: "failure-held" | "undo-failed" | "in-doubt" }>,
  ): void {
    if (event.type === "in-doubt" && event.dueAt !== undefined) return;
    const { node, attempt } = event;
    const { error } = sagaFailure({ node, attempt, error: event.value }, run.loaded.errors);
    if (event.type !== "in-doubt") {
      const reason = event.type === "undo-failed" ? "undo-failed" : "action-failed";
      this.#tell(run, { reason, node, attempt, error, recovered: false });
      return;
    }
    // Other doubts count as failures, and need nobody.
    const { frame, index } = placeOf(run.state, node);
    if (frame.phase[index] !== PHASE.doubtStuck) return;
    this.#tell(run, { reason: "in-doubt", node, attempt, error, recovered: false });
  }

  #tellCrashLoop(run: ActiveRun, recovered: boolean): void {
    this.#tell(run, { reason: "crash-loop", node: "", attempt: 0, error: undefined, recovered });
  }

  #tell(run: ActiveRun, what: Omit<PausedRun, "id" | "saga">): void {
    const { reason, node, attempt, error } = what;
    this.#observers.stuck(run, reason, node);
    const where = node === "" ? "" : ` at node \`${node}\``;
    const why = error === undefined ? "" : `: ${error.message}`;
    const message = `run \`${run.id}\` needs an operator (${reason})${where}${why}`;
    // Of a crash loop that begins, whoever pauses the run says more.
    if (reason !== "crash-loop" || what.recovered) {
      this.#log.error(message, { ...fieldsOf(run), reason, node, attempt, err: error });
    }
    try {
      const told = this.#onPaused?.({ id: run.id, saga: run.loaded.manifest.name, ...what });
      // A hook may be async: that it fails is said, and does no harm.
      Promise.resolve(told).catch((thrown: unknown) => this.#tellFailed(run, thrown));
    } catch (thrown) {
      this.#tellFailed(run, thrown);
    }
  }

  #tellFailed(run: ActiveRun, thrown: unknown): void {
    this.#log.warn(`onPaused failed for run \`${run.id}\`: ${String(thrown)}`, fieldsOf(run));
  }

  #tellUndone(run: ActiveRun): void {
    // To bring an error back costs as much as a few actions.
    if (!this.#log.tellsInfo) return;
    const [first] = run.state.failures;
    const failure = first && sagaFailure(first, run.loaded.errors);
    const said = failure === undefined ? "" : `: ${failure.error.message}`;
    const fields = { ...fieldsOf(run), node: failure?.node, err: failure?.error };
    this.#log.info(`run \`${run.id}\` is undone${said}`, fields);
  }
}

function reasonAt({ state }: ActiveRun, node: string): PauseReason {
  if (node === "") return "action-failed";
  const { frame, index } = placeOf(state, node);
  const phase = frame.phase[index];
  if (phase === PHASE.undoFailed) return "undo-failed";
  return phase === PHASE.held ? "action-failed" : "in-doubt";
}

function fieldsOf({ id, loaded }: ActiveRun): { readonly run: string; readonly saga: string } {
  return { run: id, saga: loaded.manifest.name };
}
