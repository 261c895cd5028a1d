/**
 * The wire between a simulated process and a real PostgreSQL: what a connection sends, and what is
 * answered, gets through when the world says so; between the two, and before, connections are lost. While
 * the server works, nothing else happens, so that a seed is one order of statements. It reads of
 * the protocol only where messages end.
 */
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type Backend, type Backends, message as messageOf, messages } from "./backends.js";
import type { Choose } from "./random.js";
import type { ProcessId, World } from "./world.js";

/** What can go wrong on the way. */
export interface WireFaults {
  /** Connections are lost before a statement gets to the server, and notices are lost. */
  readonly failing: boolean;
  /** Connections are lost, or silent, when it has been done. */
  readonly torn: boolean;
}

/** One in so many statements is lost, either way. */
const LOST = 150;
/** How long the server may take, in milliseconds: then something holds a lock for ever. */
const SERVER_MS = 20_000;
/** The letters of messages: what asks for an answer (`Q`, `S`), the end of one (`Z`), a notice (`A`), the end (`X`). */
const [QUERY, SYNC, READY, NOTICE, TERMINATE] = [0x51, 0x53, 0x5a, 0x41, 0x58] as const;
const wallTime = globalThis.setTimeout;
const clearWallTime = globalThis.clearTimeout;

export interface WireOptions {
  readonly world: World;
  readonly choose: Choose;
  readonly backends: Backends;
  readonly faults: () => WireFaults;
  /** Before a statement is done, and when it has been; `tells`: notices of it may come. */
  readonly before: () => Promise<void>;
  readonly after: (of: ProcessId | undefined, tells: boolean) => Promise<void>;
}

/** All wires to one server. */
export class Wires {
  readonly #options: WireOptions;
  readonly #open = new Set<Wire>();
  begun = false;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  /** What `pg` takes for a socket: before the world begins, one is. */
  readonly stream = (): Duplex => {
    if (!this.begun) return new Socket();
    const wire = new Wire(this.#options, () => this.#open.delete(wire));
    this.#open.add(wire);
    return wire;
  };

  /** The process has ended: what was on its way has arrived, or not. */
  async crash(process: ProcessId): Promise<void> {
    for (const wire of [...this.#open]) if (wire.of === process) await wire.abandon();
  }

  /** Something is told to all who listen. */
  notice(channel: string, payload: string): void {
    // Before the names, whose it is: a number that nobody looks at.
    const text = Buffer.from(`\0\0\0\0${channel}\0${payload}\0`);
    for (const wire of this.#open) wire.notice(messageOf(NOTICE, text));
  }

  end(): void {
    for (const wire of this.#open) wire.cut();
  }
}

class Wire extends Duplex {
  readonly of: ProcessId | undefined;
  readonly #options: WireOptions;
  readonly #left: () => void;
  #backend: Backend | undefined;
  /** What is to be sent, and what the server has said. */
  #out: Buffer[] = [];
  #said: Buffer[] = [];
  /** Nothing gets through any more, and nobody is told. */
  #silent = false;
  #sending = false;
  #greeted = false;
  /** What a server says to a new connection, if this one is new to the process only. */
  #greeting: Buffer | undefined;
  #listens = false;

  constructor(options: WireOptions, left: () => void) {
    super();
    this.of = options.world.process;
    this.#options = options;
    this.#left = left;
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}

  connect(): void {
    const { world, backends } = this.#options;
    world.post(async () => {
      if (this.destroyed) return;
      const backend = await backends.take();
      if (this.destroyed) return backends.giveBack(backend);
      this.#backend = backend;
      this.#greeting = backend.greeting;
      backend.listener = {
        message: (letter, message) => this.#hear(letter, message),
        end: () => {
          this.#ready();
          world.in(this.of, () => this.destroy());
        },
      };
      this.emit("connect");
    });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.#out.push(chunk);
    done();
    if (this.#sending) return;
    this.#sending = true;
    this.#options.world.post(() => this.#send());
  }

  override _final(done: () => void): void {
    done();
    this.#options.world.post(() => void this.destroy());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#backend !== undefined) this.#options.backends.giveBack(this.#backend);
    this.#left();
    done(error);
  }

  /** The connection is lost. */
  cut(): void {
    this.destroy(Object.assign(new Error("the connection is lost"), { code: "ECONNRESET" }));
  }

  /** Nobody is there any more to be told anything. */
  async abandon(): Promise<void> {
    if (this.#sending && this.#options.choose(2) === 0) await this.#deliver().catch(() => false);
    this.removeAllListeners();
    this.on("error", () => undefined);
    this.destroy();
  }

  async #send(): Promise<void> {
    const { world, choose, faults } = this.#options;
    if (this.destroyed || this.#silent) return;
    const { failing, torn } = faults();
    if (failing && choose(LOST) === 0) return this.cut();
    if (!(await this.#deliver())) return;
    this.#sending = false;
    if (torn && choose(LOST) === 0) return this.cut();
    if (torn && choose(4 * LOST) === 0) {
      this.#silent = true;
      return;
    }
    const said = this.#said.splice(0);
    world.post(() => void (this.destroyed || this.push(Buffer.concat(said))));
  }

  /** The server gets all of it, and answers; `false` if nothing is to be answered. */
  async #deliver(): Promise<boolean> {
    const data = Buffer.concat(this.#out.splice(0));
    if (data.includes("LISTEN ")) this.#listens = true;
    if (!this.#asks(data)) {
      this.#sending = false;
      // That it ends is for the one who had it: the server has it end as one that is lost.
      if (data[0] !== TERMINATE) this.#backend?.write(data);
      return false;
    }
    await this.#options.backends.settled();
    await this.#options.before();
    const greeting = this.#greeting;
    if (greeting !== undefined) {
      this.#greeting = undefined;
      this.#said.push(greeting);
      return true;
    }
    await this.#untilReady(data);
    if (mayWrite(data))
      await this.#options.after(this.of, /pg_notify|steno_start/.test(data.toString("latin1")));
    return true;
  }

  #asks(data: Buffer): boolean {
    // The first message of a connection has no letter.
    const wasGreeted = this.#greeted;
    this.#greeted = true;
    if (!wasGreeted) return true;
    const letters = messages(data).map(([letter]) => letter);
    return letters.includes(QUERY) || letters.includes(SYNC);
  }

  /** Also when the connection is lost. */
  #untilReady(data: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const why = new Error("the server does not answer: something holds a lock");
      const timer = wallTime(() => reject(why), SERVER_MS);
      this.#ready = () => {
        clearWallTime(timer);
        resolve();
      };
      if (this.#backend?.isOver !== false) return this.#ready();
      this.#backend.write(data);
    });
  }

  #ready: () => void = () => {};

  #hear(letter: number, message: Buffer): void {
    // Notices come when the server likes, and are told by those who know when: see `notice`.
    if (letter !== NOTICE) this.#said.push(message);
    if (letter === READY) this.#ready();
  }

  /** A notice, which gets through when the world says so, or never. */
  notice(message: Buffer): void {
    const { world, choose, faults } = this.#options;
    if (!this.#listens || this.destroyed || (faults().failing && choose(10) === 0)) return;
    world.in(this.of, () =>
      world.post(() => void (this.destroyed || this.#silent || this.push(message))),
    );
  }
}

/** Whether a statement can have changed a run; of those that are prepared, only the name is sent. */
function mayWrite(data: Buffer): boolean {
  const text = data.toString("latin1");
  return (
    /\b(INSERT|UPDATE|DELETE|steno_\w+|NOTIFY|pg_notify)\b/.test(text) &&
    !/SET lease_until|steno_renew/.test(text)
  );
}
