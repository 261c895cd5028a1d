/**
 * Connections to the server that outlive those of a simulation: a new one costs the server fifty
 * milliseconds of the processor, which was nine tenths of a simulation. Whoever is given one that was used
 * finds it as a new one is. It knows nothing of what is sent.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** The letters of messages: the end of what was sent so far (`S`), a statement (`Q`), that all is done (`Z`). */
const [SYNC, QUERY, READY] = [0x53, 0x51, 0x5a] as const;

/** Ends what was under way, and leaves nothing behind, as the end of a connection does. */
const FORGET = [message(SYNC), statement("ROLLBACK"), statement("DISCARD ALL")];

export class Backend {
  /** What the server said when it was new, up to that it is ready. */
  greeting: Buffer | undefined;
  /** Told of each whole message of the server, and at its end. */
  listener:
    | { readonly message: (letter: number, message: Buffer) => void; readonly end: () => void }
    | undefined;
  readonly #socket: Socket;
  #heard: Buffer = Buffer.alloc(0);
  #first: Buffer[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (data) => this.#hear(data));
    socket.on("close", () => this.listener?.end());
  }

  get isOver(): boolean {
    return this.#socket.destroyed || !this.#socket.writable;
  }

  write(data: Buffer): void {
    this.#socket.write(data);
  }

  end(): void {
    this.#socket.destroy();
  }

  /** Whether it is as a new one is. */
  async forget(): Promise<boolean> {
    let left = FORGET.length;
    await new Promise<void>((resolve) => {
      this.listener = {
        message: (letter) => void (letter === READY && --left === 0 && resolve()),
        end: resolve,
      };
      if (this.isOver) resolve();
      else this.write(Buffer.concat(FORGET));
    });
    this.listener = undefined;
    return left === 0;
  }

  #hear(data: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, data]);
    for (const [letter, found] of messages(this.#heard)) {
      this.#heard = this.#heard.subarray(found.length);
      if (this.greeting === undefined) this.#first.push(found);
      if (this.greeting === undefined && letter === READY)
        this.greeting = Buffer.concat(this.#first);
      this.listener?.message(letter, found);
    }
  }
}

/** All that there are to one server. */
export class Backends {
  readonly #port: number;
  #free: Backend[] = [];
  /** Those that are made as new. */
  #forgetting: Promise<unknown> = Promise.resolve();

  constructor(port: number) {
    this.#port = port;
  }

  async take(): Promise<Backend> {
    await this.settled();
    const used = this.#free.pop();
    if (used !== undefined && !used.isOver) return used;
    const socket = connect(this.#port, "127.0.0.1");
    await Promise.race([once(socket, "connect"), once(socket, "close")]);
    return new Backend(socket);
  }

  /** Of no use any more to who had it. One that was not greeted yet ends. */
  giveBack(backend: Backend): void {
    backend.listener = undefined;
    if (backend.greeting === undefined) return backend.end();
    this.#forgetting = Promise.all([this.#forgetting, this.#forget(backend)]);
  }

  /** Nothing of those that were given back is under way at the server any more. */
  async settled(): Promise<void> {
    for (let seen; seen !== this.#forgetting;) await (seen = this.#forgetting);
  }

  async end(): Promise<void> {
    await this.settled();
    for (const backend of this.#free.splice(0)) backend.end();
  }

  async #forget(backend: Backend): Promise<void> {
    if (await backend.forget()) this.#free.push(backend);
    else backend.end();
  }
}

/** The whole messages at the beginning of some data, with their letters. */
export function messages(data: Buffer): (readonly [letter: number, message: Buffer])[] {
  const found: (readonly [number, Buffer])[] = [];
  for (let at = 0; at + 5 <= data.length;) {
    const end = at + 1 + data.readInt32BE(at + 1);
    if (end > data.length) break;
    found.push([data[at] as number, data.subarray(at, end)]);
    at = end;
  }
  return found;
}

/** A message of the protocol: a letter, how long it is, and what it says. */
export function message(letter: number, content: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(letter, 0);
  head.writeInt32BE(4 + content.length, 1);
  return Buffer.concat([head, content]);
}

function statement(sql: string): Buffer {
  return message(QUERY, Buffer.from(`${sql}\0`));
}
