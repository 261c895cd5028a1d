/**
 * What random and hand-written programs of the oracles are made of: a class with actions of a few
 * types, which hand everything they are given to a `World`. It knows no oracle; each brings a world.
 * Programs import it as `./kit.js`; its text is copied beside them.
 */
import { action, undo } from "steno-runtime";

/** Where the bodies lead to. A key names one place of a program. */
export interface World {
  /** An action was called. */
  act(method: string, inputs: readonly [key: string, ...rest: unknown[]]): Promise<unknown>;
  /** An undo was called, with the output of its action and then the action's inputs. */
  undo(method: string, output: unknown, key: string): Promise<void>;
  /** A synchronous computation: called once for each place, or the saga is wrong. */
  tick(key: string, value: number): number;
}

export interface Item {
  id: number;
  name: string;
  sizes: number[];
  inner?: { depth: number };
}

export type Shape =
  | { kind: "circle"; radius: number }
  | { kind: "square"; side: number; label: string }
  | { kind: "none" };

/** What has no JSON. */
export interface Stamp {
  at: Date;
  big: bigint;
  bytes: Uint8Array;
  url: URL;
  seen: Set<number>;
  by: Map<string, Date>;
  last: number | undefined;
}

/** A pure function that the compiler cannot know to be one. */
export function twice(value: number): number {
  return (value * 2) % 1000;
}

/** One that reads an object. */
export function label(item: Item): string {
  return `${item.name}#${item.id}`;
}

export class Kit {
  readonly offset = 3;

  constructor(readonly world: World) {}

  @action
  async num(key: string, value: number): Promise<number> {
    return (await this.world.act("num", [key, value])) as number;
  }

  @undo("num")
  async unNum(output: number, key: string, _value: number): Promise<void> {
    await this.world.undo("num", output, key);
  }

  @action({ retry: { attempts: 3, delay: 70, jitter: false } })
  async text(key: string, value: string): Promise<string> {
    return (await this.world.act("text", [key, value])) as string;
  }

  @undo("text", { retry: { attempts: 2, delay: 90, jitter: false } })
  async unText(output: string, key: string): Promise<void> {
    await this.world.undo("text", output, key);
  }

  @action
  async item(key: string, id: number, name?: string): Promise<Item> {
    return (await this.world.act("item", [key, id, name])) as Item;
  }

  @undo("item", { when: "started", retry: { attempts: 1 } })
  async unItem(output: Item | undefined, key: string): Promise<void> {
    await this.world.undo("item", output, key);
  }

  @action({ undo: "none" })
  async list(key: string, length: number): Promise<number[]> {
    return (await this.world.act("list", [key, length])) as number[];
  }

  @action({ undo: "none", retry: { attempts: 2, delay: 50, jitter: false } })
  async flag(key: string, value: number): Promise<boolean> {
    return (await this.world.act("flag", [key, value])) as boolean;
  }

  @action({ undo: "none" })
  async note(key: string, ...values: (string | number)[]): Promise<void> {
    await this.world.act("note", [key, ...values]);
  }

  @action
  async shape(key: string, value: number): Promise<Shape> {
    return (await this.world.act("shape", [key, value])) as Shape;
  }

  @undo("shape")
  async unShape(output: Shape, key: string, _value: number): Promise<void> {
    await this.world.undo("shape", output, key);
  }

  @action({ undo: "none", retry: { attempts: 2, delay: 30, jitter: false } })
  async date(key: string, value: number): Promise<Date> {
    return (await this.world.act("date", [key, value])) as Date;
  }

  @action
  async stamp(key: string, value: number): Promise<Stamp> {
    return (await this.world.act("stamp", [key, value])) as Stamp;
  }

  @undo("stamp")
  async unStamp(output: Stamp, key: string, _value: number): Promise<void> {
    await this.world.undo("stamp", output, key);
  }

  @action({ undo: "none" })
  async see(key: string, ...seen: (Stamp | Date | bigint | undefined)[]): Promise<void> {
    await this.world.act("see", [key, ...seen]);
  }

  /** Longer than any body takes that comes to an end. */
  @action({ timeout: "20m", retry: { attempts: 2, delay: 60, jitter: false } })
  async slow(key: string, value: number): Promise<number> {
    return (await this.world.act("slow", [key, value])) as number;
  }

  @undo("slow", { timeout: "20m", retry: { attempts: 3, delay: 40, jitter: false } })
  async unSlow(output: number, key: string): Promise<void> {
    await this.world.undo("slow", output, key);
  }

  @action({ timeout: "20m", retry: { attempts: 2, delay: 60, jitter: false } })
  async half(key: string, value: number): Promise<number> {
    return (await this.world.act("half", [key, value])) as number;
  }

  @undo("half", { when: "started" })
  async unHalf(output: number | undefined, key: string): Promise<void> {
    await this.world.undo("half", output, key);
  }

  @action({ timeout: "20m", undo: "none" })
  async probe(key: string, value: number): Promise<number> {
    return (await this.world.act("probe", [key, value])) as number;
  }

  /** No action: called in a saga it is a computation. */
  tick(key: string, value: number): number {
    return this.world.tick(key, value);
  }
}
