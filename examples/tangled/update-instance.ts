/**
 * Updates a virtual machine according to what it is found to be: one that runs is stopped and started
 * again, one that has failed is replaced, and disks that it should not have are detached.
 */
import { saga } from "steno-runtime";
import { Operations } from "./cloud.js";

export interface UpdateParams {
  readonly instance: string;
  readonly keep: readonly string[];
  readonly size: string;
}

export class UpdateInstance extends Operations {
  @saga
  async updateInstance(params: UpdateParams): Promise<string> {
    const before = await this.read(params.instance);
    if (before.state === "destroyed") throw new Error(`${before.id} is no more`);
    if (before.state === "failed") {
      const replaced = await this.remove(before.id);
      const instance = await this.create("instance", "replacement", replaced.of);
      return instance.id;
    }
    const wasRunning = before.state === "running";
    if (wasRunning) await this.change(before.id, { state: "stopped" });
    const disks = await this.list("disk", before.id);
    for (const disk of disks) {
      if (params.keep.includes(disk.id)) continue;
      await this.change(disk.id, { of: before.of, state: "detached" });
    }
    const size = await this.create("size", params.size, before.id);
    if (wasRunning) await this.change(before.id, { state: "running" });
    return size.id;
  }
}
