/**
 * Holds the documents to what they say: every code block is run or compiled by some test, every
 * test that they name exists, every link leads somewhere.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { codeBlocks } from "./markdown.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const docs = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
const documents = ["README.md", "CHANGELOG.md", ...docs];

/** Which test runs the blocks of which language; a block that nobody runs is an error. */
const runBy: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "README.md": {
    ts: "test/package/readme.test.ts",
    json: "test/package/readme.test.ts",
    sh: "test/package/readme.test.ts",
  },
  "docs/ERRORS.md": {
    ts: "test/compiler/catalogue.test.ts",
    sh: "test/compiler/catalogue.test.ts",
  },
  "docs/GUIDE.md": { ts: "test/package/guide.test.ts", json: "test/package/guide.test.ts" },
  "docs/LANGUAGE.md": { ts: "test/compiler/language.test.ts" },
  "docs/RESTATE.md": { ts: "test/restate/docs.test.ts", sh: "test/restate/docs.test.ts" },
  "docs/SCALING.md": { ts: "test/stores/fleet.test.ts", sql: "test/stores/fleet.test.ts" },
  "docs/OPERATING.md": { sh: "test/cli/operating.test.ts" },
  "docs/VALUES.md": { ts: "test/values/output-schema.test.ts" },
  "docs/STORE.md": { sql: "test/stores/queries.test.ts", sh: "test/stores/queries.test.ts" },
};
/** Pictures and output: shown, not run. Few, so that nobody hides a broken example in one. */
const SHOWN_AT_MOST = 3;

describe.each(documents)("%s", (document) => {
  const blocks = codeBlocks(join(root, document));
  const text = readFileSync(join(root, document), "utf8");

  test("every code block is run by a test that exists", () => {
    for (const { language, line } of blocks.filter((block) => block.language !== "text")) {
      const by = runBy[document]?.[language];
      expect(by, `${document}:${line}: who runs this block?`).toBeDefined();
      const source = readFileSync(join(root, by ?? ""), "utf8");
      expect(source, `${by} reads ${document}`).toContain(basename(document));
    }
    const shown = blocks.filter((block) => block.language === "text");
    expect(shown.length).toBeLessThanOrEqual(SHOWN_AT_MOST);
  });

  test("every link leads to a file", () => {
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      const file = join(root, dirname(document), target);
      expect(existsSync(file), `${document} links to ${target}`).toBe(true);
    }
  });
});

test("what the README tells to run in this repository are its scripts", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const here = codeBlocks(join(root, "README.md")).filter(
    (block) => block.marker === "in this repository",
  );
  const commands = here.flatMap(({ text }) => text.trim().split(/\n| && /));
  expect(commands).toContain("npm run demo");
  for (const command of commands.filter((command) => command !== "npm ci")) {
    const name = /^npm (?:run )?([\w:-]+)$/.exec(command)?.[1];
    expect(Object.keys(scripts), command).toContain(name);
  }
  const ci = readFileSync(join(root, ".ci/run"), "utf8");
  expect(ci.trim().split("\n").at(-1)).toBe(commands.slice(-2).join(" && "));
});

test("every test that the guarantees name exists", () => {
  const text = readFileSync(join(root, "docs/GUARANTEES.md"), "utf8");
  const named = [...text.matchAll(/^ +- `(test\/[^`]+)`(?:: "([^"]+)")?$/gm)];
  expect(named.length).toBe(text.match(/`test\/(?!docs)/g)?.length);
  for (const [, file = "", title = ""] of named) {
    expect(existsSync(join(root, file)), file).toBe(true);
    if (file.startsWith("test/machine/scenes/")) continue;
    expect(title, `${file} needs a title`).not.toBe("");
    expect(readFileSync(join(root, file), "utf8"), `${file} has this test`).toContain(title);
  }
  // A promise without a test is a wish.
  const promises =
    text
      .split("## What is not promised")[0]
      ?.split(/^\d+\. /m)
      .slice(1) ?? [];
  for (const promise of promises) expect(promise).toContain("`test/");
});
