/** A small TCP proxy before PostgreSQL, whose connections can be cut, delayed, or left half open. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Proxy {
  readonly port: number;
  /** Ends all connections. */
  cut(): void;
  /** From now on nothing gets through, in either direction, and nobody is told. */
  silence(isSilent: boolean): void;
  /** Each piece takes so long, in milliseconds. */
  delayMs: number;
  close(): Promise<void>;
}

export async function startProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let silent = false;
  const proxy = { delayMs: 0 };
  const pipe = (from: Socket, to: Socket): void => {
    from.on("data", (piece) => {
      if (silent) return;
      if (proxy.delayMs === 0) to.write(piece);
      else setTimeout(() => !to.destroyed && to.write(piece), proxy.delayMs);
    });
    from.on("close", () => void (silent || to.destroy()));
    from.on("error", () => to.destroy());
  };
  const server = createServer((one) => {
    const other = connect(target, "127.0.0.1");
    for (const socket of [one, other]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    }
    pipe(one, other);
    pipe(other, one);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(proxy, {
    port: (server.address() as { readonly port: number }).port,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    silence: (isSilent: boolean) => {
      silent = isSilent;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  });
}
