/**
 * Connections as `pg` takes them, each on one of a server's that somebody else had before: a new one costs
 * the server more than most of what tests do with it. Each has to be of the same user and database.
 */
import { Duplex } from "node:stream";
import { type Backend, Backends } from "../simulate/backends.js";

/** The letter of the message by which a client ends: what it had is not to end with it. */
const TERMINATE = 0x58;

/** To one server, until `end()`. */
export function reusedConnections(port: number): {
  readonly stream: () => Duplex;
  readonly end: () => Promise<void>;
} {
  const backends = new Backends(port);
  return { stream: () => new Reused(backends), end: () => backends.end() };
}

class Reused extends Duplex {
  readonly #backends: Backends;
  #backend: Backend | undefined;
  /** What the server said to whoever had it first, until this one has asked for it. */
  #greeting: Buffer | undefined;

  constructor(backends: Backends) {
    super();
    this.#backends = backends;
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  ref(): void {}
  unref(): void {}

  connect(): void {
    void this.#take();
  }

  async #take(): Promise<void> {
    const backend = await this.#backends.take();
    if (this.destroyed) return this.#backends.giveBack(backend);
    this.#backend = backend;
    this.#greeting = backend.greeting;
    backend.listener = {
      message: (_, message) => void this.push(message),
      end: () => void this.destroy(),
    };
    if (backend.isOver) this.destroy();
    else this.emit("connect");
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: string, done: () => void): void {
    if (this.#greeting !== undefined) {
      this.push(this.#greeting);
      this.#greeting = undefined;
    } else if (chunk[0] !== TERMINATE) this.#backend?.write(chunk);
    done();
  }

  override _final(done: () => void): void {
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#backend !== undefined) this.#backends.giveBack(this.#backend);
    this.#backend = undefined;
    done(error);
  }
}
