/** The plugins for bundlers, each in the real one. */
import { build as esbuild, context } from "esbuild";
import { existsSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { build as viteBuild, createServer, type InlineConfig, type ViteDevServer } from "vite";
import { steno as esbuildPlugin } from "../../compiler/plugins/esbuild.js";
import { steno as vitePlugin } from "../../compiler/plugins/vite.js";
import { greeter, Project } from "./project.js";

const main = `import { greeter } from "./greeter.saga.js";
console.log(greeter.manifest.name);
`;
const faulty = greeter().replace('@action({ undo: "none" })', "@action");

let project: Project | undefined;
afterEach(() => {
  project?.remove();
  project = undefined;
});

function make(source = greeter()): Project {
  return (project = new Project({ "src/greeter.ts": source, "src/main.ts": main }));
}

describe("esbuild", () => {
  const options = (made: Project): Parameters<typeof context>[0] & { readonly write: false } => ({
    absWorkingDir: made.folder,
    entryPoints: ["src/main.ts"],
    bundle: true,
    format: "esm",
    external: ["steno-runtime"],
    logLevel: "silent",
    write: false,
    plugins: [esbuildPlugin()],
  });

  test("writes what the build needs, before it looks for it", async () => {
    const made = make();
    const { outputFiles } = await esbuild(options(made));
    expect(outputFiles[0]?.text).toContain("Greeter.greeter");
    expect(existsSync(made.path("src/greeter.saga.ts"))).toBe(true);
  });

  test("fails with the place, and with the frame; then builds what was mended", async () => {
    const made = make(faulty.replace("export class", "/* é */ export class"));
    const kept = await context(options(made));
    try {
      const failed = (await kept.rebuild().catch((error: unknown) => error)) as {
        readonly errors: readonly {
          readonly text: string;
          readonly location: {
            readonly file: string;
            readonly line: number;
            readonly column: number;
          };
          readonly notes: readonly { readonly text: string }[];
        }[];
      };
      expect(failed.errors[0]?.text).toBe("undo-missing: the action `greet` has no undo");
      expect(failed.errors[0]?.location).toMatchObject({ line: 5, column: 8 });
      expect(failed.errors[0]?.location.file).toMatch(/src\/greeter\.ts$/);
      expect(failed.errors[0]?.notes[0]?.text).toContain("= help: ");
      made.write("src/greeter.ts", greeter());
      expect((await kept.rebuild()).outputFiles?.[0]?.text).toContain("Greeter.greeter");
    } finally {
      await kept.dispose();
    }
  });
});

describe("vite", () => {
  const config = (made: Project): InlineConfig => ({
    root: made.folder,
    configFile: false,
    logLevel: "silent",
    plugins: [vitePlugin()],
    build: { ssr: "src/main.ts", write: false },
    ssr: { external: ["steno-runtime"] },
  });

  test("writes what the build needs, and lowers decorators", async () => {
    const made = make();
    const result = (await viteBuild(config(made))) as {
      readonly output: readonly { readonly code: string }[];
    };
    expect(result.output[0]?.code).toContain("Greeter.greeter");
    expect(result.output[0]?.code).not.toMatch(/^\s*@(action|saga)/m);
  });

  test("an error of a saga fails the build, with its frame", async () => {
    const made = make(faulty);
    await expect(viteBuild(config(made))).rejects.toThrow(/undo-missing[\s\S]*= help: /);
  });

  test("a dev server compiles again when a source changes, and shows what is wrong", async () => {
    const made = make();
    const server: ViteDevServer = await createServer({
      ...config(made),
      server: { middlewareMode: true, ws: false },
    });
    const sent: unknown[] = [];
    server.ws.send = (payload: unknown) => void sent.push(payload);
    try {
      await server.environments.ssr.pluginContainer.buildStart();
      const loaded = (await server.ssrLoadModule("/src/greeter.saga.ts")) as {
        readonly greeter: { readonly manifest: { readonly hash: string } };
      };
      const { hash } = loaded.greeter.manifest;
      made.write("src/greeter.ts", faulty);
      await expect
        .poll(() => sent, { timeout: 60_000 })
        .toContainEqual({
          type: "error",
          err: expect.objectContaining({
            plugin: "steno",
            message: expect.stringMatching(/^undo-missing: /) as unknown,
          }) as unknown,
        });
      made.write("src/greeter.ts", greeter().replace("params.who)", 'params.who + "!")'));
      const changed = async (): Promise<string> => {
        const again = await server.ssrLoadModule("/src/greeter.saga.ts");
        return (again as typeof loaded).greeter.manifest.hash;
      };
      await expect.poll(changed, { timeout: 60_000 }).not.toBe(hash);
    } finally {
      await server.close();
    }
  });
});
