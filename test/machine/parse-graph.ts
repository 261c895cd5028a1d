/**
 * Graphs in a few characters, for tests of the machine: one node a line, `name [flags] < a b`. Flags:
 * `started`, `none`, `retry=2`, `undo=1` (attempts), `compute`, and `{` … `}` for a subsaga.
 */
import type { Manifest, Node } from "../../runtime/manifest.js";

const policy = (attempts: number) =>
  ({ attempts, delayMs: 100, factor: 2, maxDelayMs: 1000, jitter: false }) as const;

export function parseGraph(lines: readonly string[]): Manifest {
  const top: Node[] = [];
  const open = [top];
  for (const line of lines.map((each) => each.trim()).filter((each) => each !== "")) {
    if (line === "}") {
      open.pop();
      continue;
    }
    const [head = "", tail = ""] = line.replace("{", "").split("<");
    const [name = "", ...flags] = head.trim().split(/\s+/);
    const after = tail.split(/\s+/).filter((each) => each !== "");
    if (line.endsWith("{")) {
      const nodes: Node[] = [];
      open.at(-1)?.push({ name, kind: "subsaga", saga: name, after, graph: { nodes } });
      open.push(nodes);
    } else if (flags.includes("compute")) {
      open.at(-1)?.push({ name, kind: "compute", after });
    } else {
      open.at(-1)?.push(actionOf(name, flags, after));
    }
  }
  return { steno: 1, name: "scene", hash: "sha256-scene", nodes: top };
}

function actionOf(name: string, flags: readonly string[], after: readonly string[]): Node {
  const number = (flag: string): number =>
    Number(flags.find((each) => each.startsWith(`${flag}=`))?.slice(flag.length + 1) ?? 0);
  return {
    name,
    kind: "action",
    action: name,
    undo: flags.includes("none") ? "none" : `undo ${name}`,
    after,
    ...(flags.includes("started") && { undoWhen: "started" as const }),
    ...(number("retry") > 0 && { retry: policy(number("retry")) }),
    ...(number("undo") > 0 && { undoRetry: policy(number("undo")) }),
  };
}
