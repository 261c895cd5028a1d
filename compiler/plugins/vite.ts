/**
 * The Vite plugin, for Vite and for Vitest: compiles sagas when a server starts or a build begins, and
 * again when a source changes; and makes Vite lower decorators, which by itself it leaves alone.
 */
import type { Plugin, ViteDevServer } from "vite";
import { type Finding, type PluginOptions, PluginProject } from "./project.js";

export type { PluginOptions } from "./project.js";

const SOURCE = /(?<!\.saga)(?<!\.d)\.[cm]?tsx?$/;

/** `plugins: [steno()]`. An error of a saga fails a build; a dev server shows it over the page. */
export function steno(options: PluginOptions = {}): Plugin {
  let project: PluginProject | undefined;
  let server: ViteDevServer | undefined;
  return {
    name: "steno",
    // The runtime's decorators are harmless under this lowering, which is the only one that Vite has.
    config: () => ({ oxc: { decorator: { legacy: true } } }),
    configResolved({ root }) {
      project = new PluginProject({ ...options, cwd: options.cwd ?? root });
    },
    async buildStart() {
      // Vite calls this once for each environment, the project is compiled for all of them.
      const findings = (await project?.compile()) ?? [];
      for (const { severity, frame } of findings) if (severity === "warning") this.warn(frame);
      const errors = findings.filter(({ severity }) => severity === "error");
      if (errors.length === 0) return;
      if (server === undefined) this.error(errors.map(({ frame }) => frame).join("\n\n"));
      else show(server, errors);
    },
    configureServer(started) {
      server = started;
      const again = (file: string): void => {
        if (project === undefined || !SOURCE.test(file) || /[\\/]node_modules[\\/]/.test(file))
          return;
        project.compile().then(
          (findings) =>
            show(
              started,
              findings.filter(({ severity }) => severity === "error"),
            ),
          (error: unknown) => started.config.logger.error(String(error)),
        );
      };
      for (const event of ["add", "change", "unlink"] as const) started.watcher.on(event, again);
    },
  };
}

/** In the terminal, and over the page until a compile without errors. */
function show({ config, ws }: ViteDevServer, errors: readonly Finding[]): void {
  for (const { frame } of errors) config.logger.error(frame, { timestamp: true });
  const [first] = errors;
  if (first === undefined) return;
  const { title, frame, place } = first;
  const loc = place && { file: place.file, line: place.line, column: place.column };
  const err = { message: title, stack: "", frame, plugin: "steno", ...(loc && { loc }) };
  ws.send({ type: "error", err });
}
