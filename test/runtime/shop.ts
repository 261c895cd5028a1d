/**
 * A saga of a shop for the tests of `verifySaga()`, and variants of it with one bug each. Its
 * definition is written by hand; its class is what a user would write.
 */
import { actionContext, defineSaga, type SagaDefinition } from "steno-runtime";
import type { Node } from "steno-runtime/manifest";

/** What there is in the world: names, each once for each key. */
export class Stock {
  readonly things = new Map<string, string>();

  /** Makes a thing, or finds the one that was made under this key. */
  make(kind: string, key: string = actionContext().idempotencyKey): string {
    const id = `${kind} ${key}`;
    this.things.set(id, kind);
    return id;
  }

  count(kind: string): number {
    return [...this.things.values()].filter((each) => each === kind).length;
  }
}

export class Shop {
  constructor(protected readonly stock: Stock) {}

  token(): string {
    return "token";
  }
  async reserve(): Promise<string> {
    return this.stock.make("reservation");
  }
  async release(id: string): Promise<void> {
    this.stock.things.delete(id);
  }
  async pay(): Promise<string> {
    return this.stock.make("payment");
  }
  async refund(id: string): Promise<void> {
    this.stock.things.delete(id);
  }
  async label(order: string): Promise<string> {
    return this.stock.make("label", order);
  }
  /** Also for a label that may not be there. */
  async peel(_id: string | undefined, order: string): Promise<void> {
    this.stock.things.delete(`label ${order}`);
  }
  async gift(): Promise<string> {
    return this.stock.make("gift");
  }
  async ungift(id: string): Promise<void> {
    this.stock.things.delete(id);
  }
  async wrap(): Promise<void> {}
  async apologise(): Promise<string> {
    return this.stock.make("apology");
  }
  async withdraw(id: string): Promise<void> {
    this.stock.things.delete(id);
  }
  async ship(): Promise<string> {
    return this.stock.make("parcel");
  }
  async recall(id: string): Promise<void> {
    this.stock.things.delete(id);
  }
}

const undoRetry = { attempts: 2, delayMs: 1000, factor: 1, maxDelayMs: 1000, jitter: true };

function call(action: string, undo: string, after: readonly string[], more = {}): Node {
  return { name: action, kind: "action", action, undo, after, undoRetry, ...more };
}

const nodes: readonly Node[] = [
  { name: "token", kind: "compute", after: [] },
  call("reserve", "release", ["token"]),
  call("pay", "refund", ["reserve"], { timeoutMs: 60_000, retry: undoRetry }),
  call("label", "peel", ["reserve"], { timeoutMs: 5000, undoWhen: "started" }),
  {
    name: "try",
    kind: "scope",
    after: ["pay", "label"],
    graph: { nodes: [call("gift", "ungift", []), call("wrap", "none", ["gift"])] },
    handler: { nodes: [call("apologise", "withdraw", [])] },
  },
  { name: "pause", kind: "sleep", after: ["try"] },
  call("ship", "recall", ["pause"]),
];

type Order = { readonly order: string };
const none = { inputs: () => [] };

/** Of the params, `order` names the label. */
export const buy: SagaDefinition<Shop, Order, string> = defineSaga({
  manifest: { steno: 1, name: "Shop.buy", hash: "sha256-shop", nodes },
  nodes: {
    token: { compute: (_values: never, self: Shop) => self.token() },
    reserve: none,
    pay: none,
    label: { inputs: ({ params }: { readonly params: Order }) => [params.order] },
    try: {
      graph: { nodes: { gift: none, wrap: none } },
      handler: { nodes: { apologise: none } },
    },
    pause: { duration: () => "3 days" },
    ship: none,
  } as never,
  output: ({ ship }: { readonly ship: string }) => ship,
});

/** Variants of the shop, each with one bug, and a scenario that shows it. */
export const bugs: Readonly<Record<string, readonly [new (stock: Stock) => Shop, string]>> = {
  "an undo forgets something": [
    class extends Shop {
      override async refund(): Promise<void> {}
    },
    "ship fails",
  ],
  "an undo is not idempotent": [
    class extends Shop {
      override async release(id: string): Promise<void> {
        if (!this.stock.things.delete(id)) throw new Error(`there is no ${id}`);
      }
    },
    "ship fails + reserve undo-repeats",
  ],
  "an undo that is called again gives back twice": [
    class extends Shop {
      override async refund(id: string): Promise<void> {
        const credit = this.stock.things.delete(id) ? "" : "credit";
        if (credit) this.stock.make(credit);
      }
    },
    "ship fails + pay undo-retries",
  ],
  "an action ignores its idempotency key": [
    class extends Shop {
      override async pay(): Promise<string> {
        return this.stock.make("payment", `${this.stock.things.size}`);
      }
    },
    "pay repeats",
  ],
  "an undo fails when the effect of its action is missing": [
    class extends Shop {
      override async peel(id: string | undefined, order: string): Promise<void> {
        // Idempotent, but for a label that was never there.
        const key = `peeled ${actionContext().idempotencyKey}`;
        if (id === undefined) throw new Error(`which label of ${order} (${key})?`);
        await super.peel(id, order);
      }
    },
    "label loses-request",
  ],
  "a catch handler does what the unwinding of its scope has done": [
    class extends Shop {
      override async apologise(): Promise<string> {
        const gift = [...this.stock.things].find(([, kind]) => kind === "gift");
        if (gift === undefined) throw new Error("there is no gift to take back");
        this.stock.things.delete(gift[0]);
        return super.apologise();
      }
    },
    "try/wrap fails",
  ],
  "a catch handler undoes too much": [
    class extends Shop {
      override async apologise(): Promise<string> {
        for (const [id, kind] of this.stock.things) {
          if (kind === "payment") this.stock.things.delete(id);
        }
        return super.apologise();
      }
    },
    "try/wrap fails",
  ],
  "something is made outside of an action": [
    class extends Shop {
      override token(): string {
        return this.stock.make("token", "of nobody");
      }
    },
    "reserve fails",
  ],
  "an undo needs what another may have undone": [
    class extends Shop {
      override async peel(id: string | undefined, order: string): Promise<void> {
        if (id !== undefined && this.stock.count("payment") === 0) {
          if (this.stock.things.has(id)) throw new Error("whose label is it?");
        }
        await super.peel(id, order);
      }
    },
    "ship fails + label undo-slow",
  ],
  "what an action needs lives in its process": [
    class extends Shop {
      #reserved: string | undefined;
      override async reserve(): Promise<string> {
        return (this.#reserved = await super.reserve());
      }
      override async ship(): Promise<string> {
        if (this.#reserved === undefined) throw new Error("nothing is reserved");
        return super.ship();
      }
    },
    "(process) dies-before-7",
  ],
};
