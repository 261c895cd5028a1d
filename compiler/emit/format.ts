/** Lays out generated text with prettier, under fixed options: the output depends on nothing else. */
import { format as prettier } from "prettier";

/** A text that is laid out; or why it could not be, which is a fault of what printed it. */
export type Formatted = { readonly text: string } | { readonly error: string };

export async function format(text: string): Promise<string> {
  return prettier(text, { parser: "babel-ts", printWidth: 100 });
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
