/** `--fix` mends what is certain, and leaves alone what is not. */
import { afterEach, describe, expect, test } from "vitest";
import { edited } from "../../compiler/fix.js";
import { Project } from "./project.js";

let project: Project | undefined;
afterEach(() => {
  project?.remove();
  project = undefined;
});

const faulty = `import { action, saga, undo } from "steno-runtime";

function tidy(name: string): string {
  return name.trim();
}

class Rooms {
  @action({ rety: { attempts: 3 } })
  private async book(name: string): Promise<string> {
    return name;
  }

  @undo("bok")
  cancel(room: string): void {
    console.log(room);
  }

  @action({ undo: "none" })
  clean() {
    return Promise.resolve();
  }

  @saga
  async rooms(params: { name: string }): Promise<string> {
    const room = await this.book(tidy(params.name));
    await this.clean();
    return room;
  }
}
`;

const mended = faulty
  .replace("function tidy", "export function tidy")
  .replace("class Rooms", "export class Rooms")
  .replace("rety", "retry")
  .replace("private async", "async")
  .replace('"bok"', '"book"')
  .replace("cancel(room: string): void", "async cancel(room: string): Promise<void>");

describe("--fix", () => {
  test("mends all that has one certain fix, also what shows only after another is mended", () => {
    const made = (project = new Project({ "rooms.ts": faulty }));
    const { code, stdout, stderr } = made.compile("--fix");
    expect(made.read("rooms.ts")).toBe(mended);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("fixed 6 errors\n  rooms.ts\ncompiled 1 saga\n");
  });

  test("says what it could mend, and in JSON how", () => {
    const made = (project = new Project({
      "rooms.ts": mended.replace("export class", "class"),
    }));
    expect(made.compile().stderr).toContain("1 error (--fix mends 1)");
    const [first] = JSON.parse(made.compile("--json").stdout) as { readonly fix: unknown }[];
    const place = { file: "rooms.ts", line: 7, column: 1, endLine: 7, endColumn: 1 };
    expect(first?.fix).toEqual([{ ...place, text: "export " }]);
    expect(made.read("rooms.ts")).not.toContain("export class");
  });

  test("leaves alone what could be meant in more than one way", () => {
    const text = mended.replace('@undo("book")', '@undo("somethingElse")');
    const made = (project = new Project({ "rooms.ts": text }));
    const { code, stderr } = made.compile("--fix");
    expect(made.read("rooms.ts")).toBe(text);
    expect(code).toBe(1);
    expect(stderr).toContain("fixed nothing");
  });

  test("is no check, and does not go on for ever", () => {
    const made = (project = new Project());
    for (const other of ["--check", "--watch"]) {
      const { code, stderr } = made.compile("--fix", other);
      expect(stderr).toContain("cannot be used with");
      expect(code).toBe(2);
    }
  });
});

test("edits are made from the end of the file, in whatever order they come", () => {
  const at = (start: number, end: number, text: string): Parameters<typeof edited>[1][number] => ({
    span: { file: "a.ts", start, end },
    text,
  });
  expect(edited("one two three", [at(0, 3, "1"), at(8, 13, "3"), at(4, 7, "")])).toBe("1  3");
});
