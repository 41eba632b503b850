import { keptType } from './kept.ts';

export const cloudWatchDashboard = () =>
  keptType({
    name: 'AWS::CloudWatch::Dashboard',
    properties: ['DashboardName', 'DashboardBody'],
    required: ['DashboardBody'],
    nameProperty: 'DashboardName',
    maximumNameLength: 255,
    attributes: [],
    describe: (name) => ({ ref: name, attributes: {} }),
  });
