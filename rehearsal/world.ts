/**
 * What every part of the rehearsal shares: the one fleet that exists, as EC2 would know it, and the clock's small helpers.
 *
 * The services (elb, ssm, ec2 …) never start or stop machines; they look instances up here. Scenarios own the machines.
 */

/** The account and region that the rehearsal plays. The account id is AWS's documentation example. */
export const ACCOUNT_ID = '111122223333';
export const REGION = 'eu-central-1';
export const AVAILABILITY_ZONES = [`${REGION}a`, `${REGION}b`] as const;

export interface ExecResult {
  /** Exit status of the command; 128 + n when signal n ended it; 255 when the machine went away under it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Fed to the command's standard input, which is otherwise empty. */
  readonly stdin?: string;
  /** 0 = no limit. After it the command's whole process tree on the machine is ended. Unit: seconds. */
  readonly timeoutSeconds?: number;
  /** Ends the command's whole process tree on the machine. */
  readonly signal?: AbortSignal;
  readonly cwd?: string;
}

/** One booted systemd machine. Everything runs as root in it, in a systemd scope of its own, as the SSM agent does. */
export interface Machine {
  readonly name: string;
  readonly privateIpAddress: string;
  /** False while it is off or rebooting; the Systems Manager agent of the instance is online exactly while it is true. */
  isRunning(): boolean;
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** A file that the machine itself has written, as the host can read it, without asking the machine; it may not be there. */
  writtenFile(path: string): string;
  /** Resolves when the machine has booted again. */
  reboot(): Promise<void>;
}

export interface Instance {
  /** As EC2 writes it: `i-` and 17 hexadecimal digits. */
  readonly instanceId: string;
  readonly privateIpAddress: string;
  readonly availabilityZone: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly machine: Machine;
  /** False plays an agent that is away: Run Command cannot reach the instance. */
  agentOnline: boolean;
  /** False plays one that was never installed, or has no role: Systems Manager does not know the instance. Absent = it does. */
  readonly isManaged?: boolean;
  /** Absent where a scenario has booted the machine itself. */
  readonly launch?: InstanceLaunch;
  /** Name of its instance profile, where a scenario has given it one. */
  readonly instanceProfile?: string;
}

/** What RunInstances was asked for. */
export interface InstanceLaunch {
  readonly subnetId: string;
  readonly securityGroupIds: readonly string[];
  readonly imageId: string;
  readonly instanceType: string;
  readonly iamInstanceProfileArn: string | undefined;
  readonly launchedAt: Date;
}

/** A network interface as `ec2:DescribeNetworkInterfaces` lists it; the load balancer's nodes have one each. */
export interface NetworkInterface {
  readonly networkInterfaceId: string;
  readonly description: string;
  readonly privateIpAddress: string;
  readonly subnetId: string;
  /** Absent = every host reaches it. */
  readonly securityGroupIds?: readonly string[];
}

export interface Subnet {
  readonly subnetId: string;
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly availabilityZone: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface SecurityGroupRule {
  /** `tcp`, `udp`, `icmp`, or `-1` for every protocol. */
  readonly protocol: string;
  /** Absent = all. */
  readonly ports: readonly [from: number, to: number] | undefined;
  /** A network, or the hosts that have a security group. */
  readonly peer: { readonly cidr: string } | { readonly groupId: string };
  readonly description: string | undefined;
}

export interface SecurityGroup {
  readonly groupId: string;
  readonly groupName: string;
  readonly description: string;
  readonly vpcId: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly ingress: SecurityGroupRule[];
  readonly egress: SecurityGroupRule[];
}

/** The parts of the account that are not an AWS service of their own in the rehearsal. */
export class World {
  readonly instances = new Map<string, Instance>();
  readonly networkInterfaces = new Map<string, NetworkInterface>();
  readonly subnets = new Map<string, Subnet>();
  readonly securityGroups = new Map<string, SecurityGroup>();
  /** Awaited by whoever has changed interfaces, instances or security groups: the network follows (`network/firewall.ts`). */
  networkChanged: () => Promise<void> = async () => {};

  /** Those that Systems Manager knows. */
  managedInstances(): Instance[] {
    return [...this.instances.values()].filter(({ isManaged }) => isManaged !== false);
  }

  instancesTagged(key: string, values: readonly string[]): Instance[] {
    return [...this.instances.values()].filter((instance) => values.includes(instance.tags[key] ?? '\u0000'));
  }
}
