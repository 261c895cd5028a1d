/**
 * Takes a snapshot of a disk. Of one that is attached, the machine does it, which is paused meanwhile;
 * of one that is not, it is attached to a helper first, and detached in the end.
 */
import { saga } from "steno-runtime";
import { Operations, type Thing } from "./cloud.js";

export class TakeSnapshot extends Operations {
  @saga
  async takeSnapshot(params: { readonly disk: string; readonly name: string }): Promise<string> {
    const disk = await this.read(params.disk);
    const isAttached = disk.state === "attached";
    let by: Thing;
    if (isAttached) {
      by = await this.read(disk.of);
      await this.change(by.id, { state: "paused" });
    } else {
      by = await this.create("helper", params.name, disk.of);
      await this.change(disk.id, { of: by.id, state: "attached" });
    }
    const snapshot = await this.create("snapshot", params.name, disk.id);
    const copies = ["east", "west"].map((place) => this.create("copy", place, snapshot.id));
    await this.change(snapshot.id, { state: `taken by ${by.kind}` });
    await Promise.all(copies);
    if (isAttached) {
      await this.change(by.id, { state: by.state });
    } else {
      await this.change(disk.id, { of: disk.of, state: disk.state });
      await this.remove(by.id);
    }
    return snapshot.id;
  }
}
