/** A thread of `Threads`: loads TypeScript, waits for a share, builds its sources, answers, and ends. */
import { parentPort } from "node:worker_threads";
import { build, type Built } from "./build.js";
import { load, type FrontendOptions } from "./frontend/index.js";

/** Some sources of a project. */
export interface Share {
  readonly options: FrontendOptions;
  readonly files: readonly string[];
}

/** What it answers with: plain data. */
export type Answer = Pick<Built, "diagnostics" | "sources" | "outputs">;

parentPort?.once("message", (share: Share) => {
  // What it throws ends the thread, and is thrown where the answer is awaited.
  void answer(share).then((built) => parentPort?.postMessage(built));
});

async function answer({ options, files }: Share): Promise<Answer> {
  const { program, diagnostics } = load(options);
  if (program === undefined) return { diagnostics, sources: [], outputs: [] };
  const { diagnostics: found, sources, outputs } = await build(program, new Set(files));
  return { diagnostics: found, sources, outputs };
}
