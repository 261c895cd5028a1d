/**
 * Runs one case through the public coordinator, on a memory store and a virtual clock, and writes
 * down what there is to see. It expects nothing.
 */
import {
  Coordinator,
  memoryStore,
  type NodeStatus,
  type Run,
  type SagaDefinition,
  type SagaFailure,
  type Store,
} from "steno-runtime";
import type { LoggedEvent } from "../../runtime/events.js";
import { foldLog } from "../../runtime/reading/history.js";
import { makePlan } from "../../runtime/machine/plan.js";
import { statusOf } from "../../runtime/state.js";
import type { StoreOwner, Write } from "../../runtime/stores/store.js";
import { virtualClock, type VirtualClock } from "../../runtime/testing/index.js";
import type { BodyEdge, Dag, Inject } from "./dag.js";
import type { Json } from "./json.js";
import type { Kit } from "./kit.js";
import { INJECTED } from "./translate.js";
import { CaseWorld } from "./world.js";

export interface Subject {
  readonly Case: new (world: CaseWorld) => Kit;
  readonly main: SagaDefinition<Kit, unknown, unknown>;
}

export interface Trial {
  readonly subject: Subject;
  readonly dag: Dag;
  readonly paths: ReadonlyMap<string, string>;
  readonly params: Json;
  readonly inject: Inject;
  readonly probes: readonly number[];
  /** The log that is recovered from; absent for a run that is started. */
  readonly log?: readonly LoggedEvent[];
}

export interface StatesHere {
  readonly [path: string]: string;
}

export interface Seen {
  /** The coordinator left the run alone, since its log is damaged. */
  readonly refused: string | undefined;
  /** Errors of what was asked for before the run went on: of injections. */
  readonly injectErrors: readonly { readonly code: string; readonly message: string }[];
  /** The whole log, what was recovered from included. */
  readonly log: readonly LoggedEvent[];
  /** How much of it is older than the run here, and where the run was then. */
  readonly before: number;
  readonly was: string;
  /** Where the run is at the end. */
  readonly status: string;
  readonly recovered: StatesHere | undefined;
  readonly probes: readonly {
    readonly t: number;
    readonly status: string;
    readonly states: StatesHere;
  }[];
  readonly states: StatesHere;
  readonly ok: { readonly output: Json } | undefined;
  readonly failures: readonly SagaFailure[];
  readonly stuck: readonly SagaFailure[];
  readonly endT: number | undefined;
  readonly bodies: readonly BodyEdge[];
  readonly updates: readonly { readonly t: number; readonly status: string }[];
}

const ID = "case";
/** Whatever a case does, it comes to rest before so many timers. */
const TIMERS = 10_000;
/** Looks in vain for a timer, after which nothing will come. */
const IDLE_LIMIT = 20;

export async function observe(trial: Trial): Promise<Seen> {
  const clock = virtualClock();
  const world = new CaseWorld(trial.dag, clock);
  const updates: { t: number; status: string }[] = [];
  const inner = memoryStore();
  const { before, was } = trial.log === undefined ? NEW : await put(inner, trial, trial.log);
  const coordinator = await Coordinator.open({
    store: watched(inner, (status) => updates.push({ t: clock.now(), status })),
    sagas: [trial.subject.main.on(new trial.subject.Case(world))],
    clock,
    logger: { warn: () => undefined },
    crashLimit: Infinity,
  });
  try {
    const refused = coordinator.unrecovered[0]?.message;
    const reader = await inner.reader();
    const log = (): Promise<readonly LoggedEvent[]> => reader.events(ID);
    if (refused !== undefined) return { ...NOTHING, refused, log: await log(), before };
    const seen = await watch(coordinator, trial, clock);
    return { ...seen, log: await log(), before, was, bodies: world.bodies, updates };
  } finally {
    await coordinator.close();
  }
}

const NEW = { before: 0, was: "running" };

const NOTHING: Seen = {
  was: "running",
  status: "",
  refused: undefined,
  injectErrors: [],
  log: [],
  before: 0,
  recovered: undefined,
  probes: [],
  states: {},
  ok: undefined,
  failures: [],
  stuck: [],
  endT: undefined,
  bodies: [],
  updates: [],
};

/** Puts a log into the store, as a coordinator that has ended would have left it; paused, so that it can be looked at. */
async function put(store: Store, trial: Trial, log: readonly LoggedEvent[]): Promise<typeof NEW> {
  const { manifest } = trial.subject.main;
  const injected = injections(trial).map(([path, injection]) => {
    const { error, undoError, repeat } = injection;
    const message = JSON.stringify(INJECTED);
    const value = JSON.stringify({
      ...(error && { error: message }),
      ...(undoError && { undoError: message }),
      ...(repeat && { repeat: repeat.action, undoRepeat: repeat.undo }),
    });
    return { type: "injected", at: 0, node: path, value } as const;
  });
  const status = (events: readonly LoggedEvent[]): ReturnType<typeof statusOf> | undefined => {
    try {
      return statusOf(foldLog(makePlan(manifest), events));
    } catch {
      return undefined;
    }
  };
  const found = status(log);
  const finished = found === "succeeded" || found === "undone";
  const last = (log.at(-1)?.seq ?? 0) + 1;
  const more = finished
    ? []
    : [...injected, { type: "paused", at: 0, value: '"to be looked at"' } as const];
  const events = [...log, ...more.map((event, index) => ({ ...event, seq: last + index }))];
  const owner = await store.open();
  await owner.commit([
    { kind: "define", manifest },
    {
      kind: "create",
      run: {
        id: ID,
        saga: manifest.name,
        hash: manifest.hash,
        nonce: "0",
        params: JSON.stringify(trial.params),
        status: found ?? "running",
        reason: undefined,
        output: undefined,
        error: undefined,
        createdAt: 0,
        updatedAt: 0,
        // Bodies ran when its coordinator ended.
        wakeAt: finished ? undefined : 0,
      },
    },
    { kind: "append", run: ID, events },
  ]);
  await owner.close();
  return { before: events.length, was: found ?? "running" };
}

interface InjectionHere {
  readonly error?: true;
  readonly undoError?: true;
  readonly repeat?: { readonly action: number; readonly undo: number };
}

/** What is injected, by our path; start and end nodes, which have none, by steno's. */
function injections({ inject, paths }: Trial): [string, InjectionHere][] {
  const at = (path: string): string => paths.get(path) ?? path;
  return [
    ...(inject.repeat ?? []).map(({ node, action, undo }): [string, InjectionHere] => [
      at(node),
      { repeat: { action, undo } },
    ]),
    ...(inject.error ?? []).map((node): [string, InjectionHere] => [at(node), { error: true }]),
    ...(inject.error_undo ?? []).map((node): [string, InjectionHere] => [
      at(node),
      { undoError: true },
    ]),
  ];
}

async function watch(
  coordinator: Coordinator,
  trial: Trial,
  clock: VirtualClock,
): Promise<Omit<Seen, "log" | "before" | "was" | "bodies" | "updates">> {
  const injectErrors: { code: string; message: string }[] = [];
  let recovered: StatesHere | undefined;
  let run: Run;
  if (trial.log === undefined) {
    const isPaused = injections(trial).length > 0;
    run = await coordinator.start(trial.subject.main, trial.params, { id: ID, paused: isPaused });
    for (const [node, injection] of injections(trial)) {
      await run.inject({ node, ...injection }).catch((error: { code: string; message: string }) => {
        injectErrors.push({ code: error.code, message: error.message });
      });
    }
    if (isPaused) await run.resume();
  } else {
    run = (await coordinator.run(ID)) as Run;
    recovered = statesOf((await run.status()).nodes);
    const { status } = await run.status();
    if (status !== "succeeded" && status !== "undone") await run.resume();
  }
  const end = { t: undefined as number | undefined };
  const result = run.result().then(
    (output) => ({ ok: { output: output as Json }, failures: [], stuck: [] }),
    (error: { failures?: SagaFailure[]; stuck?: SagaFailure[] }) => {
      if (error.failures === undefined) throw error;
      return { ok: undefined, failures: error.failures, stuck: error.stuck ?? [] };
    },
  );
  result.then(
    () => (end.t = clock.now()),
    () => (end.t = clock.now()),
  );
  const probes: { t: number; status: string; states: StatesHere }[] = [];
  for (const t of trial.probes) {
    await clock.advance(t - clock.now());
    const { status, nodes } = await run.status();
    probes.push({ t, status, states: statesOf(nodes) });
  }
  let idle = 0;
  for (let timers = 0; end.t === undefined || idle === 0; timers++) {
    if (timers > TIMERS) throw new Error("the run does not come to rest");
    // A run that is not in memory takes some turns of the event loop to be read.
    if (await clock.next()) idle = 0;
    else if (++idle > IDLE_LIMIT) break;
  }
  if (end.t === undefined) throw new Error("the run does not come to rest, and waits for nothing");
  const { ok, failures, stuck } = await result;
  const { status, nodes } = await run.status();
  const seen = { refused: undefined, injectErrors, recovered, probes, ok, failures, stuck };
  return { ...seen, status, states: statesOf(nodes), endT: end.t };
}

function statesOf(nodes: readonly NodeStatus[]): StatesHere {
  const states: Record<string, string> = {};
  const open = [...nodes];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    states[node.path] = node.state;
    open.push(...(node.nodes ?? []));
  }
  return states;
}

/** The store, and what is written to the run's row. */
function watched(store: Store, tell: (status: string) => void): Store {
  return {
    reader: () => store.reader(),
    open: async () => {
      const owner = await store.open();
      const commit = async (writes: readonly Write[]): Promise<void> => {
        await owner.commit(writes);
        for (const write of writes) if (write.kind === "update") tell(write.status);
      };
      return new Proxy(owner, {
        get: (target, key) => {
          if (key === "commit") return commit;
          const found = target[key as keyof StoreOwner] as unknown;
          return typeof found === "function" ? (found.bind(target) as unknown) : found;
        },
      });
    },
  };
}
