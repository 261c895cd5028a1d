/** What `steno run` runs: the saga, bound to objects that share one cloud. */
import { Servers } from "./allocate-server.js";
import { Cloud } from "./cloud.js";
import { Provision } from "./provision.js";
import { provision } from "./provision.saga.js";

const cloud = new Cloud(process.env["CLOUD_FILE"] ?? "cloud.json", { "rack-1": 1, "rack-2": 1 });

export default [provision.on(new Provision(cloud, new Servers(cloud)))];
