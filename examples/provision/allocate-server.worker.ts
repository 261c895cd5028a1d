/** What `steno run` runs when servers are allocated on their own. */
import { Servers } from "./allocate-server.js";
import { allocate } from "./allocate-server.saga.js";
import { Cloud } from "./cloud.js";

const cloud = new Cloud(process.env["CLOUD_FILE"] ?? "cloud.json", { "rack-1": 1, "rack-2": 1 });

export default [allocate.on(new Servers(cloud))];
