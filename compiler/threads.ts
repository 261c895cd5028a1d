/**
 * Threads that build shares of a project. They can be started before it is known what they will build:
 * to load TypeScript takes each as long as it takes this thread. What a share is, is in `shares.ts`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import * as path from "node:path";
import { Worker } from "node:worker_threads";
import type { Answer, Share } from "./share-worker.js";

/** Fewer sources than this are built sooner than a thread has loaded TypeScript and its libraries. */
const WORTH_A_THREAD = 30;

/** Each thread holds TypeScript's libraries, about 200 MB; and the disk becomes the limit. */
const MOST_THREADS = 8;

/**
 * One thread of ours keeps about one core and a half busy: V8 collects garbage and optimises beside it.
 * On two cores a second one costs half as much again, and saves nothing.
 */
const CORES_A_THREAD = 2;

/** Files that a guess looks at: a look at all of a large project would cost what it may save. */
const GUESSED_BY = 1000;

const SOURCE = /(?<!\.d|\.saga)\.[cm]?tsx?$/;

/** A thread, and what it will answer. */
interface Thread {
  readonly worker: Worker;
  readonly answer: Promise<Answer>;
}

export class Threads {
  readonly #most: number;
  readonly #idle: Thread[] = [];

  /** `most`: so many are used at most, this one included. */
  constructor(most = Math.min(availableParallelism() / CORES_A_THREAD, MOST_THREADS)) {
    this.#most = most;
  }

  /** How many threads are to share in the work on so many sources, this one included. */
  for(sources: number): number {
    return Math.max(1, Math.floor(Math.min(this.#most, sources / WORTH_A_THREAD)));
  }

  /** Starts threads of which each will likely have something to build from these files and folders. */
  startFor(places: readonly string[]): void {
    if (this.#most < 2) return;
    const sources = guessSources(places, WORTH_A_THREAD * this.#most);
    for (let more = this.for(sources) - 1; more > 0; more--) this.#idle.push(start());
  }

  /** Builds a share in a thread that waits for one, or else in a new one. */
  build(share: Share): Promise<Answer> {
    const { worker, answer } = this.#idle.pop() ?? start();
    worker.postMessage(share);
    return answer;
  }

  /** Ends the threads that got nothing to build. */
  close(): void {
    for (const { worker } of this.#idle.splice(0)) void worker.terminate();
  }
}

function start(): Thread {
  const worker = new Worker(new URL("./share-worker.js", import.meta.url));
  const answer = new Promise<Answer>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("a thread ended without an answer")));
  });
  // One that is ended before it has something to build fails nobody.
  answer.catch(() => undefined);
  return { worker, answer };
}

/**
 * About how many sources with a saga there are in some folders, and below; it stops at `most`. It knows
 * nothing of tsconfigs, so that it is for what may be wrong.
 */
function guessSources(folders: readonly string[], most: number): number {
  let looked = 0;
  let found = 0;
  const open = [...folders];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of entriesOf(folder)) {
      if (found >= most || looked >= GUESSED_BY) return found;
      const full = path.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules" && !entry.name.startsWith(".")) open.push(full);
      } else if (SOURCE.test(entry.name)) {
        looked += 1;
        if (textOf(full).includes("@saga")) found += 1;
      }
    }
  }
  return found;
}

function entriesOf(folder: string): import("node:fs").Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // No folder, or one that may not be read: whoever loads the project says so.
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
