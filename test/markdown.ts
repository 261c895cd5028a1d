/** Reads the fenced code blocks of a document, for the tests that hold them to what they say. */
import { readFileSync } from "node:fs";

export interface Block {
  readonly language: string;
  readonly text: string;
  /** What its first line, a comment, says it is: `// src/main.ts`. */
  readonly file: string | undefined;
  /** The text of an HTML comment right before it. */
  readonly marker: string | undefined;
  /** 1-based, of its first line. */
  readonly line: number;
}

export function codeBlocks(file: string): readonly Block[] {
  const document = readFileSync(file, "utf8");
  const fence = /(?:<!-- (.*) -->\n\n)?^```(\w*)\n([\s\S]*?)^```$/gm;
  return [...document.matchAll(fence)].map((match) => {
    const [all, marker, language = "", text = ""] = match;
    const before = document.slice(0, match.index + all.indexOf("```")).split("\n").length;
    return { language, text, file: /^\/\/ (\S+)\n/.exec(text)?.[1], marker, line: before + 1 };
  });
}
