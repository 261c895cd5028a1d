/** The thread between a test, which waits, and the process that compiles for it. */
import { fork } from "node:child_process";
import { workerData } from "node:worker_threads";

const { port, answered, command } = workerData;
const stdio = ["ignore", "ignore", "inherit", "ipc"];
const child = fork(command, { stdio, execArgv: [] });

function answer(what) {
  port.postMessage(what);
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
}
child.on("message", answer);
child.on("exit", (code, signal) => answer(`the compiler ended with ${signal ?? code}`));
port.on("message", (call) => child.send(call));
