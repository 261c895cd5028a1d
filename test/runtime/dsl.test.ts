/** At run time the decorators do nothing, however a toolchain lowers them. */
import { transformSync } from "esbuild";
import { action, saga, undo } from "steno-runtime";
import { expect, test } from "vitest";

const source = `
  class Trip {
    @action async charge(card: string) { return card + "!"; }
    @undo("charge", { when: "started" }) async refund(payment: string) {}
    @action({ undo: "none", timeout: "1s" }) async tell() { return 1; }
    @saga({ name: "x" }) async trip(params: string) { return [await this.charge(params), await this.tell()]; }
  }
  return Trip;`;

test.each([true, false])(
  "a decorated class is a class, with experimentalDecorators %s",
  async (legacy) => {
    const { code } = transformSync(`export const make = () => {${source}}`, {
      loader: "ts",
      target: "es2022",
      format: "cjs",
      tsconfigRaw: { compilerOptions: { experimentalDecorators: legacy } },
    });
    // They were lowered: nothing of the syntax is left.
    expect(code).not.toMatch(/^\s*@/m);
    const exported: { make?: () => new () => { trip(params: string): Promise<unknown> } } = {};
    const module = { exports: exported };
    new Function("module", "exports", "action", "undo", "saga", code)(
      module,
      exported,
      action,
      undo,
      saga,
    );
    const Trip = module.exports.make?.();
    expect(Trip).toBeDefined();
    if (Trip !== undefined) expect(await new Trip().trip("c")).toEqual(["c!", 1]);
  },
);
