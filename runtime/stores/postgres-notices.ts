/**
 * Tells processes on one store what may have changed, by LISTEN and NOTIFY, so that they need not
 * look all the time. They look now and then all the same: a notice that is lost costs time only.
 */
import type { Link } from "./postgres-link.js";
import type { ChangeListener } from "./store.js";

/** What is told within this time goes out together, in milliseconds: a notice takes a lock of the whole database. */
const TOGETHER_MS = 5;

/** A notice has up to 8,000 bytes. */
const LONGEST = 7000;

/** A connection for notices that is lost is looked for after so long, in milliseconds. */
const AGAIN_MS = 1000;

export class PostgresNotices {
  readonly channel: string;
  readonly #listening: Link;
  readonly #sending: Link;
  readonly #listeners = new Set<ChangeListener>();
  #connecting: Promise<unknown> | undefined;
  #again: NodeJS.Timeout | undefined;
  #rested: string[] = [];
  readonly #others = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `listening`: a connection for this alone, made with `listenOn()`. */
  constructor(channel: string, listening: Link, sending: Link) {
    this.channel = channel;
    this.#listening = listening;
    this.#sending = sending;
  }

  /** Gives what ends it. */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    this.connect();
    return () => this.#listeners.delete(listener);
  }

  /** Makes the connection for notices, if there is none, and again later if that fails. */
  connect(): void {
    if (this.#closed || this.#connecting !== undefined) return;
    this.#connecting = this.#listening.connected().then(
      // What was told meanwhile is lost.
      () => this.emit("all"),
      () => this.#reconnectLater(),
    );
  }

  lost(): void {
    this.#reconnectLater();
  }

  #reconnectLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      this.#connecting = undefined;
      this.connect();
    }, AGAIN_MS);
    this.#again.unref();
  }

  /** A notice has come. */
  received(payload: string): void {
    if (!payload.startsWith("rested ")) return this.emit(payload);
    for (const listener of this.#listeners) {
      listener.rested?.(JSON.parse(payload.slice("rested ".length)) as string[]);
    }
  }

  /** Tells those in this process: `due`, `asked`, `kept`, `fenced`, or `all` that may have changed. */
  emit(what: string, at = 0): void {
    for (const listener of this.#listeners) {
      if (what === "fenced") listener.fenced?.();
      if (what === "due" || what === "all") listener.due?.(at);
      if (what === "asked" || what === "all") listener.asked?.();
      if (what === "kept" || what === "all") listener.kept?.();
      if (what === "all") listener.rested?.(undefined);
    }
  }

  /** Tells all processes, soon. */
  tell(what: "due" | "asked" | "kept"): void {
    this.#others.add(what);
    this.#send();
  }

  tellRested(id: string): void {
    this.#rested.push(id);
    this.#send();
  }

  #send(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, TOGETHER_MS);
  }

  /** Sends what is to be told; if it cannot be, those who wait for it look by themselves. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const payloads = [...this.#others, ...inParts(this.#rested)];
    this.#others.clear();
    this.#rested = [];
    if (payloads.length === 0) return;
    const text = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS told (payload)";
    await this.#sending.once({ text, values: [this.channel, payloads] }).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#again);
    this.#listeners.clear();
    await this.flush();
    await this.#listening.close();
  }
}

function inParts(ids: readonly string[]): string[] {
  const parts: string[] = [];
  let part: string[] = [];
  let length = 0;
  for (const id of ids) {
    // JSON may need six characters for one.
    const size = Buffer.byteLength(JSON.stringify(id)) + 1;
    if (length + size > LONGEST) {
      parts.push(`rested ${JSON.stringify(part)}`);
      part = [];
      length = 0;
    }
    part.push(id);
    length += size;
  }
  if (part.length > 0) parts.push(`rested ${JSON.stringify(part)}`);
  return parts;
}
