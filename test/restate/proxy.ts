/**
 * A way between Restate and an endpoint that can be cut: what is under way on it breaks off. Led to
 * another endpoint, it is to Restate as if the process had died and come back.
 */
import { createServer, type AddressInfo, connect, type Socket } from "node:net";

export interface Proxy {
  readonly port: number;
  /** Breaks all connections. New ones are taken, and lead to this port. */
  cut(target?: number): void;
  close(): Promise<void>;
}

export async function proxyTo(first: number): Promise<Proxy> {
  let target = first;
  const open = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(target, "127.0.0.1");
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (next = target): void => {
    target = next;
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
