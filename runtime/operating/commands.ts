/**
 * What operators ask of runs and of a coordinator, by handles here and by requests from elsewhere:
 * who does it, and that it is durable. What a command means for a run is in `control.ts`.
 */
import type { ActiveRun } from "../execution/active-run.js";
import type { ActiveRuns } from "../execution/active-runs.js";
import { ask } from "../fleet/asking.js";
import { type CommandArguments, eventOf, unknownCommand } from "../control.js";
import { storedArguments } from "./stored-arguments.js";
import type { Definitions } from "../reading/definitions.js";
import type { Draining } from "./draining.js";
import type { StenoError } from "../errors.js";
import type { Executor } from "../executor.js";
import type { Given } from "./given.js";
import { RUN_ELSEWHERE } from "./requests.js";
import type { Retention } from "./retention.js";
import type { SagaBreakpoints } from "./saga-breakpoints.js";
import type { Started } from "../execution/starter.js";
import { statusOf } from "../state.js";
import type { StoreOwner } from "../stores/store.js";

export interface CommandsOptions {
  readonly owner: StoreOwner;
  readonly runs: ActiveRuns;
  readonly executor: Executor;
  readonly definitions: Definitions;
  readonly retention: Retention;
  readonly draining: Draining;
  readonly breakpoints: SagaBreakpoints;
  /** @throws StenoError when the coordinator is closed, or has lost its store */
  readonly checkOpen: () => void;
}

/** What was asked for has been done, when so many events of the run are durable. */
interface Done {
  readonly run: ActiveRun;
  readonly events: number;
  /** What there is to say, as JSON text. */
  readonly value: string | undefined;
}

export class Commands {
  readonly #options: CommandsOptions;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Does what is asked of a run, wherever it is, durably; gives what there is to say, as JSON text. */
  async control(
    run: Started,
    command: string,
    args: CommandArguments,
  ): Promise<string | undefined> {
    try {
      for (;;) {
        const done = await this.#act(run, command, args);
        if (await this.#isDurable(done)) return done.value;
      }
    } catch (error) {
      if ((error as Partial<StenoError>).code !== RUN_ELSEWHERE) throw error;
      return this.#ask(run, command, args);
    }
  }

  /** `false`: others went on with the run before it was written, so that it has to be asked for again. */
  async #isDurable({ run, events }: Done): Promise<boolean> {
    try {
      await this.#options.executor.durable(run);
    } catch (error) {
      if (!run.lost) throw error;
    }
    return run.durable >= events || !run.lost;
  }

  /** Another coordinator has the run. */
  async #ask(
    { id }: Started,
    command: string,
    args: CommandArguments,
  ): Promise<string | undefined> {
    const { owner, definitions } = this.#options;
    const row = await owner.run(id);
    const saga = row && definitions.byHash(row.hash);
    return ask(owner, id, command, await storedArguments(owner, row, saga, command, args));
  }

  /** Does what is asked of a run that is here, not durably yet. */
  async ofRun(id: string, command: string, args: CommandArguments): Promise<string | undefined> {
    return (await this.#act({ id }, command, args)).value;
  }

  #act(
    { id, nonce }: Pick<Started, "id"> & Partial<Started>,
    command: string,
    args: CommandArguments,
  ): Promise<Done> {
    const { runs, executor, checkOpen } = this.#options;
    checkOpen();
    const act = (run: ActiveRun): Done => {
      const event = eventOf(run, command, args, executor.clock.now());
      if (event === undefined) return { run, events: run.seq, value: undefined };
      executor.record(run, event);
      // A stuck run may still be stuck after it: then nobody will say again that it rests.
      run.atRest = run.atRest && statusOf(run.state) === "stuck";
      const value = event.type === "stepped" ? JSON.stringify({ node: event.node }) : undefined;
      return { run, events: run.seq, value };
    };
    return runs.use(id, act, nonce);
  }

  /** Does what is asked of no single run, not durably yet. */
  async ofAll(command: string, args: CommandArguments): Promise<string | undefined> {
    const { retention, draining, breakpoints, checkOpen } = this.#options;
    checkOpen();
    if (command === "prune") return retention.answer(jsonOf(args.payload));
    const { saga, clear = false } = args;
    if (command === "drain") draining.change(!clear);
    else if (command === "break" && saga !== undefined) breakpoints.change(saga, args);
    else throw unknownCommand(command);
    return undefined;
  }
}

function jsonOf(given: Given | undefined): string | undefined {
  return given !== undefined && "json" in given ? given.json : undefined;
}
