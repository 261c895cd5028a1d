/**
 * The cloud that the example provisions in: records in one file, which is replaced atomically.
 * Each record is made under a key, so that making it twice makes it once. Not part of steno.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

export type Kind = "instance" | "ip" | "volume" | "reservation" | "attachment" | "boot";

export interface Resource {
  readonly id: string;
  readonly kind: Kind;
  readonly of: string;
}

interface Entry extends Resource {
  readonly key: string;
}

export class Cloud {
  constructor(
    private readonly file: string,
    /** Servers with the number of instances that each can hold. */
    private readonly servers: Readonly<Record<string, number>>,
  ) {}

  /** Makes a resource, or answers with the one that was made under this key before. */
  make(kind: Kind, of: string, key: string): Resource {
    const entries = this.read();
    const known = entries.find((entry) => entry.key === key);
    if (known !== undefined) return publicPart(known);
    const made = { id: `${kind}-${key}`, kind, of, key };
    this.write([...entries, made]);
    return publicPart(made);
  }

  /** Removes a resource; it is fine if it is gone already. */
  remove(id: string): void {
    this.write(this.read().filter((entry) => entry.id !== id));
  }

  list(): readonly Resource[] {
    return this.read().map(publicPart);
  }

  /** The first server that still has room. */
  serverWithRoom(): string {
    const reserved = this.list().filter((resource) => resource.kind === "reservation");
    for (const [server, room] of Object.entries(this.servers)) {
      if (reserved.filter((resource) => resource.of === server).length < room) return server;
    }
    throw new Error("no server has room for another instance");
  }

  private read(): readonly Entry[] {
    if (!existsSync(this.file)) return [];
    return JSON.parse(readFileSync(this.file, "utf8")) as readonly Entry[];
  }

  private write(entries: readonly Entry[]): void {
    writeFileSync(`${this.file}.new`, JSON.stringify(entries, null, 2), { flush: true });
    renameSync(`${this.file}.new`, this.file);
  }
}

function publicPart({ id, kind, of }: Entry): Resource {
  return { id, kind, of };
}
