/**
 * Creates a virtual machine with the network interfaces and disks that are asked for, each by its own
 * name, attaches an address from outside if one is wanted, and boots it if that is.
 */
import { each, saga } from "steno-runtime";
import { Operations } from "./cloud.js";

export interface InstanceParams {
  readonly project: string;
  readonly name: string;
  readonly nics: readonly { readonly name: string; readonly address?: string }[];
  readonly disks: readonly DiskSource[];
  readonly external?:
    { readonly kind: "ephemeral" } | { readonly kind: "floating"; readonly id: string };
  readonly start: boolean;
}

export type DiskSource =
  | { readonly kind: "create"; readonly name: string; readonly image?: string }
  | { readonly kind: "attach"; readonly id: string };

export interface Instance {
  readonly id: string;
  readonly nics: string[];
  readonly disks: string[];
  readonly external: string | null;
}

export class CreateInstance extends Operations {
  @saga
  async createInstance(params: InstanceParams): Promise<Instance> {
    const instance = await this.create("instance", params.name, params.project);
    const [nics, disks] = await Promise.all([
      each(params.nics, { key: (nic) => nic.name }, async (nic) => {
        const made = await this.create("nic", nic.name, instance.id);
        if (nic.address !== undefined) await this.create("address", nic.address, made.id);
        return made.id;
      }),
      each(params.disks, { concurrency: 2 }, async (source) => {
        if (source.kind === "attach") {
          await this.change(source.id, { of: instance.id, state: "attached" });
          return source.id;
        }
        const disk = await this.create("disk", source.name, instance.id);
        if (source.image !== undefined) await this.change(disk.id, { state: source.image });
        return disk.id;
      }),
    ]);
    let external: string | null = null;
    switch (params.external?.kind) {
      case "ephemeral": {
        const address = await this.create("address", "ephemeral", instance.id);
        external = address.id;
        break;
      }
      case "floating":
        await this.change(params.external.id, { of: instance.id, state: "attached" });
        external = params.external.id;
        break;
    }
    await this.change(instance.id, { state: params.start ? "running" : "stopped" });
    return { id: instance.id, nics, disks, external };
  }
}
