/**
 * The built `steno-compile` in a process that stays: it has TypeScript loaded and warm, which is most of
 * what a compile of a small project takes. Each call evaluates the command anew, in the folder it is
 * called in. That it says what a process of its own says is tested in `cli.test.ts`.
 */
import { fileURLToPath } from "node:url";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Call {
  readonly cwd: string;
  readonly args: readonly string[];
  /** What the call sees of the environment beside what all see. */
  readonly env: Readonly<Record<string, string>>;
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const CALL_MS = 180_000;

/** Tests wait for their compiles, so a thread speaks with the process meanwhile. */
export class WarmCompiler {
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));
  readonly #port: MessageChannel["port1"];

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const worker = new Worker(here("warm-link.mjs"), {
      workerData: { port: port2, answered: this.#answered, command: here("warm-command.mjs") },
      transferList: [port2],
      execArgv: [],
      env: { ...withoutHints(process.env), NO_COLOR: "1" },
    });
    worker.unref();
    port1.unref();
  }

  call(call: Call): Answer {
    Atomics.store(this.#answered, 0, 0);
    this.#port.postMessage(call);
    if (Atomics.wait(this.#answered, 0, 0, CALL_MS) === "timed-out") {
      throw new Error(`steno-compile ${call.args.join(" ")}: no answer`);
    }
    const { message } = receiveMessageOnPort(this.#port) as { readonly message: Answer | string };
    if (typeof message === "string") throw new Error(message);
    return message;
  }
}

/** Whether hints are shown must not depend on where the tests run. */
export function withoutHints({ CI: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}
