/**
 * Deletes a volume: its replicas in all regions side by side, each after what is attached to it. A
 * region that does not answer keeps its replica, which is marked for whoever cleans up.
 */
import { each, saga } from "steno-runtime";
import { Operations } from "./cloud.js";

export interface Deleted {
  readonly removed: string[];
  readonly orphaned: string[];
}

export class DeleteVolume extends Operations {
  @saga
  async deleteVolume(params: { readonly volume: string }): Promise<Deleted> {
    const volume = await this.read(params.volume);
    await this.change(volume.id, { state: "deleting" });
    const replicas = await this.list("replica", volume.id);
    const outcomes = await each(
      replicas,
      { concurrency: 3, key: (replica) => replica.id },
      async (replica) => {
        try {
          for (const attachment of await this.list("attachment", replica.id)) {
            if (attachment.state === "held") throw new Error(`${attachment.id} is held`);
            await this.remove(attachment.id);
          }
          await this.remove(replica.id);
          return { id: replica.id, removed: true };
        } catch {
          await this.change(replica.id, { state: "orphaned" });
          return { id: replica.id, removed: false };
        }
      },
    );
    const orphaned = outcomes.filter((outcome) => !outcome.removed);
    if (orphaned.length === 0) await this.remove(volume.id);
    return {
      removed: outcomes.filter((outcome) => outcome.removed).map((outcome) => outcome.id),
      orphaned: orphaned.map((outcome) => outcome.id),
    };
  }
}
