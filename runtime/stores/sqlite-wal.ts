/**
 * Whether SQLite's log of writes (`-wal`) is damaged in its middle. SQLite reads it up to the first frame
 * whose checksum is wrong, and takes that for the commit at which a process ended: all that was
 * committed after a flipped bit would be gone without a word. It reads, and changes nothing.
 *
 * Each frame's checksum goes on from the one before, so frames behind the damage can be told from
 * leftovers: two commits in a row that fit together were both made, and the first was durable before
 * the second began. Of a single one nobody can say whether it was acknowledged.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { StoreError } from "../errors.js";

const HEADER = 32;
const FRAME_HEADER = 24;
/** The last bit of the first word: whether checksums are of big-endian words. */
const MAGIC = 0x377f_0682;
/** Of files that say nothing else. */
const PAGE_SIZE = 4096;

type Sums = readonly [number, number];

/** @throws StoreError `store-corrupt` */
export function checkWal(path: string): void {
  // Twice: its owner may be alive, and have written a part of a frame when it was read.
  const lost = commitsBehindDamage(`${path}-wal`) && commitsBehindDamage(`${path}-wal`);
  if (lost === 0) return;
  throw new StoreError(
    "store-corrupt",
    `${path}-wal is damaged, and at least ${lost} commits behind that cannot be read: restore it and ${path} from ` +
      "a backup; to go on without what was committed last, move a copy of both aside and have the sqlite3 shell " +
      `run \`PRAGMA wal_checkpoint(TRUNCATE)\` on ${path}, and remove ${path}-mark (nothing was changed)`,
  );
}

function commitsBehindDamage(path: string): number {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    // There is none; or SQLite says what is wrong with it.
    return 0;
  }
  try {
    const header = read(file, 0, HEADER);
    if (header === undefined) return 0;
    const lost = new Frames(file, header).behindDamage();
    // Begun anew meanwhile by its owner: then what looked damaged is of the round before.
    return lost > 1 && read(file, 0, HEADER)?.equals(header) === true ? lost : 0;
  } finally {
    closeSync(file);
  }
}

class Frames {
  readonly #file: number;
  readonly #header: Buffer;
  readonly #isLittle: boolean;
  readonly #size: number;

  constructor(file: number, header: Buffer) {
    this.#file = file;
    this.#header = header;
    this.#isLittle = (header.readUInt32BE(0) & 1) === 0;
    const size = header.readUInt32BE(8);
    const isSize = size >= 512 && size <= 65_536 && (size & (size - 1)) === 0;
    this.#size = FRAME_HEADER + (isSize ? size : PAGE_SIZE);
  }

  /** The commits, in a row without a gap, that come with or after a frame that SQLite does not take. */
  behindDamage(): number {
    let sums = this.#sum(this.#header.subarray(0, 24), [0, 0]);
    let isWhole = isSame(sums, sumsAt(this.#header, 24)) && this.#magic() === MAGIC;
    const isHeaderWhole = isWhole;
    let inRow = 0;
    let most = 0;
    for (let at = HEADER; ; at += this.#size) {
      const frame = read(this.#file, at, this.#size);
      if (frame === undefined) return most;
      const wanted = this.#sum(frame.subarray(FRAME_HEADER), this.#sum(frame.subarray(0, 8), sums));
      sums = sumsAt(frame, 16);
      const fits = this.#isOfThisRound(frame, isHeaderWhole);
      const follows = fits && isSame(wanted, sums);
      if (isWhole && follows) continue;
      const isCommit = fits && frame.readUInt32BE(4) !== 0;
      // The first that is damaged may be a commit itself.
      inRow = (follows ? inRow : 0) + (isCommit && (follows || isWhole) ? 1 : 0);
      isWhole = false;
      most = Math.max(most, inRow);
    }
  }

  #magic(): number {
    return (this.#header.readUInt32BE(0) & ~1) >>> 0;
  }

  /** Frames of rounds before have other salts, both; a damaged header may have lost one of them. */
  #isOfThisRound(frame: Buffer, isHeaderWhole: boolean): boolean {
    const first = frame.readUInt32BE(8) === this.#header.readUInt32BE(16);
    const second = frame.readUInt32BE(12) === this.#header.readUInt32BE(20);
    return isHeaderWhole ? first && second : first || second;
  }

  #sum(bytes: Buffer, [before, after]: Sums): Sums {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let [one, other] = [before, after];
    for (let at = 0; at < bytes.length; at += 8) {
      one = (one + view.getUint32(at, this.#isLittle) + other) >>> 0;
      other = (other + view.getUint32(at + 4, this.#isLittle) + one) >>> 0;
    }
    return [one, other];
  }
}

function sumsAt(bytes: Buffer, at: number): Sums {
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
}

function isSame(some: Sums, others: Sums): boolean {
  return some[0] === others[0] && some[1] === others[1];
}

/** `undefined` where the file ends before. */
function read(file: number, at: number, length: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(length);
  return readSync(file, bytes, 0, length, at) === length ? bytes : undefined;
}
