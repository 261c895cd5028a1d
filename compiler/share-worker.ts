/** A thread of `buildInShares`: builds the sources that it is started with, answers, and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { build, type Built } from "./build.js";
import { load, type FrontendOptions } from "./frontend/index.js";

/** What a thread is started with. */
export interface Share {
  readonly options: FrontendOptions;
  readonly files: readonly string[];
}

/** What it answers with: plain data. */
export type Answer = Pick<Built, "diagnostics" | "sources" | "outputs">;

const { options, files } = workerData as Share;
parentPort?.postMessage(await answer());

async function answer(): Promise<Answer> {
  const { program, diagnostics } = load(options);
  if (program === undefined) return { diagnostics, sources: [], outputs: [] };
  const built = await build(program, new Set(files));
  return { diagnostics: built.diagnostics, sources: built.sources, outputs: built.outputs };
}
