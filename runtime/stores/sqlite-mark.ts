/**
 * How far an SQLite store was written: a tiny sibling file, `<path>-mark`, that is written after each
 * commit. What is missing at the end of the log of writes (`-wal`) looks like commits that were never
 * made; the mark tells that they were. It is not synced, which would double the time of a commit: after
 * a loss of power it may say less than there is, and never says more.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { StoreError } from "../errors.js";
import type { Connection } from "./sqlite-driver.js";

/** Where a store was at some time. */
interface Position {
  /** Of the owner that wrote it. */
  readonly epoch: number;
  /** The highest `position` of its events, which is never used again, nor removed. */
  readonly events: number;
}

/** "STEN", the epoch, the position (both as doubles), and the CRC-32 of these. */
const MAGIC = 0x5354_454e;
const EPOCH = 4;
const EVENTS = 12;
const SUM = 20;
const SIZE = 24;

function markPath(path: string): string {
  return `${path}-mark`;
}

/** The mark of a store, for its owner. */
export class Mark {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(SIZE);
  readonly #summed = this.#bytes.subarray(0, SUM);

  constructor(path: string, epoch: number) {
    try {
      // Not emptied: until it is written, what it says is right.
      this.#file = openSync(markPath(path), constants.O_RDWR | constants.O_CREAT);
    } catch (error) {
      throw new StoreError(
        "store-not-writable",
        `${markPath(path)} cannot be written (${(error as Error).message}): check that it and its folder are writable`,
        { cause: error },
      );
    }
    this.#bytes.writeUInt32BE(MAGIC, 0);
    this.#bytes.writeDoubleBE(epoch, EPOCH);
  }

  /** `events` is durable. */
  write(events: number): void {
    this.#bytes.writeDoubleBE(events, EVENTS);
    this.#bytes.writeUInt32BE(crc32(this.#summed), SUM);
    try {
      writeSync(this.#file, this.#bytes, 0, SIZE, 0);
    } catch {
      // What it said before is still true, and the commit it would tell of is durable.
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** What the mark says; read it before the database, which goes on meanwhile if it has an owner. */
export function readMark(path: string): Position | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(markPath(path));
  } catch {
    // A store of an earlier version, or one that was copied without.
    return undefined;
  }
  if (bytes.length < SIZE || bytes.readUInt32BE(0) !== MAGIC) return undefined;
  if (bytes.readUInt32BE(SUM) !== crc32(bytes.subarray(0, SUM))) return undefined;
  return { epoch: bytes.readDoubleBE(EPOCH), events: bytes.readDoubleBE(EVENTS) };
}

/** The highest position of an event; 0 where there is none. */
export function lastEvent(connection: Connection): number {
  return Number(
    connection.prepare("SELECT max(position) AS last FROM events").get()?.["last"] ?? 0,
  );
}

/**
 * @param hasTables - Whether it is a store already, and not an empty file.
 * @throws StoreError `store-behind` if the store holds less than was committed to it.
 */
export function checkMark(
  connection: Connection,
  path: string,
  mark: Position | undefined,
  hasTables: boolean,
): void {
  if (mark === undefined) return;
  const epoch = hasTables
    ? Number(connection.prepare("SELECT epoch FROM owner").get()?.["epoch"])
    : 0;
  // Since then, an earlier version of steno-runtime may have written, which knows no mark.
  if (epoch > mark.epoch) return;
  const events = hasTables ? lastEvent(connection) : 0;
  if (epoch === mark.epoch && events >= mark.events) return;
  const lost = mark.events - events;
  const missing = lost > 0 ? ` (missing events: ${lost})` : "";
  throw new StoreError(
    "store-behind",
    `${path} holds less than was committed to it${missing}: its ${path}-wal was cut off, damaged or ` +
      `removed, or an older copy was put in its place. Put back what was there; to go on from what is there, remove ` +
      `${markPath(path)}, and know that actions may be called again, with their keys, and that runs started since are ` +
      `forgotten (nothing was changed)`,
  );
}
