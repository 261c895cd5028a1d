/** Lays out generated text with prettier, under fixed options: the output depends on nothing else. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { format as prettier } from "prettier";

/** A text that is laid out; or why it could not be, which is a fault of what printed it. */
export type Formatted = { readonly text: string } | { readonly error: string };

/** Fewer texts than this are done sooner than a second thread has loaded prettier. */
const WORTH_A_THREAD = 100;

export async function format(text: string): Promise<string> {
  return prettier(text, { parser: "babel-ts", printWidth: 100 });
}

/** Formats each text, one after another, in this thread. */
export async function formatEach(texts: readonly string[]): Promise<Formatted[]> {
  const results: Formatted[] = [];
  for (const text of texts) {
    try {
      results.push({ text: await format(text) });
    } catch (error) {
      results.push({
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }
  return results;
}

/** The same for a whole project: a second thread takes half of many texts. */
export async function formatAll(texts: readonly string[]): Promise<Formatted[]> {
  if (texts.length < WORTH_A_THREAD || availableParallelism() < 2) return formatEach(texts);
  const half = Math.ceil(texts.length / 2);
  const other = formatElsewhere(texts.slice(half));
  const [first, second] = await Promise.all([formatEach(texts.slice(0, half)), other]);
  return [...first, ...second];
}

function formatElsewhere(texts: readonly string[]): Promise<Formatted[]> {
  const file = new URL("./format-worker.js", import.meta.url);
  return new Promise((resolve, reject) => {
    const worker = new Worker(file, { workerData: texts });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
