/**
 * Starts a Restate on this machine, on ports that are free and with its data in a folder. It is the
 * server of the npm package of this platform, as it is; not part of steno.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface Restate {
  readonly ingress: string;
  /** Tells it where sagas are served. */
  register(port: number): Promise<void>;
  stop(): Promise<void>;
}

/** How long it may take until it answers, in milliseconds. */
const PATIENCE = 60_000;

export async function startRestate(folder: string): Promise<Restate> {
  const [ingress, admin, fabric] = [await freePort(), await freePort(), await freePort()];
  const server = spawn(binary(), ["--no-logo"], {
    stdio: "ignore",
    env: {
      DO_NOT_TRACK: "1",
      RESTATE_DISABLE_TELEMETRY: "true",
      RESTATE_BASE_DIR: folder,
      RESTATE_NODE_NAME: "example",
      RESTATE_LISTEN_MODE: "tcp",
      RESTATE_BIND_IP: "127.0.0.1",
      RESTATE_BIND_PORT: String(fabric),
      RESTATE_INGRESS__BIND_PORT: String(ingress),
      RESTATE_ADMIN__BIND_PORT: String(admin),
    },
  });
  await untilReady(server, [
    `http://127.0.0.1:${admin}/health`,
    `http://127.0.0.1:${ingress}/restate/health`,
  ]);
  return {
    ingress: `http://127.0.0.1:${ingress}`,
    register: async (port) => {
      const response = await fetch(`http://127.0.0.1:${admin}/deployments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
      });
      if (!response.ok) throw new Error(await response.text());
    },
    stop: async () => {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGKILL");
      await ended;
    },
  };
}

function binary(): string {
  const name = `@restatedev/restate-server-${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(manifest), "bin/restate-server");
  } catch (error) {
    throw new Error(`there is no ${name}: Restate has no server for this platform on npm`, {
      cause: error,
    });
  }
}

async function untilReady(server: ChildProcess, urls: readonly string[]): Promise<void> {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const answers = await Promise.all(urls.map((url) => fetch(url).catch(() => undefined)));
    if (answers.every((answer) => answer?.ok === true)) return;
    if (server.exitCode !== null || Date.now() > until) throw new Error("Restate does not start");
    await delay(50);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
