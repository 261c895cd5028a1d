/** The sagas whose processes are killed: branches, lists, a scope, events, sleeps, parts, a run of its own. */
import { action, each, event, saga, sleep, start, undo } from "steno-runtime";
import type { Shop } from "./shop.js";

export interface OrderParams {
  items: string[];
  gift: boolean;
  /** Which action fails for good. */
  fails: "nothing" | "insure" | "ship";
}

export interface AuditParams {
  shelves: string[];
  fails: boolean;
}

export class Orders {
  readonly paid = event<string>();

  constructor(private readonly shop: Shop) {}

  @action
  async reserve(what: string): Promise<string> {
    return this.shop.book(what);
  }

  @undo("reserve")
  async release(): Promise<void> {
    this.shop.cancel();
  }

  @action({ retry: { attempts: 2, delay: "5ms" } })
  async insure(what: string, fails: boolean): Promise<string> {
    return this.shop.book(what, fails);
  }

  @undo("insure", { when: "started" })
  async uninsure(): Promise<void> {
    this.shop.cancel();
  }

  @action
  async ship(what: string, fails: boolean): Promise<string> {
    if (fails) throw new Error(`${what} cannot be shipped`);
    return this.shop.book(what);
  }

  @undo("ship")
  async callBack(): Promise<void> {
    this.shop.cancel();
  }

  @saga
  async order(params: OrderParams): Promise<string> {
    const stock = await this.reserve("stock");
    const picks = await Promise.all(params.items.map((item) => this.reserve(item)));
    if (params.gift) {
      await this.reserve("paper");
    }
    let cover: string;
    try {
      const draft = await this.reserve("draft");
      cover = await this.insure(draft, params.fails === "insure");
    } catch {
      cover = await this.reserve("note");
    }
    await sleep("15ms");
    const by = await this.paid;
    for (const item of params.items) {
      if (item === "last") break;
      await this.reserve(item);
    }
    const sent = await this.ship("parcel", params.fails === "ship");
    return [stock, ...picks, cover, by, sent].join(" ");
  }

  @saga
  async count(shelf: string): Promise<string> {
    const counted = await this.reserve(shelf);
    await sleep("10ms");
    return this.ship(counted, false);
  }

  @saga
  async audit(params: AuditParams): Promise<string> {
    const own = await this.count("own");
    const counts = await each(params.shelves, { concurrency: 2, key: (shelf) => shelf }, (shelf) =>
      this.count(shelf),
    );
    const other = await start(this.count, "other").result();
    const report = await this.ship("report", params.fails);
    return [own, ...counts, other, report].join(" ");
  }
}
