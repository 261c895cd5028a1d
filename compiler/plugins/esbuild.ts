/** The esbuild plugin: compiles sagas before each build, and shows what is wrong as esbuild's messages. */
import type { PartialMessage, Plugin } from "esbuild";
import { type Finding, type PluginOptions, PluginProject } from "./project.js";

export type { PluginOptions } from "./project.js";

/** `plugins: [steno()]`. An error of a saga fails the build. */
export function steno(options: PluginOptions = {}): Plugin {
  return {
    name: "steno",
    setup({ onStart, initialOptions }) {
      const cwd = options.cwd ?? initialOptions.absWorkingDir ?? process.cwd();
      const project = new PluginProject({ ...options, cwd });
      onStart(async () => {
        const findings = await project.compile();
        const of = (severity: string): PartialMessage[] =>
          findings.filter((each) => each.severity === severity).map(messageOf);
        return { errors: of("error"), warnings: of("warning") };
      });
    },
  };
}

function messageOf({ title, place, frame }: Finding): PartialMessage {
  if (place === undefined) return { text: title, notes: [{ text: frame }] };
  const { file, line, column, length, lineText } = place;
  // esbuild counts bytes of UTF-8.
  const bytes = (from: number, to: number): number =>
    Buffer.byteLength(lineText.slice(from, to), "utf8");
  const location = {
    ...{ file, line, lineText },
    column: bytes(0, column),
    length: bytes(column, column + length),
  };
  return { text: title, location, notes: [{ text: frame }] };
}
