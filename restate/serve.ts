/** Serves sagas to Restate from this process, and stops without breaking off what runs. */
import "./with-resolvers.js";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { createEndpointHandler } from "@restatedev/restate-sdk";
import { StenoError } from "steno-runtime";
import { type SagaServiceOptions, sagaService } from "./service.js";

export interface ServeOptions extends SagaServiceOptions {
  /** 9080 unless told; 0 is one that is free. */
  readonly port?: number;
  /** The address that is listened on: 127.0.0.1 unless told, which only this machine reaches. */
  readonly host?: string;
  /** Public keys of the Restate that may call, as it logs them: without, whoever reaches the port may. */
  readonly identityKeys?: readonly string[];
}

export interface Serving {
  readonly port: number;
  /** Begins no body any more, waits for those that run, and stops. Restate goes on when it is served again. */
  close(): Promise<void>;
}

const PORT = 9080;
const HOST = "127.0.0.1";
/** How long Restate has, after the last body, to take what came of it. */
const LAST_WORDS_MS = 200;

/**
 * Serves sagas over HTTP/2. Restate has to be told the address once, and again for another build.
 * @throws StenoError if a saga cannot be run, or an option is not for Restate; `cannot-serve` if the port is
 * another's
 */
export async function serveSagas(options: ServeOptions): Promise<Serving> {
  const { port = PORT, host = HOST, identityKeys = [], warn, ...rest } = options;
  const service = sagaService({ ...rest, ...(warn !== undefined && { warn }) });
  let isClosing = false;
  const handler = createEndpointHandler({
    services: [service.workflow],
    ...(identityKeys.length > 0 && { identityKeys: [...identityKeys] }),
    logger: ({ level }, message: unknown) => {
      if (!isClosing && String(level) === "error") warn?.(String(message));
    },
  });
  const server = createServer(handler);
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  const bound = await listen(server, port, host);
  return {
    port: bound,
    close: async () => {
      isClosing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await service.close();
      if (sessions.size > 0) await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
      // One that was about to begin.
      await service.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

function listen(server: Http2Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(cannotServe(port, host, error)));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function cannotServe(port: number, host: string, cause: Error): StenoError {
  const message = `sagas cannot be served at ${host}:${port} (${cause.message}): give another \`port\` or \`host\``;
  return new StenoError("cannot-serve", message, { cause });
}
