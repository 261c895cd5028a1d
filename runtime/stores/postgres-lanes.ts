/**
 * The connections of a coordinator that commit, each one commit after the other. A commit whose
 * connection is lost is sent again until it is known what became of it: the lane counts its commits
 * in the database, in the same statement, so that none is done twice.
 */
import { StoreError } from "../errors.js";
import {
  type Batch,
  type CommitStatement,
  commitStatement,
  type Committer,
  NO_LANE,
  NOT_HELD,
} from "./postgres-commit.js";
import { isOutage, type Link, lockedError } from "./postgres-link.js";
import { numberOf } from "./rows.js";
import { inSchema } from "./postgres-schema.js";

interface Lane {
  readonly link: Link;
  readonly place: number;
  /** Done in this epoch. */
  commits: number;
  epoch: number;
}

export class Lanes {
  readonly count: number;
  readonly #schema: string;
  readonly #free: Lane[];
  readonly #links: readonly Link[];
  readonly #waiting: ((lane: Lane) => void)[] = [];

  constructor(links: readonly Link[], schema: string) {
    this.#schema = schema;
    this.#links = links;
    this.count = links.length;
    this.#free = links.map((link, place) => ({ link, place, commits: 0, epoch: 0 }));
  }

  /** All of them, so that what is wrong is told before anything runs. @throws StoreError `store-unreachable` */
  async connect(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.patiently(() => link.connected())));
  }

  /**
   * @throws StoreError `store-fenced` if the epoch is over, `store-locked` if a transaction that is open
   *   has started a run that is to be made: then nothing was written
   */
  async commit(batch: Batch, epoch: number, isOver: () => boolean): Promise<void> {
    const lane = this.#free.pop() ?? (await new Promise<Lane>((take) => this.#waiting.push(take)));
    try {
      if (lane.epoch !== epoch) {
        lane.epoch = epoch;
        lane.commits = 0;
      }
      await this.#send(lane, batch, isOver);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(lane);
      else next(lane);
    }
  }

  async #send(lane: Lane, batch: Batch, isOver: () => boolean): Promise<void> {
    const { epoch, place, link } = lane;
    const commit = lane.commits + 1;
    const committer: Committer = { epoch, lane: place, commit };
    const statement: CommitStatement = commitStatement(batch, committer, this.#schema);
    await link.patiently(async () => {
      // Its runs are somebody else's meanwhile.
      if (isOver()) throw fenced();
      try {
        await link.once(statement);
      } catch (error) {
        // Only who has the lane waits so that it gives up: what it was to do has not been done before.
        const locked = lockedError(error);
        if (locked !== undefined) throw locked;
        if (isOutage(error) || !(await this.#isDone(lane, commit, error))) throw error;
      }
    });
    lane.commits = commit;
  }

  /** Whether what failed now had been done before its connection was lost. */
  async #isDone({ link, place, epoch }: Lane, commit: number, error: unknown): Promise<boolean> {
    const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
    // An id that is taken may be so by the commit itself, and the server is free to find that first.
    const isRefused = code === "STN01" || code === "23505";
    if (!isRefused) return false;
    const sql = "SELECT commits FROM S.lanes WHERE coordinator = $1 AND lane = $2";
    const [row] = await link.once({ text: inSchema(sql, this.#schema), values: [epoch, place] });
    if (row === undefined) throw fenced();
    if (numberOf(row["commits"]) === commit) return true;
    if (code === "STN01" && (message === NOT_HELD || message === NO_LANE)) throw fenced();
    return false;
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
  }
}

export function fenced(): StoreError {
  return new StoreError(
    "store-fenced",
    "this coordinator was silent for longer than its lease, and others go on with its runs: nothing " +
      "was written; it goes on as a new one, and what was asked of it can be asked again",
  );
}
