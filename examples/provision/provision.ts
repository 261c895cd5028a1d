/**
 * Steno's demo-provision: a virtual machine gets its address, its volume and, by a subsaga, its
 * server side by side; then it is configured, its volume attached, and it boots.
 */
import { action, actionContext, saga, undo } from "steno-runtime";
import type { Servers } from "./allocate-server.js";
import type { Cloud, Resource } from "./cloud.js";

export interface ProvisionParams {
  readonly name: string;
  readonly network: string;
  readonly gigabytes: number;
}

export interface Instance {
  readonly id: string;
  readonly server: string;
  readonly ip: string;
  readonly volume: string;
}

export class Provision {
  constructor(
    private readonly cloud: Cloud,
    private readonly servers: Servers,
  ) {}

  @action
  async createInstance(name: string): Promise<Resource> {
    return this.cloud.make("instance", name, actionContext().idempotencyKey);
  }

  @undo("createInstance")
  async deleteInstance(instance: Resource): Promise<void> {
    this.cloud.remove(instance.id);
  }

  @action
  async allocateIp(network: string): Promise<Resource> {
    return this.cloud.make("ip", network, actionContext().idempotencyKey);
  }

  @undo("allocateIp")
  async freeIp(ip: Resource): Promise<void> {
    this.cloud.remove(ip.id);
  }

  @action
  async createVolume(gigabytes: number): Promise<Resource> {
    return this.cloud.make("volume", `${gigabytes} GB`, actionContext().idempotencyKey);
  }

  @undo("createVolume")
  async deleteVolume(volume: Resource): Promise<void> {
    this.cloud.remove(volume.id);
  }

  /** Its effect lies on the instance, which goes away as a whole. */
  @action({ undo: "none" })
  async configure(instance: string, ip: string, server: string): Promise<void> {
    console.log(`configuring ${instance} with ${ip} on ${server}`);
  }

  @action
  async attachVolume(instance: string, volume: string): Promise<Resource> {
    return this.cloud.make(
      "attachment",
      `${volume} to ${instance}`,
      actionContext().idempotencyKey,
    );
  }

  @undo("attachVolume")
  async detachVolume(attachment: Resource): Promise<void> {
    this.cloud.remove(attachment.id);
  }

  @action
  async boot(instance: string): Promise<Resource> {
    return this.cloud.make("boot", instance, actionContext().idempotencyKey);
  }

  @undo("boot")
  async shutDown(boot: Resource): Promise<void> {
    this.cloud.remove(boot.id);
  }

  @saga
  async provision(params: ProvisionParams): Promise<Instance> {
    const instance = await this.createInstance(params.name);
    const [ip, volume, allocation] = await Promise.all([
      this.allocateIp(params.network),
      this.createVolume(params.gigabytes),
      this.servers.allocate({ instance: instance.id }),
    ]);
    await this.configure(instance.id, ip.id, allocation.server);
    await this.attachVolume(instance.id, volume.id);
    await this.boot(instance.id);
    return { id: instance.id, server: allocation.server, ip: ip.id, volume: volume.id };
  }
}
