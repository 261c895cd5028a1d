/**
 * A small booking server on loopback: what the saga's actions talk to. It keeps its bookings in a
 * file that is replaced atomically, so that they outlive whoever booked them. Not part of steno.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Entry, Kind } from "./agency.js";

interface StoredBooking extends Entry {
  readonly key: string;
}

export interface ServerOptions {
  /** Where the bookings are kept. */
  readonly file: string;
  /** Names that are sold out: booking one is refused. */
  readonly soldOut?: readonly string[];
  /** How long an answer takes, in milliseconds. */
  readonly latency?: number;
  /** Called when something was booked or cancelled and the answer is not sent yet. */
  readonly onChange?: (booking: Entry) => void | Promise<void>;
}

export interface BookingServer {
  readonly url: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly changed?: Entry;
}

export async function startBookingServer(options: ServerOptions): Promise<BookingServer> {
  const book = new BookingFile(options.file);
  const server = createServer((request, response) => {
    void (async () => {
      const { status, body, changed } = route(request, await text(request), book, options);
      if (changed !== undefined) await options.onChange?.(changed);
      await delay(options.latency ?? 0);
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    })().catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The bookings on disk. Each change is on disk before it is answered. */
class BookingFile {
  private bookings: readonly StoredBooking[];

  constructor(private readonly file: string) {
    this.bookings = existsSync(file)
      ? (JSON.parse(readFileSync(file, "utf8")) as readonly StoredBooking[])
      : [];
  }

  list(): readonly Entry[] {
    return this.bookings.map(publicPart);
  }

  byKey(key: string): Entry | undefined {
    return this.bookings.filter((booking) => booking.key === key).map(publicPart)[0];
  }

  add(kind: Kind, what: string, key: string): Entry {
    const id = `${kind}-${this.bookings.filter((booking) => booking.kind === kind).length + 1}`;
    this.save([...this.bookings, { id, kind, what, key, status: "booked" }]);
    return { id, kind, what, status: "booked" };
  }

  cancel(id: string): Entry | undefined {
    this.save(
      this.bookings.map((booking) =>
        booking.id === id ? { ...booking, status: "cancelled" } : booking,
      ),
    );
    return this.list().find((booking) => booking.id === id);
  }

  private save(bookings: readonly StoredBooking[]): void {
    writeFileSync(`${this.file}.new`, JSON.stringify(bookings, null, 2), { flush: true });
    renameSync(`${this.file}.new`, this.file);
    this.bookings = bookings;
  }
}

function publicPart({ id, kind, what, status }: StoredBooking): Entry {
  return { id, kind, what, status };
}

function route(
  { method, url = "/" }: IncomingMessage,
  body: string,
  book: BookingFile,
  { soldOut = [] }: ServerOptions,
): Answer {
  if (method === "GET" && url === "/bookings") return { status: 200, body: book.list() };
  if (method === "POST" && url === "/bookings") {
    const { kind, what, key } = JSON.parse(body) as StoredBooking;
    const known = book.byKey(key);
    if (known !== undefined) return { status: 200, body: known };
    if (soldOut.includes(what)) return { status: 409, body: { error: `${what} is sold out` } };
    const made = book.add(kind, what, key);
    return { status: 201, body: made, changed: made };
  }
  const id = method === "DELETE" ? /^\/bookings\/([\w-]+)$/.exec(url)?.[1] : undefined;
  const cancelled = id === undefined ? undefined : book.cancel(id);
  if (cancelled !== undefined) return { status: 200, body: cancelled, changed: cancelled };
  return { status: 404, body: { error: `nothing at ${method} ${url}` } };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
