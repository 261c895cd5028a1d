/**
 * Lays out a generated module as prettier would, for what modules are mostly made of. It answers with
 * nothing where it is not certain: then prettier itself lays out the text.
 */
import { Beyond, print } from "./doc.js";
import { ModuleReader } from "./statements.js";

/** The text as prettier prints it at this width; undefined: only prettier knows. */
export function layOut(text: string, width: number): string | undefined {
  try {
    return print(new ModuleReader(text).module(), width);
  } catch (error) {
    if (error instanceof Beyond) return undefined;
    throw error;
  }
}
