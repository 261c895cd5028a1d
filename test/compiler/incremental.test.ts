/** Building again after an edit gives what building from nothing gives, and builds no more than it must. */
import * as fc from "fast-check";
import { rmSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { build, type Built } from "../../compiler/build.js";
import { load, Rereader } from "../../compiler/frontend/index.js";
import { IncrementalBuild } from "../../compiler/incremental.js";
import { greeter, Project } from "./project.js";

let project: Project | undefined;
afterEach(() => {
  project?.remove();
  project = undefined;
});

/** For each file some texts; `undefined`: it is not there. Some are wrong, some make others wrong. */
const texts: Readonly<Record<string, readonly (string | undefined)[]>> = {
  "src/types.ts": [
    "export interface Guest { name: string }",
    "export interface Guest { name: string; seat?: number }",
    "export interface Guest { name: () => void }",
    "export interface Guest { title: string }",
    "export interface Guest { name: ",
  ],
  "src/base.ts": [
    base('@action({ undo: "none" })'),
    base("@action"),
    base('@action({ undo: "none" })').replace("guest.name", '"you"'),
  ],
  "src/host.ts": [
    host("await this.welcome(guest); return await this.count();"),
    host("await this.welcome(guest);\n    await this.count();\n    return await this.count();"),
    host("this.welcome(guest); return 1;"),
    undefined,
  ],
  "src/party.ts": [party("Host"), party("Host").replace("await this.host", "this.host"), undefined],
  "src/alone.ts": [
    greeter("Alone"),
    greeter("Alone").replace("async greet", "greet"),
    "export {};",
  ],
};

function base(decorator: string): string {
  return `import { action } from "steno-runtime";
import type { Guest } from "./types.js";

export abstract class Base {
  ${decorator}
  async welcome(guest: Guest): Promise<string> {
    return guest.name;
  }
}
`;
}

function host(body: string): string {
  return `import { action, saga } from "steno-runtime";
import { Base } from "./base.js";
import type { Guest } from "./types.js";

export class Host extends Base {
  @action({ undo: "none" })
  async count(): Promise<number> {
    return 1;
  }

  @saga
  async host(guest: Guest): Promise<number> {
    ${body}
  }
}
`;
}

function party(name: string): string {
  return `import { saga } from "steno-runtime";
import { ${name} } from "./host.js";
import type { Guest } from "./types.js";

export class Party {
  readonly host = new ${name}();

  @saga
  async party(guest: Guest): Promise<number> {
    return await this.host.host(guest);
  }
}
`;
}

function write(made: Project, name: string, choice: number): void {
  const variants = texts[name] ?? [];
  const text = variants[choice % variants.length];
  if (text === undefined) rmSync(made.path(name), { force: true });
  else made.write(name, text);
}

function found({ folder }: Project): NonNullable<ReturnType<typeof load>["program"]> {
  const { program } = load({ cwd: folder, paths: [] });
  if (program === undefined) throw new Error("the project was not found");
  return program;
}

function facts({ diagnostics, outputs, sources }: Built): unknown {
  return { diagnostics, outputs, files: sources.map(({ file }) => file) };
}

const names = Object.keys(texts);
const edits = fc.array(fc.tuple(fc.nat(names.length - 1), fc.nat(4)), {
  minLength: 4,
  maxLength: 4,
});

test("after any edits it is what a build from nothing gives", async () => {
  const made = (project = new Project());
  let broken = 0;
  await fc.assert(
    fc.asyncProperty(edits, async (list) => {
      for (const name of names) write(made, name, 0);
      const incremental = new IncrementalBuild();
      await incremental.build(found(made));
      for (const [file, choice] of list) {
        write(made, names[file] as string, choice);
        const again = await incremental.build(found(made));
        expect(facts(again)).toEqual(facts(await build(found(made))));
        if (again.diagnostics.some(({ severity }) => severity === "error")) broken += 1;
      }
    }),
    { numRuns: 3, seed: 20 },
  );
  // Else nothing of what is hard was tried.
  expect(broken).toBeGreaterThan(3);
}, 300_000);

test("only what imports a changed file is built again", () => {
  const made = (project = new Project());
  for (const name of names) write(made, name, 0);
  const rereader = new Rereader();
  const touched = (): string[] =>
    [...rereader.read(found(made), []).touched].map((file) => file.slice(made.path("src/").length));
  expect(touched().sort()).toEqual(["alone.ts", "base.ts", "host.ts", "party.ts"]);
  expect(touched()).toEqual([]);
  made.write("src/alone.saga.ts", "export {};");
  expect(touched()).toEqual([]);
  write(made, "src/alone.ts", 1);
  expect(touched()).toEqual(["alone.ts"]);
  write(made, "src/party.ts", 1);
  expect(touched()).toEqual(["party.ts"]);
  write(made, "src/types.ts", 1);
  expect(touched().sort()).toEqual(["base.ts", "host.ts", "party.ts"]);
});
