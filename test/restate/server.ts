/** A real Restate for tests: on this machine only, on ports that are free, without telemetry. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const BINARY = `@restatedev/restate-server-${process.platform}-${process.arch}`;
/** How long it may take until it answers. */
const START_MS = 60_000;

export class RestateServer {
  readonly ingress: string;
  readonly admin: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "steno-restate-"));
  readonly #ports: readonly number[];
  #child: ChildProcess | undefined;

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.ingress = `http://127.0.0.1:${ports[0]}`;
    this.admin = `http://127.0.0.1:${ports[1]}`;
  }

  static async start(): Promise<RestateServer> {
    const server = new RestateServer(await freePorts(3));
    await server.up();
    return server;
  }

  /** Starts it, with what it has on disk. */
  async up(): Promise<void> {
    const [ingress, admin, fabric] = this.#ports;
    const root = dirname(createRequire(import.meta.url).resolve(`${BINARY}/package.json`));
    const child = spawn(join(root, "bin/restate-server"), ["--no-logo"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        DO_NOT_TRACK: "1",
        RESTATE_DISABLE_TELEMETRY: "true",
        RESTATE_LOG_FILTER: "warn",
        RESTATE_BASE_DIR: this.#folder,
        RESTATE_NODE_NAME: "test",
        RESTATE_LISTEN_MODE: "tcp",
        RESTATE_BIND_IP: "127.0.0.1",
        RESTATE_BIND_PORT: String(fabric),
        RESTATE_INGRESS__BIND_PORT: String(ingress),
        RESTATE_ADMIN__BIND_PORT: String(admin),
        RESTATE_DEFAULT_NUM_PARTITIONS: "2",
        RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE: "256 MB",
      },
    });
    const log = createWriteStream(join(this.#folder, "log.txt"), { flags: "a" });
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    this.#child = child;
    const until = Date.now() + START_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || Date.now() > until) {
        throw new Error(`restate-server does not start: see ${this.#folder}/log.txt`);
      }
      await sleep(50);
    }
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Tells it where sagas are served. */
  async register(port: number): Promise<void> {
    const response = await fetch(`${this.admin}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri: `http://127.0.0.1:${port}`, force: true }),
    });
    if (!response.ok) throw new Error(await response.text());
  }

  async #answers(): Promise<boolean> {
    try {
      const all = await Promise.all([
        fetch(`${this.admin}/health`),
        fetch(`${this.ingress}/restate/health`),
      ]);
      return all.every(({ ok }) => ok);
    } catch {
      return false;
    }
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
