/** The command `steno` on what `steno-compile --bundle` makes: from a source to a run, and its traces. */
import { expect, onTestFinished, test } from "vitest";
import { Project } from "../compiler/project.js";
import { steno } from "./steno.js";

const source = `import { action, actionContext, saga, undo } from "steno-runtime";

interface Order {
  readonly item: string;
  readonly late?: boolean;
}

export class Shop {
  // Comments, types and blank lines: what is bundled has other line numbers.

  @action
  async reserve(item: string): Promise<{ readonly item: string; readonly key: string }> {
    return { item, key: actionContext().idempotencyKey };
  }

  @undo("reserve")
  async release(): Promise<void> {}

  @action({ undo: "none" })
  async pay(item: string): Promise<number> {
    if (item === "moon") {
      throw new RangeError(\`\${item} is not for sale\`); // line 22
    }
    return item.length;
  }

  @saga
  async buy(params: Order): Promise<number> {
    const reserved = await this.reserve(params.item);
    return await this.pay(reserved.item);
  }
}
`;

test("a bundle runs, and the trace of an action that fails points into the source", async () => {
  const project = new Project({ "src/shop.ts": source });
  onTestFinished(() => project.remove());
  expect(project.compile("--bundle", "bundle")).toMatchObject({ code: 0 });
  const run = (params: object, ...more: string[]) => {
    const given = ["--params", JSON.stringify(params), "--store", "a.db", ...more];
    return steno(project.folder, ["run", "bundle/shop.js", ...given]);
  };
  const good = await run({ item: "lamp" }, "--json", "--id", "good");
  expect(good).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(good.stdout)).toMatchObject({ status: "succeeded", output: 4 });

  const bad = await run({ item: "moon" });
  expect(bad).toMatchObject({ status: 1, stderr: "" });
  expect(bad.stdout).toContain("pay failed: RangeError: moon is not for sale");
  expect(source.split("\n")[21]).toContain("// line 22");
  expect(bad.stdout).toMatch(/at Shop\.pay \(.*src\/shop\.ts:22:\d+\)/);
  expect(bad.stdout).toMatch(/undone: reserved/);
  expect(bad.stdout).not.toContain("bundle/shop.js");

  const shown = await steno(project.folder, ["show", "good", "--store", "a.db"]);
  expect(shown.stdout).toMatch(/done: reserve \(produces "reserved"\)\n.*done: pay/);
});
