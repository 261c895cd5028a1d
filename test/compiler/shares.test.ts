/** Many sources are built on several threads: what comes of it is what one thread makes of them. */
import { afterEach, describe, expect, test } from "vitest";
import { build } from "../../compiler/build.js";
import { load, type FrontendOptions } from "../../compiler/frontend/index.js";
import { shareOut } from "../../compiler/shares.js";
import { Threads } from "../../compiler/threads.js";
import { greeter, Project } from "./project.js";

let project: Project | undefined;
afterEach(() => {
  project?.remove();
  project = undefined;
});

/** Sorted last, and so in another share than the first greeter, whose saga it embeds; with a hint. */
const party = `import { action, saga } from "steno-runtime";
import { Greeter0 } from "./greeter-0.js";

export class Party {
  readonly greeter = new Greeter0();

  @action({ undo: "none" })
  async pour(): Promise<void> {}

  @saga
  async party(params: { who: string }): Promise<string> {
    await this.pour();
    await this.pour();
    return await this.greeter.greeter0(params);
  }
}
`;

function make(count: number): Project {
  const greeters = Array.from({ length: count }, (_, index) => [
    `src/greeter-${index}.ts`,
    greeter(`Greeter${index}`),
  ]);
  return (project = new Project({ ...Object.fromEntries(greeters), "src/party.ts": party }));
}

async function inOneThread({ folder }: Project): Promise<Awaited<ReturnType<typeof build>>> {
  const options: FrontendOptions = { cwd: folder, paths: [] };
  const { program } = load(options);
  if (program === undefined) throw new Error("the project was not found");
  return build(program);
}

const manyMs = 180_000;

describe("on several threads", () => {
  test(
    "modules are the same to the byte, also of a saga that embeds one of another share",
    async () => {
      const made = make(70);
      const expected = await inOneThread(made);
      expect(expected.outputs).toHaveLength(71);
      const { code, stdout, stderr } = made.compile("--threads", "2");
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringContaining("compiled 71 sagas\n") as unknown,
      });
      expect(stderr.match(/name-by-position/g)).toHaveLength(1);
      for (const { file, text } of expected.outputs) {
        expect(made.read(file.slice(made.folder.length + 1))).toBe(text);
      }
      expect(made.compile("--check", "--threads", "2").code).toBe(0);
    },
    manyMs,
  );

  test(
    "errors are the same, each once, wherever their files are",
    async () => {
      const made = make(70);
      made.write("src/greeter-0.ts", greeter("Greeter0").replace('{ undo: "none" }', "{}"));
      made.write("src/greeter-69.ts", greeter("Greeter69").replace("params.who", "params.whom"));
      const expected = await inOneThread(made);
      const { code, stdout } = made.compile("--json", "--threads", "2");
      const found = JSON.parse(stdout) as { readonly code: string; readonly message: string }[];
      expect(code).toBe(1);
      expect(found.map((each) => [each.code, each.message])).toEqual(
        expected.diagnostics.map((each) => [each.code, each.message]),
      );
      expect(found.map((each) => each.code)).toContain("undo-missing");
      expect(found.map((each) => each.code)).toContain("typescript");
    },
    manyMs,
  );

  test(
    "a share without a saga is no error",
    () => {
      const made = make(0);
      made.write("src/party.ts", greeter("Party"));
      for (let index = 0; index < 70; index++) {
        const decorated = `const mark = (_: unknown, _context: unknown): void => undefined;\nexport class Plain${index} {\n  @mark plain(): void {}\n}\n`;
        made.write(`src/plain-${index}.ts`, decorated);
      }
      const { code, stdout, stderr } = made.compile("--threads", "2");
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: "compiled 1 saga\n  src/party.saga.ts\n",
        stderr: "",
      });
    },
    manyMs,
  );
});

test("a number of threads that is none is refused", () => {
  const { code, stderr } = make(0).compile("--threads", "0");
  expect(code).toBe(2);
  expect(stderr).toContain("whole number from 1");
});

describe("sharing out", () => {
  const files = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => String(index));

  test.each([
    { count: 0, threads: 1, sizes: [0] },
    { count: 100, threads: 1, sizes: [100] },
    { count: 100, threads: 2, sizes: [50, 50] },
    { count: 100, threads: 3, sizes: [34, 34, 32] },
    { count: 1000, threads: 4, sizes: [250, 250, 250, 250] },
  ])("$count sources on $threads threads", ({ count, threads, sizes }) => {
    const shares = shareOut(files(count), threads);
    expect(shares.map((share) => share.length)).toEqual(sizes);
    expect(shares.flat()).toEqual(files(count));
  });

  test.each([
    { sources: 0, most: 8, threads: 1 },
    { sources: 59, most: 2, threads: 1 },
    { sources: 60, most: 2, threads: 2 },
    { sources: 100, most: 8, threads: 3 },
    { sources: 1000, most: 4, threads: 4 },
    { sources: 1000, most: 0.5, threads: 1 },
  ])("$sources sources are worth $threads of $most threads", ({ sources, most, threads }) => {
    expect(new Threads(most).for(sources)).toBe(threads);
  });
});
