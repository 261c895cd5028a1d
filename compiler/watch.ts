/** Runs a compile again whenever a source may have changed. What a compile does is not known here. */
import * as path from "node:path";
import { watch as watchFiles } from "chokidar";

export interface Watching {
  close(): Promise<void>;
}

/**
 * Editors write a file in several goes, at once; what comes later than this is compiled again, so that
 * it need not be long.
 */
const SETTLE_MS = 5;

/** Calls `again` once at first, and after every change of a source; never twice at a time. */
export async function watch(folder: string, again: () => Promise<void>): Promise<Watching> {
  const watcher = watchFiles(folder, {
    ignoreInitial: true,
    ignored: (file) => {
      const parts = path.relative(folder, file).split(path.sep);
      return parts.some((part) => part === "node_modules" || (part !== ".." && /^\../.test(part)));
    },
  });
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  watcher.on("all", (_event, file) => {
    if (!matters(file)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(again);
    }, SETTLE_MS);
  });
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  running = again();
  await running;
  return {
    close: async () => {
      clearTimeout(timer);
      await watcher.close();
      await running;
    },
  };
}

/** Sources and configuration; not what the compiler itself writes. */
function matters(file: string): boolean {
  if (/\.saga\.[cm]?ts$/.test(file)) return false;
  return /\.[cm]?tsx?$/.test(file) || /(tsconfig[^/\\]*|package)\.json$/.test(file);
}
