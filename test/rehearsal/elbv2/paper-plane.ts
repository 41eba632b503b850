import type { Configuration, DataPlane, TargetHealth } from '../../../rehearsal/elbv2/data-plane.ts';

/** Keeps what it was told, by the load balancer's ARN; the real one is in data-plane.rehearsal.test.ts. */
export class PaperPlane implements DataPlane {
  readonly configurations = new Map<string, Configuration>();
  readonly healthSeen: TargetHealth[] = [];
  failNext = false;

  async create(configuration: Configuration): Promise<void> {
    if (this.failNext) throw new Error('no room');
    this.configurations.set(configuration.loadBalancerArn, configuration);
  }
  async update(configuration: Configuration): Promise<void> {
    this.configurations.set(configuration.loadBalancerArn, configuration);
  }
  async delete(loadBalancerArn: string): Promise<void> {
    this.configurations.delete(loadBalancerArn);
  }
  async health(): Promise<readonly TargetHealth[]> {
    return this.healthSeen;
  }
}
