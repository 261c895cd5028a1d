/**
 * Builds many sources on several threads, each with a program of its own that has only its share.
 * What a build of a source is, is in `build.ts`; what comes of it does not depend on the shares.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { build, type Built } from "./build.js";
import { noSaga } from "./diagnostics/catalogue/project.js";
import { exitCode, inOrder } from "./diagnostics/report.js";
import type { FrontendOptions, Program } from "./frontend/index.js";
import type { Answer, Share } from "./share-worker.js";

/** Fewer sources than this are built sooner than a thread has loaded TypeScript and its libraries. */
const WORTH_A_THREAD = 30;

/** How many sources this thread builds while another one loads TypeScript. */
const HEAD_START = 14;

/** Each thread holds TypeScript's libraries, about 200 MB; and the disk becomes the limit. */
const MOST_THREADS = 8;

/**
 * Absent if there are too few sources; or if a share has an error: since one error can follow from
 * another in a file of another share, all is built again in one thread to say each cause once.
 */
export async function buildInShares(
  { cwd, paths, project }: FrontendOptions,
  program: Program,
): Promise<Built | undefined> {
  const [own, ...others] = shareOut(program.candidates);
  if (own === undefined || others.length === 0) return undefined;
  const options = { cwd, paths, project };
  const elsewhere = others.map((files) => buildElsewhere({ options, files }));
  const [first, ...rest] = await Promise.all([build(program, new Set(own)), ...elsewhere]);
  const answers: readonly Answer[] = [first, ...rest];
  // That there is no saga is an error only where no share has one.
  const diagnostics = inOrder(answers.flatMap((answer) => answer.diagnostics)).filter(
    ({ code }) => code !== noSaga.code,
  );
  const sources = answers.flatMap((answer) => answer.sources);
  if (sources.length === 0 || exitCode({ diagnostics }) !== 0) return undefined;
  return {
    diagnostics,
    // Shares are consecutive, and so is what comes of them.
    sources,
    outputs: answers.flatMap(({ outputs }) => outputs),
    places: first.places,
  };
}

/** Consecutive files, since neighbours import the same; the first share is this thread's. */
export function shareOut(
  files: readonly string[],
  threads = Math.min(availableParallelism(), MOST_THREADS),
): (readonly string[])[] {
  const count = Math.min(threads, Math.floor(files.length / WORTH_A_THREAD));
  if (count < 2) return [files];
  const size = Math.floor((files.length - HEAD_START) / count);
  const own = files.length - size * (count - 1);
  return Array.from({ length: count }, (_, index) =>
    index === 0 ? files.slice(0, own) : files.slice(own + (index - 1) * size, own + index * size),
  );
}

function buildElsewhere(share: Share): Promise<Answer> {
  const file = new URL("./share-worker.js", import.meta.url);
  return new Promise((resolve, reject) => {
    const worker = new Worker(file, { workerData: share });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("a thread ended without an answer")));
  });
}
