/** The page of a code, as `steno-compile explain` shows it. The same pages make `docs/ERRORS.md`. */
import { catalogue, type AnyEntry } from "./catalogue/index.js";
import { nearest } from "./nearest.js";

export type Explained =
  | { readonly text: string }
  /** No such code; the nearest that there is. */
  | { readonly unknown: string; readonly meant: string | undefined };

/** All codes, in alphabetical order. */
export function codes(): readonly string[] {
  return [...catalogue.keys()];
}

/** Takes the code as it is printed, too: `error[undo-missing]`. */
export function explain(asked: string): Explained {
  const code = /\[(.+)\]/.exec(asked)?.[1] ?? asked;
  const entry = catalogue.get(code);
  if (entry === undefined) return { unknown: code, meant: nearest(code, catalogue.keys()) };
  const { reason, bad, good } = entry.page;
  const examples = [
    ["This is refused:", bad],
    ["This is accepted:", good],
  ].filter(([, text]) => text !== "");
  const shown = examples.map(([title = "", text = ""]) => `${title}\n\n${indent(text.trimEnd())}`);
  return { text: [`${entry.severity}[${code}]`, wrap(reason), ...shown].join("\n\n") };
}

/** `docs/ERRORS.md`. */
export function errorsPage(): string {
  const sections = [...catalogue].map(([code, entry]) => section(code, entry));
  const head = [
    "# Messages of the compiler",
    "",
    "Generated from the catalogue by `npm run docs`. `steno-compile explain <code>` shows the same.",
  ].join("\n");
  return `${[head, ...sections].join("\n\n")}\n`;
}

function section(code: string, { severity, page }: AnyEntry): string {
  const block = (title: string, text: string): string[] => {
    if (text === "") return [];
    const language = text.includes("\n") ? "ts" : "sh";
    return [`${title}\n\n\`\`\`${language}\n${text.trimEnd()}\n\`\`\``];
  };
  return [
    `## ${code}`,
    ...(severity === "error" ? [] : [`_${severity}_`]),
    page.reason,
    ...block("This is refused:", page.bad),
    ...block("This is accepted:", page.good),
  ].join("\n\n");
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}

/** Lines of at most 88 characters: comfortable to read. */
function wrap(text: string): string {
  return text.replace(/(?![^\n]{1,88}$)([^\n]{1,88})\s/g, "$1\n");
}
