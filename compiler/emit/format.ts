/** Lays out generated text as prettier does, under fixed options: the output depends on nothing else. */
import { layOut } from "./layout/index.js";

/** A text that is laid out; or why it could not be, which is a fault of what printed it. */
export type Formatted = { readonly text: string } | { readonly error: string };

const WIDTH = 100;

/** By the layout of our own, and by prettier where that one does not know how. */
export async function format(text: string): Promise<string> {
  return layOut(text, WIDTH) ?? (await formatByPrettier(text));
}

/** Loaded only by who needs it: that takes as long as some modules. */
export async function formatByPrettier(text: string, width = WIDTH): Promise<string> {
  const { format: prettier } = await import("prettier");
  return prettier(text, { parser: "babel-ts", printWidth: width });
}

/** Formats each text, one after another, as one may fail. */
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
