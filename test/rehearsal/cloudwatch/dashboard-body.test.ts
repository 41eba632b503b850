import { expect, test } from '@jest/globals';
import { dashboardFaults } from '../../../rehearsal/cloudwatch/dashboard-body.ts';

const region = 'eu-central-1';
const metric = (properties: object, widget: object = {}) => ({
  type: 'metric',
  ...widget,
  properties: { region, ...properties },
});
const faults = (...widgets: object[]) => dashboardFaults(JSON.stringify({ widgets })).map(({ DataPath }) => DataPath);

test('what the console can show', () => {
  const widgets = [
    { type: 'text', x: 0, y: 0, width: 24, height: 2, properties: { markdown: '# Fleet' } },
    metric({
      metrics: [
        ['AWS/ELB', 'RequestCount', 'LoadBalancerName', 'chat', { stat: 'Sum', period: 60 }],
        ['...', 'other'],
        [{ expression: "SEARCH('{proxyflip,Stack} Findings', 'Maximum', 60)", id: 'e1', label: 'Findings' }],
      ],
      view: 'timeSeries',
      stacked: false,
      yAxis: { left: { min: 0 } },
    }),
    {
      type: 'alarm',
      properties: { title: 'Alarms', alarms: ['arn:aws:cloudwatch:eu-central-1:111122223333:alarm:a'] },
    },
    { type: 'log', properties: { region, query: "SOURCE '/aws/lambda/f' | fields @message" } },
  ];
  expect(dashboardFaults(JSON.stringify({ widgets, periodOverride: 'inherit' }))).toEqual([]);
});

test.each([
  ['no region', { type: 'metric', properties: { metrics: [['A', 'b']] } }, 'widgets.0.properties.region'],
  ['a name without its value', metric({ metrics: [['A', 'b', 'c']] }), 'widgets.0.properties.metrics.0'],
  ['a first metric that is abbreviated', metric({ metrics: [['...', 'c']] }), 'widgets.0.properties.metrics'],
  ['a statistic that there is not', metric({ metrics: [['A', 'b']], stat: 'Mean' }), 'widgets.0.properties.stat'],
  ['a period that there is not', metric({ metrics: [['A', 'b']], period: 45 }), 'widgets.0.properties.period'],
  ['neither metrics nor alarms', metric({ title: 'x' }), 'widgets.0.properties'],
  ['wider than the page', metric({ metrics: [['A', 'b']] }, { width: 25 }), 'widgets.0.width'],
  ['a property of another type', metric({ markdown: 'x', metrics: [['A', 'b']] }), 'widgets.0.properties.markdown'],
  ['a type that there is not', { type: 'graph', properties: {} }, 'widgets.0.type'],
])('%s', (_what, widget, path) => expect(faults(widget)).toEqual([path]));

test.each([['[]'], ['{}'], ['{"widgets":{}}'], ['nonsense'], ['{"widgets":[],"title":"x"}']])('no body: %s', (text) => {
  expect(dashboardFaults(text)).toHaveLength(1);
});
