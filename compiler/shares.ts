/**
 * Builds many sources on several threads, each with a program of its own that has only its share.
 * What a build of a source is, is in `build.ts`; what comes of it does not depend on the shares.
 */
import { build, type Built } from "./build.js";
import { noSaga } from "./diagnostics/catalogue/project.js";
import { exitCode, inOrder } from "./diagnostics/report.js";
import type { FrontendOptions, Program } from "./frontend/index.js";
import type { Answer } from "./share-worker.js";
import type { Threads } from "./threads.js";

/**
 * Absent if there are too few sources; or if a share has an error: since one error can follow from
 * another in a file of another share, all is built again in one thread to say each cause once.
 */
export async function buildInShares(
  { cwd, paths, project }: FrontendOptions,
  program: Program,
  threads: Threads,
): Promise<Built | undefined> {
  const [own, ...others] = shareOut(program.candidates, threads.for(program.candidates.length));
  if (own === undefined || others.length === 0) return undefined;
  const options = { cwd, paths, project };
  const elsewhere = others.map((files) => threads.build({ options, files }));
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
export function shareOut(files: readonly string[], threads: number): (readonly string[])[] {
  const size = Math.ceil(files.length / threads);
  return Array.from({ length: threads }, (_, index) =>
    files.slice(index * size, (index + 1) * size),
  );
}
