import type { ResourceType } from '../resource-type.ts';
import { unlessGone } from './gone.ts';
import { text } from './properties.ts';
import { taken } from './taken.ts';

const TYPE = 'AWS::CloudWatch::Dashboard';

export const cloudWatchDashboard: ResourceType = {
  name: TYPE,
  properties: ['DashboardName', 'DashboardBody'],
  required: ['DashboardBody'],
  replacedBy: ['DashboardName'],
  attributes: [],
  async create(properties, context) {
    const name = text(properties.DashboardName) ?? context.generateName(255);
    const named = { DashboardNamePrefix: name };
    const { DashboardEntries = [] } = (await context.call('monitoring', 'ListDashboards', named)) as {
      DashboardEntries?: { DashboardName?: string }[];
    };
    if (DashboardEntries.some(({ DashboardName }) => DashboardName === name)) throw taken(TYPE, name);
    await context.call('monitoring', 'PutDashboard', {
      DashboardName: name,
      DashboardBody: text(properties.DashboardBody),
    });
    return { physicalResourceId: name, attributes: {} };
  },
  async update(existing, properties, context) {
    const DashboardBody = text(properties.DashboardBody);
    await context.call('monitoring', 'PutDashboard', { DashboardName: existing.physicalResourceId, DashboardBody });
    return existing;
  },
  async delete({ physicalResourceId }, context) {
    await context
      .call('monitoring', 'DeleteDashboards', { DashboardNames: [physicalResourceId] })
      .catch(unlessGone('ResourceNotFound'));
  },
};
