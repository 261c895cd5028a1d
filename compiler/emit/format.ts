/** Lays out generated text with prettier, under fixed options: the output depends on nothing else. */
import { format as prettier } from "prettier";

export async function format(text: string): Promise<string> {
  return prettier(text, { parser: "babel-ts", printWidth: 100 });
}
