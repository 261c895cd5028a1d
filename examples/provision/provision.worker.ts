/** What `steno run` runs: both sagas, bound to objects that share one cloud. */
import { Servers } from "./allocate-server.js";
import { allocate } from "./allocate-server.saga.js";
import { Cloud } from "./cloud.js";
import { Provision } from "./provision.js";
import { provision } from "./provision.saga.js";

const cloud = new Cloud(process.env["CLOUD_FILE"] ?? "cloud.json", { "rack-1": 1, "rack-2": 1 });
const servers = new Servers(cloud);

export default [provision.on(new Provision(cloud, servers)), allocate.on(servers)];
