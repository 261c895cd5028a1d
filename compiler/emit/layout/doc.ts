/**
 * Lays out documents as prettier does, with its algorithm: what may break stays on one line if it fits.
 * It knows nothing of TypeScript. What is rigid may not break: where it does not fit, the text is
 * left to prettier itself.
 */

/** Raised where a text is beyond what is known here. */
export class Beyond extends Error {}

export type Doc =
  | string
  | readonly Doc[]
  | Line
  | { readonly kind: "indent"; readonly contents: Doc }
  | Group
  | { readonly kind: "ifBreak"; readonly broken: string; readonly flat: string }
  | Seam;

interface Line {
  readonly kind: "line";
  readonly soft: boolean;
  readonly hard: boolean;
}

/** The space in front of a value, where its line could end. */
interface Seam {
  readonly kind: "seam";
}

interface Group {
  readonly kind: "group";
  readonly contents: Doc;
  readonly breaks: boolean;
  /** Whether what it stands in breaks, too. */
  readonly spreads: boolean;
  /** Not to be broken here. */
  readonly rigid: boolean;
  /** What to try, from flat to wide open. */
  readonly states: readonly Doc[] | undefined;
}

export const LINE: Line = { kind: "line", soft: false, hard: false };
export const SOFT: Line = { kind: "line", soft: true, hard: false };
export const HARD: Line = { kind: "line", soft: false, hard: true };

export function indent(contents: Doc): Doc {
  return { kind: "indent", contents };
}

/** Breaks if it has to, or if something inside does. */
export function group(contents: Doc, wanted = false): Doc {
  const breaks = wanted || mustBreak(contents);
  return { kind: "group", contents, breaks, spreads: breaks, rigid: false, states: undefined };
}

/** What is on one line, or beyond what is known here. */
export function rigid(contents: Doc): Doc {
  if (mustBreak(contents)) throw new Beyond("has to break where it may not");
  const breaks = false;
  return { kind: "group", contents, breaks, spreads: breaks, rigid: true, states: undefined };
}

/** The first of the states that fits; the last one if none does. */
export function oneOf(states: readonly [Doc, ...Doc[]]): Doc {
  const [contents] = states;
  const spreads = mustBreak(contents);
  return { kind: "group", contents, breaks: false, spreads, rigid: false, states };
}

/** A comma, for instance, behind the last of a list only where each has a line of its own. */
export function ifBreak(broken: string, flat = ""): Doc {
  return { kind: "ifBreak", broken, flat };
}

/** What follows begins on the same line, or is beyond what is known here. */
export const SEAM: Seam = { kind: "seam" };

export function join(separator: Doc, docs: readonly Doc[]): Doc[] {
  const joined: Doc[] = [];
  for (const doc of docs) {
    if (joined.length > 0) joined.push(separator);
    joined.push(doc);
  }
  return joined;
}

/** Whether a document cannot be on one line. A choice between states decides for itself. */
export function mustBreak(doc: Doc): boolean {
  if (typeof doc === "string") return false;
  if (!("kind" in doc)) return doc.some(mustBreak);
  switch (doc.kind) {
    case "line":
      return doc.hard;
    case "group":
      return doc.spreads;
    case "ifBreak":
    case "seam":
      return false;
    default:
      return mustBreak(doc.contents);
  }
}

interface Command {
  readonly indent: number;
  readonly flat: boolean;
  readonly doc: Doc;
}

/** The text of a document whose lines are at most this wide, where that is possible. */
export function print(doc: Doc, width: number): string {
  return new Printing(width).print(doc);
}

class Printing {
  private readonly out: string[] = [];
  private readonly commands: Command[] = [];
  private column = 0;

  constructor(private readonly width: number) {}

  print(doc: Doc): string {
    this.commands.push({ indent: 0, flat: false, doc });
    for (;;) {
      const next = this.commands.pop();
      if (next === undefined) return this.out.join("");
      this.step(next);
    }
  }

  private step(command: Command): void {
    const { doc, flat } = command;
    if (typeof doc === "string") {
      checkWidth(doc);
      this.out.push(doc);
      this.column += doc.length;
      return;
    }
    if (!("kind" in doc)) {
      for (let index = doc.length - 1; index >= 0; index--) {
        this.commands.push({ indent: command.indent, flat, doc: doc[index] ?? "" });
      }
      return;
    }
    switch (doc.kind) {
      case "line":
        return this.line(doc, command);
      case "indent":
        this.commands.push({ indent: command.indent + 1, flat, doc: doc.contents });
        return;
      case "ifBreak":
        this.commands.push({ indent: command.indent, flat, doc: flat ? doc.flat : doc.broken });
        return;
      case "seam": {
        const space = { indent: command.indent, flat, doc: " " };
        if (!flat && !this.fits(space)) throw new Beyond("does not begin on its line");
        this.commands.push(space);
        return;
      }
      case "group":
        return this.group(doc, command);
    }
  }

  private line({ soft, hard }: Line, { indent: depth, flat }: Command): void {
    if (flat && !hard) {
      if (!soft) this.out.push(" ");
      this.column += soft ? 0 : 1;
      return;
    }
    // No spaces at the end of a line.
    if (isSpaces(this.out.at(-1) ?? "")) this.out.pop();
    this.out.push("\n", "  ".repeat(depth));
    this.column = depth * 2;
  }

  private group(doc: Group, { indent: depth, flat }: Command): void {
    if (flat) {
      this.commands.push({ indent: depth, flat: !doc.breaks, doc: doc.contents });
      return;
    }
    const next = { indent: depth, flat: true, doc: doc.contents };
    if (!doc.breaks && this.fits(next)) {
      this.commands.push(next);
      return;
    }
    if (doc.rigid) throw new Beyond("does not fit");
    const open = { indent: depth, flat: false, doc: doc.states?.at(-1) ?? doc.contents };
    const state = doc.states
      ?.slice(1, -1)
      .map((each) => ({ indent: depth, flat: true, doc: each }))
      .find((each) => this.fits(each));
    this.commands.push(state ?? open);
  }

  /**
   * Whether the line has room for what comes up to the next place where it may end. Every text in it
   * is printed in the end, and is checked then.
   */
  private fits(next: Command): boolean {
    let room = this.width - this.column;
    let rest = this.commands.length;
    const stack: Omit<Command, "indent">[] = [next];
    while (room >= 0) {
      const top = stack.pop() ?? this.commands[--rest];
      if (top === undefined) return true;
      const { doc, flat } = top;
      if (typeof doc === "string") {
        room -= doc.length;
      } else if (!("kind" in doc)) {
        for (let index = doc.length - 1; index >= 0; index--) {
          stack.push({ flat, doc: doc[index] ?? "" });
        }
      } else if (doc.kind === "line") {
        if (!flat || doc.hard) return true;
        if (!doc.soft) room--;
      } else if (doc.kind === "seam") {
        if (!flat) return true;
        room--;
      } else if (doc.kind === "ifBreak") {
        stack.push({ flat, doc: flat ? doc.flat : doc.broken });
      } else if (doc.kind === "group") {
        const isFlat = flat && !doc.breaks;
        const contents = isFlat ? undefined : doc.states?.at(-1);
        stack.push({ flat: isFlat, doc: contents ?? doc.contents });
      } else {
        stack.push({ flat, doc: doc.contents });
      }
    }
    return false;
  }
}

/** A text takes as many columns as it has characters. Beyond ASCII that is a science of its own. */
function checkWidth(text: string): void {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Beyond("a text of unknown width");
}

function isSpaces(text: string): boolean {
  return text.startsWith(" ") && text.trim() === "";
}
