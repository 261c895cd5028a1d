/**
 * Diagnostics as text for people: the source lines that matter, with what matters underlined. What
 * is said is the catalogue's; this only draws.
 */
import * as path from "node:path";
import pc from "picocolors";
import { util } from "prettier";
import type { Span } from "../model.js";
import type { Diagnostic } from "./diagnostic.js";
import type { Places } from "./places.js";
import { printable } from "./printable.js";

export interface Frame {
  readonly places: Places;
  /** Files are shown relative to it. */
  readonly cwd: string;
  readonly colour: boolean;
}

const TAB = 4;
/** Longer lines are cut around what is underlined: this is what most terminals show. */
const WIDEST = 110;

type Paint = ReturnType<typeof pc.createColors>;

interface Mark {
  readonly line: number;
  /** 0-based UTF-16 offsets in the line. */
  readonly from: number;
  readonly to: number;
  readonly primary: boolean;
  readonly text: string;
}

export function toText(diagnostic: Diagnostic, frame: Frame): string {
  const paint = pc.createColors(frame.colour);
  const { code, severity, span } = diagnostic;
  const message = printable(diagnostic.message);
  const tint = { error: paint.red, warning: paint.yellow, hint: paint.cyan }[severity];
  const own = code === "internal";
  const title = own ? paint.magenta(`internal[${code}]`) : tint(`${severity}[${code}]`);
  const first = paint.bold(`${title}: ${message}`);
  const marks = marksByFile(diagnostic, frame.places);
  const last = Math.max(0, ...[...marks.values()].flat().map((mark) => mark.line));
  const margin = " ".repeat(Math.max(2, String(last).length) + 2);
  const bar = paint.blue("│");
  const body = [...marks].flatMap(([file, all], index) => {
    const at = file === span?.file ? frame.places.start(span) : undefined;
    const shown = printable(path.relative(frame.cwd, file).split(path.sep).join("/"));
    const column = at?.column ?? (all[0]?.from ?? 0) + 1;
    const head = `${shown}:${at?.line ?? all[0]?.line ?? 1}:${column}`;
    return [
      ...(index === 0 ? [] : [`${margin}${bar}`]),
      `${margin}${paint.blue("┌─")} ${head}`,
      `${margin}${bar}`,
      ...lines(file, all, margin, own ? paint.magenta : tint, paint, frame.places),
    ];
  });
  const remarks = [
    ...diagnostic.notes.map((note) => ["note", note] as const),
    ...(diagnostic.help === undefined ? [] : [["help", diagnostic.help] as const]),
  ].map(([word, text]) => {
    const rest = printable(text).split("\n").join(`\n${margin}  `);
    return `${margin}${paint.blue("=")} ${paint.bold(word)}: ${rest}`;
  });
  const gap = body.length > 0 && remarks.length > 0 ? [`${margin}${bar}`] : [];
  return [first, ...body, ...gap, ...remarks].join("\n");
}

/** The primary file first, then the others in the order of the labels. */
function marksByFile(diagnostic: Diagnostic, places: Places): Map<string, Mark[]> {
  const files = new Map<string, Mark[]>();
  const add = (span: Span, text: string, primary: boolean): void => {
    const marks = files.get(span.file) ?? [];
    files.set(span.file, [...marks, ...marksOf(span, text, primary, places)]);
  };
  if (diagnostic.span) add(diagnostic.span, diagnostic.label ?? "", true);
  for (const { span, text } of diagnostic.others) add(span, text, false);
  for (const [file, marks] of files) {
    files.set(
      file,
      marks.sort((a, b) => a.line - b.line || b.from - a.from || b.to - a.to),
    );
  }
  return files;
}

/** What spans several lines is marked on its first and its last. */
function marksOf(span: Span, text: string, primary: boolean, places: Places): Mark[] {
  const start = places.start(span);
  const end = places.end(span);
  const from = start.column - 1;
  if (end.line === start.line) {
    return [{ line: start.line, from, to: Math.max(end.column - 1, from + 1), primary, text }];
  }
  const first = places.line(span.file, start.line);
  const last = places.line(span.file, end.line);
  const indent = /^\s*/.exec(last)?.[0].length ?? 0;
  return [
    { line: start.line, from, to: Math.max(first.length, from + 1), primary, text: "" },
    { line: end.line, from: indent, to: Math.max(end.column - 1, indent + 1), primary, text },
  ];
}

function lines(
  file: string,
  marks: readonly Mark[],
  margin: string,
  tint: (text: string) => string,
  paint: Paint,
  places: Places,
): string[] {
  const bar = paint.blue("│");
  let previous: number | undefined;
  return marks.flatMap((mark) => {
    const source = places.line(file, mark.line);
    const view = cut(source, mark);
    const number = String(mark.line).padStart(margin.length - 1);
    const shown = `${paint.blue(`${number} │`)} ${view.text}`.trimEnd();
    const under = (mark.primary ? "^" : "-").repeat(view.width);
    const colour = mark.primary ? tint : paint.blue;
    const label = mark.text === "" ? "" : ` ${printable(mark.text)}`;
    const drawn = `${margin}${bar} ${" ".repeat(view.column)}${colour(under + label)}`;
    const gap =
      previous === undefined || mark.line <= previous + 1
        ? []
        : [`${margin}${paint.blue(mark.line === previous + 2 ? "│" : "⋮")}`];
    const between =
      previous !== undefined && mark.line === previous + 2
        ? [
            `${paint.blue(`${String(previous + 1).padStart(margin.length - 1)} │`)} ${expand(places.line(file, previous + 1))}`.trimEnd(),
          ]
        : gap;
    const again = mark.line === previous;
    previous = mark.line;
    return again ? [drawn] : [...between, shown, drawn];
  });
}

/** The part of a line to show, with the column and the width of the mark in it, as a terminal counts. */
function cut(source: string, { from, to }: Mark): { text: string; column: number; width: number } {
  const before = expand(source.slice(0, from));
  const marked = expand(source.slice(from, to), util.getStringWidth(before));
  const after = expand(source.slice(to));
  const column = util.getStringWidth(before);
  const width = Math.max(1, util.getStringWidth(marked));
  const whole = before + marked + after;
  if (util.getStringWidth(whole) <= WIDEST) return { text: whole, column, width };
  // What comes before is cut first if the mark would lie outside of the view.
  const room = Math.max(20, WIDEST - Math.min(width, WIDEST - 20));
  const lead = column > room ? `…${last(before, Math.floor(room / 2))}` : before;
  const text = first(lead + marked + after, WIDEST - 1);
  const start = util.getStringWidth(lead);
  return { text: `${text}…`, column: start, width: Math.min(width, WIDEST - start) };
}

function expand(text: string, column = 0): string {
  let at = column;
  return [...text]
    .map((character) => {
      const shown = character === "\t" ? " ".repeat(TAB - (at % TAB)) : printable(character);
      at += util.getStringWidth(shown);
      return shown;
    })
    .join("");
}

function first(text: string, width: number): string {
  let used = 0;
  const characters = [...text];
  const end = characters.findIndex((character) => (used += util.getStringWidth(character)) > width);
  return end === -1 ? text : characters.slice(0, end).join("");
}

function last(text: string, width: number): string {
  return [...first([...text].reverse().join(""), width)].reverse().join("");
}
