/** Dashboards: kept, and their bodies checked. Nothing is drawn. */
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID } from '../world.ts';
import { dashboardFaults } from './dashboard-body.ts';

export interface Dashboard {
  readonly name: string;
  readonly arn: string;
  readonly body: string;
  readonly modifiedAt: number;
}

export class DashboardStore {
  readonly #dashboards = new Map<string, Dashboard>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws ServiceError InvalidParameterInput  with a message for each thing that is wrong */
  put(name: string, body: string): void {
    if (!/^[\w-]{1,255}$/.test(name)) {
      throw new ServiceError(
        'InvalidParameterValue',
        `The dashboard name ${name} may have letters, digits, "-" and "_"`,
      );
    }
    const wrong = dashboardFaults(body);
    if (wrong.length > 0) {
      throw new ServiceError(
        'InvalidParameterInput',
        `The dashboard body is invalid, there are ${wrong.length} validation errors: ${JSON.stringify(wrong)}`,
        400,
        { dashboardValidationMessages: wrong },
      );
    }
    const arn = `arn:aws:cloudwatch::${ACCOUNT_ID}:dashboard/${name}`;
    this.#dashboards.set(name, { name, arn, body, modifiedAt: this.#now() });
  }

  /** @throws ServiceError ResourceNotFound */
  get(name: string): Dashboard {
    const dashboard = this.#dashboards.get(name);
    if (dashboard === undefined) throw new ServiceError('ResourceNotFound', `Dashboard ${name} does not exist`, 404);
    return dashboard;
  }

  delete(name: string): void {
    this.get(name);
    this.#dashboards.delete(name);
  }

  all(): readonly Dashboard[] {
    return [...this.#dashboards.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }
}
