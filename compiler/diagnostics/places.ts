/** Turns offsets into lines and columns. How a place is shown is for the frame that shows it. */
import type { Span } from "../model.js";

/** The text of a file, as the compiler read it. */
export type Text = (file: string) => string | undefined;

export interface Place {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units. */
  readonly column: number;
}

/** Finds places; keeps where the lines of each file begin. */
export class Places {
  private readonly starts = new Map<string, readonly number[]>();

  constructor(private readonly text: Text) {}

  start(span: Span): Place {
    return this.place(span.file, span.start);
  }

  end(span: Span): Place {
    return this.place(span.file, Math.max(span.start, span.end));
  }

  /** A line without its end. */
  line(file: string, line: number): string {
    const starts = this.lineStarts(file);
    const text = this.text(file) ?? "";
    return text.slice(starts[line - 1], starts[line]).replace(/\r?\n$|\r$/, "");
  }

  private place(file: string, offset: number): Place {
    const starts = this.lineStarts(file);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }

  private lineStarts(file: string): readonly number[] {
    const known = this.starts.get(file);
    if (known !== undefined) return known;
    const starts = [0];
    for (const { index, 0: end } of (this.text(file) ?? "").matchAll(/\r\n|\n|\r/g)) {
      starts.push(index + end.length);
    }
    this.starts.set(file, starts);
    return starts;
  }
}
