/**
 * Creates a project, with a network of its own by a subsaga that is fed with the project, then starts
 * the audit of it as a run of its own: that goes on whatever becomes of this one.
 */
import { saga, start } from "steno-runtime";
import { Operations, type Cloud } from "./cloud.js";

export interface VpcParams {
  readonly project: string;
  readonly subnets: readonly string[];
  readonly isolated: boolean;
}

export class Vpcs extends Operations {
  @saga
  async createVpc({ project, subnets, isolated }: VpcParams): Promise<string> {
    const vpc = await this.create("vpc", "default", project);
    const router = isolated ? undefined : await this.create("router", "system", vpc.id);
    await Promise.all([
      this.create("firewall", "default", vpc.id),
      router === undefined ? undefined : this.create("route", "default", router.id),
      (async () => {
        for (const subnet of subnets) await this.create("subnet", subnet, vpc.id);
      })(),
    ]);
    return vpc.id;
  }
}

export class Audit extends Operations {
  @saga
  async audit(params: { readonly project: string }): Promise<string> {
    const record = await this.create("record", "created", `audit of ${params.project}`);
    return record.id;
  }
}

export interface ProjectParams {
  readonly name: string;
  readonly subnets: readonly string[];
  readonly network: "none" | "isolated" | "open";
}

export interface Created {
  readonly project: string;
  readonly vpc: string | null;
  /** The run of the audit. */
  readonly audit: string;
}

export class CreateProject extends Operations {
  constructor(
    cloud: Cloud,
    private readonly vpcs: Vpcs,
    private readonly auditor: Audit,
  ) {
    super(cloud);
  }

  @saga
  async createProject(params: ProjectParams): Promise<Created> {
    const project = await this.create("project", params.name, "silo");
    const vpc =
      params.network === "none"
        ? null
        : await this.vpcs.createVpc({
            project: project.id,
            subnets: params.subnets,
            isolated: params.network === "isolated",
          });
    await this.change(project.id, { state: "ready" });
    const audit = await start(
      this.auditor.audit,
      { project: project.id },
      { id: `audit-${params.name}` },
    );
    return { project: project.id, vpc, audit };
  }
}
