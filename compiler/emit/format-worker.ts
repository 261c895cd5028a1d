/** The second thread of `formatAll`: formats the texts that it is started with, answers, and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { formatEach } from "./format.js";

parentPort?.postMessage(await formatEach(workerData as readonly string[]));
