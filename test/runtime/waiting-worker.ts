/**
 * A process that runs a saga most of whose time is waiting, with nothing kept in memory that waits,
 * and that kills itself at a commit. It notes each call of a body in a file.
 */
import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import {
  Coordinator,
  defineSaga,
  type SagaDefinition,
  sqliteStore,
  type Store,
} from "steno-runtime";
import type { Node } from "steno-runtime/manifest";
import type { GraphBindings } from "../../runtime/definition.js";

export interface Orders {
  readonly store: string;
  readonly journal: string;
  /** Dies when so many commits are made; in place of the last of them if `before`. */
  readonly commits: number;
  readonly before: boolean;
}

export class Notes {
  readonly #journal: string;
  constructor(journal: string) {
    this.#journal = journal;
  }
  async act(text: string): Promise<string> {
    appendFileSync(this.#journal, `${text}\n`);
    if (text === "fails") throw new Error("it fails");
    return text;
  }
  async undo(_output: string | undefined, text: string): Promise<void> {
    appendFileSync(this.#journal, `undo ${text}\n`);
  }
}

type Definition = SagaDefinition<Notes, boolean, unknown>;

function define(name: string, nodes: readonly Node[], bindings: object): Definition {
  const hash = `sha256-${createHash("sha256").update(JSON.stringify(nodes)).digest("hex")}`;
  return defineSaga({ manifest: { steno: 1, name, hash, nodes }, ...(bindings as GraphBindings) });
}

const act = (name: string, after: readonly string[]): Node => ({
  ...{ name, kind: "action", action: "act", undo: "undo", after },
  retry: { attempts: 2, delayMs: 20, factor: 1, maxDelayMs: 20, jitter: false },
});
const says = (text: string) => ({ inputs: () => [text] });

const child = define("Child.saga", [{ name: "nap", kind: "sleep", after: [] }, act("c", ["nap"])], {
  nodes: { nap: { duration: () => 150 }, c: says("c") },
  output: () => "child",
});

/** With `true` its last action fails, and all of it is undone. */
export const parent = define(
  "Parent.saga",
  [
    act("a", []),
    { name: "nap", kind: "sleep", after: ["a"] },
    { name: "other", kind: "spawn", target: "Child.saga", wait: true, after: ["a"] },
    { name: "yes", kind: "event", target: "yes", after: ["nap"] },
    act("z", ["other", "yes"]),
  ],
  {
    nodes: {
      a: says("a"),
      nap: { duration: () => 500 },
      other: { params: () => null },
      z: { inputs: ({ params }: { readonly params: boolean }) => [params ? "fails" : "z"] },
    },
    output: ({ other }: { readonly other: unknown }) => other,
  },
);

export function open(store: Store, journal: string): Promise<Coordinator> {
  const notes = new Notes(journal);
  return Coordinator.open({
    store,
    sagas: [parent.on(notes), child.on(notes)],
    shortWaitMs: 0,
    logger: { warn: () => undefined },
  });
}

/** Starts the run, or finds it; sends what it waits for; waits for its end. */
export async function play(coordinator: Coordinator, fails: boolean): Promise<unknown> {
  const run = await coordinator.start(parent, fails, { id: "run" });
  // Sent again if it is not known to have arrived: no other node takes a second one.
  await run.send("yes", 1).catch(() => undefined);
  return run.result();
}

/** A store that kills the process. */
function dying({ store, commits, before }: Orders): Store {
  const inner = sqliteStore(store);
  return {
    reader: () => inner.reader(),
    open: async () => {
      const owner = await inner.open();
      const commit = owner.commit.bind(owner);
      let made = 0;
      owner.commit = async (writes) => {
        made += 1;
        if (made === commits && before) process.kill(process.pid, "SIGKILL");
        await commit(writes);
        if (made === commits) process.kill(process.pid, "SIGKILL");
      };
      return owner;
    },
  };
}

const [, , text, fails] = process.argv;
if (text !== undefined && text.startsWith("{")) {
  const orders = JSON.parse(text) as Orders;
  const coordinator = await open(dying(orders), orders.journal);
  await play(coordinator, fails === "fails").catch(() => undefined);
  await coordinator.close();
}
