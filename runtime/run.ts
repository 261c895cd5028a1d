/** A handle of one run: what `start()` and `run()` of a coordinator give. */
import type { ActiveRun } from "./execution/active-run.js";
import { decode } from "./codec.js";
import type { Codec } from "./codec/codec.js";
import { put } from "./codec/codec.js";
import { json } from "./codec/json.js";
import type { AnyNodes, NodePath } from "./definition.js";
import type { NodeCodecs } from "./codec/node-codecs.js";
import type { CommandArguments } from "./control.js";
import type { BreakpointPlace } from "./operating/debugging.js";
import {
  type FailedWith,
  SagaFailedError,
  SagaStuckError,
  StenoError,
  type StuckWith,
} from "./errors.js";
import { damagedRow, foldLog, type NodeStatus, outcomeOf, statusTree } from "./reading/history.js";
import type { Injection } from "./operating/inject.js";
import { makePlan } from "./machine/plan.js";
import type { ErrorClasses } from "./codec/recorded-error.js";
import { type Manifest, parseManifest } from "./manifest.js";
import { recordsOf } from "./reading/node-records.js";
import { type Hold, holdsOf, missingOf, reasonOf } from "./operating/reasons.js";
import type { UnrecoveredRun } from "./execution/recovery.js";
import { runPruned } from "./operating/retention.js";
import { type Source, watchRun, type WatchOptions } from "./reading/watching.js";
import type { LoggedEvent } from "./events.js";
import type { Started } from "./execution/starter.js";
import { PHASE, type RunState, statusOf } from "./state.js";
import type { RunRow, RunStatus, StoreReader } from "./stores/store.js";

/** Where a run is, with the states of its nodes. */
export interface RunReport {
  readonly id: string;
  readonly saga: string;
  readonly status: RunStatus;
  /** Why it is not moving, machine-readable. */
  readonly reason: string | undefined;
  /** All that holds it, or parts of it while others move; none of one that is finished. */
  readonly holds: readonly Hold[];
  readonly nodes: readonly NodeStatus[];
}

/** What a handle needs of its coordinator. */
export interface RunHost {
  /** @throws StenoError when the coordinator is closed. */
  reader(): StoreReader;
  /** Where a log can be had without its long values, which say nothing of where a run is. */
  briefReader?(): Pick<StoreReader, "events">;
  active(id: string, nonce: string): ActiveRun | undefined;
  /** Why a run that is not finished cannot go on here, if it cannot. */
  unrecovered(id: string): UnrecoveredRun | undefined;
  /** Waits until a run rests. Resolves to its state or row, or to `undefined` if the store has to be asked. */
  rest(id: string, nonce: string): Promise<RunState | RunRow | undefined>;
  readonly source: Source;
  /** The classes of errors of the definition that a run was started with, if it is here. */
  errors(row: RunRow): ErrorClasses | undefined;
  control(run: Started, command: string, args: CommandArguments): Promise<string | undefined>;
  /** The codecs of the nodes of a run's method. @throws StenoError `definition-not-open` */
  nodeCodecs(row: RunRow): readonly NodeCodecs[];
  /** How the result of a run is read: by its definition, else by the one that has its name now. */
  resultCodec(state: RunState, hash: string | undefined): Codec;
  /** The same, by the row alone. */
  rowCodec?(row: RunRow): Codec;
  /** Fails if a run that is not finished cannot go on here. */
  checkAlive(id: string): void;
  /** Whether the command `steno` does nothing there: messages name methods only. */
  readonly byMethods?: boolean;
  /** What to say of a run whose row says that its definition is missing, if others say it otherwise. */
  missing?(row: RunRow, manifest: Manifest): string;
}

/** How a run ended, and how its result is read. */
interface Ended {
  /** Not of a run that succeeded and was found in the store. */
  readonly state?: RunState;
  readonly output?: string | undefined;
  readonly codec: Codec;
}

/** Names a node that the run has. */
interface AtNode<Nodes> {
  readonly node: NodePath<Nodes>;
}

/** How a run rests; `error.cause` is what it failed with first. */
export type Outcome<Result, Errors extends Error = Error> =
  | { readonly status: "succeeded"; readonly result: Result }
  | { readonly status: "undone"; readonly error: FailedWith<Errors> }
  | { readonly status: "stuck"; readonly error: StuckWith<Errors> };

/** A run. It holds its id, so that one that only waits costs no memory; and its end, once asked for. */
export class Run<Result = unknown, Nodes = AnyNodes, Errors extends Error = Error> {
  readonly id: string;
  readonly #host: RunHost;
  readonly #nonce: string;
  /** How it ended, once somebody has asked. */
  #finished: Ended | undefined;

  /** Made by a coordinator only. `nonce`: of the run, since its id is free again when it is pruned. */
  constructor(host: RunHost, id: string, nonce: string) {
    this.#host = host;
    this.id = id;
    this.#nonce = nonce;
  }

  /**
   * Waits until the run rests, and gives its result.
   * @throws SagaFailedError when it failed and is undone
   * @throws SagaStuckError when it cannot go on without an operator
   */
  async result(): Promise<Result> {
    const ended = this.#finished ?? (await this.#ended());
    if (ended.state === undefined || ended.state.finished !== undefined) this.#finished = ended;
    const { state, output, codec } = ended;
    const what = `the result of run \`${this.id}\``;
    if (state === undefined) return decode(codec, output, what) as Result;
    const status = statusOf(state);
    const classes = status === "succeeded" ? undefined : this.#host.errors(await this.#row());
    // It went on while its row was read: what it has come to now is not durable yet.
    if (statusOf(state) !== status) return this.result();
    const text = outcomeOf(this.id, state, classes, this.#host.byMethods);
    return decode(codec, text, what) as Result;
  }

  /**
   * Waits as `result()` does, and tells how the run rests as a value, in which the errors are typed:
   * those that the saga's actions declare can be told from others by `instanceof`.
   */
  async outcome(): Promise<Outcome<Result, Errors>> {
    try {
      return { status: "succeeded", result: await this.result() };
    } catch (error) {
      // Of which classes the errors are, the definition says that they were recorded with.
      if (error instanceof SagaFailedError) {
        return { status: "undone", error: error as FailedWith<Errors> };
      }
      if (error instanceof SagaStuckError) {
        return { status: "stuck", error: error as StuckWith<Errors> };
      }
      throw error;
    }
  }

  async #ended(): Promise<Ended> {
    const found = await this.#host.rest(this.id, this.#nonce);
    if (found !== undefined && "root" in found) {
      return { state: found, codec: this.#host.resultCodec(found, undefined) };
    }
    const row = found?.nonce === this.#nonce ? found : await this.#row();
    const codec = this.#host.rowCodec?.(row);
    // What it has come to is in its row, too: its log need not be read.
    if (row.status === "succeeded" && codec !== undefined) return { output: row.output, codec };
    const state = await this.#state(row);
    return { state, codec: this.#host.resultCodec(state, row.hash) };
  }

  /**
   * What the nodes of the method have come to so far, by name: copies. A node that has not succeeded,
   * or was undone, is not in it; what is inside of a map, loop, scope or subsaga neither.
   * @throws StenoError `definition-not-open` if the definition that the run was started with is not here
   */
  async outputs(): Promise<Partial<Nodes>> {
    const row = await this.#row();
    const { root } = this.#host.active(this.id, this.#nonce)?.state ?? (await this.#state(row));
    const codecs = this.#host.nodeCodecs(row);
    const found: Record<string, unknown> = {};
    for (const [index, { name, kind }] of root.plan.nodes.entries()) {
      const text = root.outputs[index];
      if (text === undefined || root.phase[index] !== PHASE.done || kind === "loop") continue;
      const codec = kind === "decision" ? json : (codecs[index] as NodeCodecs).output;
      put(found, name, decode(codec, text, `the output of \`${name}\``));
    }
    return found as Partial<Nodes>;
  }

  /** Where the run is now. */
  async status(): Promise<RunReport> {
    const row = await this.#row();
    // A run whose log is damaged has no state; one without its definition here has.
    if (row.reason === "corrupt-log") this.#host.checkAlive(this.id);
    const manifest = await this.#manifest(row);
    const events = await this.#events(this.#host.briefReader?.());
    const { id, saga } = row;
    // Not before: it may have moved meanwhile. What is in memory is ahead of the log.
    const active = this.#host.active(this.id, this.#nonce);
    const state = active?.state ?? foldLog(makePlan(manifest), events);
    const { status, reason } = active ?? restingAs(row, state);
    const missing = this.#host.unrecovered(this.id);
    const holds: Hold[] = [...holdsOf(state)];
    if (missing !== undefined) holds.unshift({ reason: missing.reason, message: missing.message });
    else if (reason === "definition-missing") {
      const message = this.#host.missing?.(row, manifest) ?? missingOf(row);
      holds.unshift({ reason, message });
    }
    for (const [node, limit] of active?.limited ?? []) {
      holds.push({ reason: "waiting-limit", node, limit });
    }
    return { id, saga, status, reason, holds, nodes: statusTree(state, recordsOf(events)) };
  }

  /**
   * The events of the run, those that it has and those that come, after the one with that `seq` if it
   * is given: none is left out or told twice. Ends when the run is finished, or the coordinator is
   * closed. Values are JSON text, as in the log.
   */
  events(options?: WatchOptions): AsyncIterableIterator<LoggedEvent> {
    return watchRun(this.#host.source, this.id, options, this.#nonce);
  }

  /** Starts nothing more, undo included, until `resume()`; what runs comes to its end. */
  async pause(why = ""): Promise<void> {
    await this.#control("pause", { reason: why });
  }

  async resume(why = ""): Promise<void> {
    await this.#control("resume", { reason: why });
  }

  /**
   * Lets a paused run do one thing, and stay paused: one attempt of a body or an undo, or what else a
   * node's turn is for (to decide, to begin a list or a wait, to be skipped, to return). Its end is
   * recorded when it comes. `node`: the one whose turn it is to be; else the first that could go on.
   * Resolves to the node's path, `""` for the run itself, which returns its result.
   * @throws StenoError `run-not-paused`; `nothing-to-step` if all waits for a time, an event or a body
   */
  async step(node?: NodePath<Nodes>): Promise<string> {
    const stepped = await this.#control("step", node === undefined ? {} : { node });
    return (JSON.parse(stepped ?? "{}") as { readonly node?: string }).node ?? "";
  }

  /**
   * Pauses the run, with the reason `breakpoint`, before or after a node; also while it unwinds. It
   * holds until it is cleared.
   * @throws StenoError `no-such-node`
   */
  async setBreakpoint({ node, at = "before" }: BreakpointPlace & AtNode<Nodes>): Promise<void> {
    await this.#control("break", { node, at });
  }

  async clearBreakpoint({ node, at = "before" }: BreakpointPlace & AtNode<Nodes>): Promise<void> {
    await this.#control("break", { node, at, clear: true });
  }

  /**
   * Undoes what has run.
   * @throws StenoError `pivot-passed` behind a point of no return
   */
  async unwind(why = ""): Promise<void> {
    await this.#control("unwind", { reason: why });
  }

  /** Tries an undo that failed, a node that is stuck in doubt, or one whose failure is held, again. */
  async retry(node: NodePath<Nodes>, why = ""): Promise<void> {
    await this.#control("retry", { node, reason: why });
  }

  /**
   * Says what became of a node on which the run is stuck, and why that is known. Without `output`:
   * nothing of it is left, so that it has failed, or is undone. With: it has succeeded, with that.
   * @throws StenoError `pivot-passed` if the run would have to be undone behind a point of no return,
   * `output-not-wanted` for the undo of a node, `output-invalid` if it is not of the node's type
   */
  async settle(
    node: NodePath<Nodes>,
    why: string,
    given?: { readonly output: unknown },
  ): Promise<void> {
    const args = { node, reason: why };
    const output = given && { output: { value: given.output } };
    await this.#control("settle", { ...args, ...output });
  }

  /**
   * Injects an error, an undo error or a repeat at a node, to see what the run, and those who operate
   * it, make of it. Durable, and used once; what was injected there before stays, unless it is of
   * the same kind.
   * @throws StenoError `no-such-node`; `bad-injection` for what cannot be injected there;
   * `node-ended` where it would never be met
   */
  async inject(injection: Injection & AtNode<Nodes>): Promise<void> {
    await this.#control("inject", { injection });
  }

  /**
   * Sends an event to the run. When it resolves the event is durable; it is delivered once, to the
   * node that waits for it or to the first that will.
   * @throws StenoError `no-such-event` if the saga has none of that name, `payload-invalid` if what
   * is sent is not of the event's type
   */
  async send(event: string, payload?: unknown): Promise<void> {
    await this.#control("send", { event, payload: { value: payload } });
  }

  #control(command: string, args: CommandArguments): Promise<string | undefined> {
    return this.#host.control({ id: this.id, nonce: this.#nonce }, command, args);
  }

  async #row(): Promise<RunRow> {
    const row = await this.#host.reader().run(this.id);
    if (row?.nonce === this.#nonce) return row;
    // A handle is of a run that was there.
    throw runPruned(this.id, this.#host.byMethods);
  }

  /** @throws StenoError `run-pruned` if it was removed while it was read */
  async #events(
    reader: Pick<StoreReader, "events"> = this.#host.reader(),
  ): Promise<readonly LoggedEvent[]> {
    const events = await reader.events(this.id);
    // What was not finished when its row was read may be by now, and removed.
    await this.#row();
    return events;
  }

  async #state(row: RunRow): Promise<RunState> {
    if (row.damaged) throw damagedRow(row.id);
    const plan = makePlan(await this.#manifest(row));
    return foldLog(plan, await this.#events());
  }

  async #manifest({ hash }: RunRow): Promise<Manifest> {
    const manifest = await this.#host.reader().definition(hash);
    if (manifest === undefined) throw this.#gone("its definition");
    return parseManifest(manifest);
  }

  #gone(what: string): StenoError {
    return new StenoError(
      "corrupt-log",
      `run \`${this.id}\` cannot be read: ${what} is gone from the store; restore it from a copy`,
    );
  }
}

/** The log was read after the row, and may say more. */
function restingAs(row: RunRow, state: RunState): Pick<RunRow, "status" | "reason"> {
  const status = statusOf(state);
  return status === row.status ? row : { status, reason: reasonOf(state) };
}
