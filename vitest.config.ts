/** Tests run against the sources of both packages; those of command lines run what `npm run build` made. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { SlowestFirst } from "./test/slowest-first.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^steno-runtime\/postgres$/, replacement: at("./runtime/postgres.ts") },
      { find: /^steno-restate$/, replacement: at("./restate/index.ts") },
      { find: /^steno-runtime$/, replacement: at("./runtime/index.ts") },
      { find: /^steno-runtime\/host$/, replacement: at("./runtime/host.ts") },
      { find: /^steno-runtime\/manifest$/, replacement: at("./runtime/manifest.ts") },
      {
        find: /^steno-runtime\/opentelemetry$/,
        replacement: at("./runtime/opentelemetry.ts"),
      },
      { find: /^steno-runtime\/schema$/, replacement: at("./runtime/schema.ts") },
      { find: /^steno-runtime\/tags$/, replacement: at("./runtime/tags.ts") },
      { find: /^steno-runtime\/testing$/, replacement: at("./runtime/testing/index.ts") },
    ],
  },
  // Vite does not lower standard decorators; the legacy lowering leaves ours harmless all the same.
  // It leaves `.cts` out, too, of which the compiler has some.
  oxc: { decorator: { legacy: true }, include: /\.([cm]?ts|[jt]sx)$/ },
  // Most of the time is spent in commands that tests start, and wait for.
  test: {
    include: ["test/**/*.test.ts"],
    maxWorkers: "100%",
    // A worker keeps what it has loaded, TypeScript above all: a third of the processor's time. No module
    // of ours has state, and a test file that changes what all share puts it back.
    isolate: false,
    sequence: { sequencer: SlowestFirst },
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
