/**
 * How the command line writes: text for people, JSON for programs. It decides nothing about what is
 * said. Results go to stdout; remarks and problems go to stderr, so that output can be piped.
 */
import picocolors from "picocolors";
import type { RunStatus } from "../stores/store.js";

/** Where a command writes its result. */
export interface Output {
  readonly json: boolean;
  readonly colors: ReturnType<typeof picocolors.createColors>;
  /** A line of the result, for people. */
  line(text: string): void;
  /** The result, for programs. */
  value(value: unknown): void;
  /** One of many results, for programs: a line of JSON. */
  record(value: unknown): void;
  /** A remark beside the result. */
  remark(text: string): void;
}

/** Colour only on a terminal, and never when `NO_COLOR` is set. */
export function makeOutput(json: boolean): Output {
  const coloured = process.stdout.isTTY === true && !process.env["NO_COLOR"];
  return {
    json,
    colors: picocolors.createColors(coloured),
    line: (text) => void process.stdout.write(`${text}\n`),
    value: (value) => void process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    record: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
    remark: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** The status of a run in its colour. */
export function paintStatus(output: Output, status: RunStatus, text: string = status): string {
  const { colors } = output;
  const paint = {
    running: colors.cyan,
    unwinding: colors.yellow,
    stuck: colors.magenta,
    succeeded: colors.green,
    undone: colors.red,
  }[status];
  return paint(text);
}

/** Rows as columns, each as wide as its widest cell. `paint` colours a cell after it is padded. */
export function columns(
  rows: readonly (readonly string[])[],
  paint: (cell: string, row: number, column: number) => string = (cell) => cell,
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows.map((row, rowIndex) =>
    row
      .map((cell, column) => {
        const last = column === row.length - 1;
        return paint(last ? cell : cell.padEnd(widths[column] ?? 0), rowIndex, column);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** A moment, in the time zone of whoever reads it. */
export function moment(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Text from outside on one line, without characters that could steer a terminal. */
export function oneLine(text: string, limit = Infinity): string {
  const clean = text.replace(/\s+/g, " ").replace(/[\u0000-\u001f\u007f-\u009f]/g, "\uFFFD");
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
}

/** Text as one word of a command that can be pasted into a shell. */
export function shellWord(text: string): string {
  if (/^[\w@%+:,./-]+$/.test(text)) return text;
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\uFFFD");
  return `'${clean.replaceAll("'", "'\\''")}'`;
}

/** Text of several lines from outside, without characters that could steer a terminal. */
export function manyLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/\t/g, "    ").replace(/[\u0000-\u001f\u007f-\u009f]/g, "\uFFFD"))
    .join("\n");
}
