/** The subsaga: picks a server and reserves room on it. It can also be run on its own. */
import { action, actionContext, saga, undo } from "steno-runtime";
import type { Cloud, Resource } from "./cloud.js";

export interface AllocateParams {
  readonly instance: string;
}

export interface Allocation {
  readonly server: string;
  readonly reservation: Resource;
}

export class Servers {
  constructor(private readonly cloud: Cloud) {}

  @action({ undo: "none" })
  async pick(): Promise<string> {
    return this.cloud.serverWithRoom();
  }

  @action
  async reserve(server: string, instance: string): Promise<Resource> {
    console.log(`reserving ${server} for ${instance}`);
    return this.cloud.make("reservation", server, actionContext().idempotencyKey);
  }

  @undo("reserve")
  async release(reservation: Resource): Promise<void> {
    this.cloud.remove(reservation.id);
  }

  @saga
  async allocate(params: AllocateParams): Promise<Allocation> {
    const server = await this.pick();
    const reservation = await this.reserve(server, params.instance);
    return { server, reservation };
  }
}
