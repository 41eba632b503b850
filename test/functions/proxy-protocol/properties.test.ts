import { describe, expect, test } from '@jest/globals';
import { physicalResourceId } from '../../../functions/proxy-protocol/physical-resource-id.ts';
import { parseProperties } from '../../../functions/proxy-protocol/properties.ts';
import { PROPERTIES, STACK_ID } from './events.ts';

describe('parseProperties', () => {
  test('what is not given has its default', () => {
    expect(parseProperties(PROPERTIES)).toMatchObject({
      ExcludePorts: '22',
      FinalMode: 'proxy',
      DeletionMode: 'Disable',
      Chat: 'Off',
      MaxErrors: '0',
    });
  });

  test.each([
    ['QuietSeconds', '1'],
    ['QuietSeconds', '3000'],
    ['FleetWaitSeconds', '0'],
    ['HealthPort', '65535'],
  ])('%s %s is as far as it goes, and taken', (name, value) => {
    expect(parseProperties({ ...PROPERTIES, [name]: value })).toMatchObject({ [name]: value });
  });

  test.each([
    ['LoadBalancerName', undefined, /LoadBalancerName is missing; allowed: a name of 1 to 32/],
    ['LoadBalancerName', 'web.example', /LoadBalancerName is "web\.example"/],
    ['LoadBalancerName', '$(reboot)', /ERR_INVALID_PROPERTY/],
    ['FleetTagValue', '', /FleetTagValue is ""/],
    ['FleetTagKey', 'a"b', /FleetTagKey/],
    ['FinalMode', 'plain', /FinalMode is "plain"; allowed: one of proxy, both/],
    ['DeletionMode', 'disable', /DeletionMode is "disable"; allowed: one of Disable, Retain/],
    ['QuietSeconds', '0', /QuietSeconds is "0"; allowed: a whole number from 1 to 3000/],
    ['QuietSeconds', 30, /QuietSeconds is 30; allowed/],
    ['QuietSeconds', '1e3', /QuietSeconds/],
    ['ServiceTimeout', '3601', /ServiceTimeout/],
    ['MaxErrors', '-1', /MaxErrors/],
    ['ExcludePorts', '22;reboot', /ExcludePorts/],
    ['AlbCidrs', '10.0.111.0/24,10.0.112.0/24', /AlbCidrs.*IPv4 ranges with a space between them/],
    ['AlbCidrs', '10.0.111.0/24 ', /AlbCidrs/],
    ['AlbCidrs', '10.0.111.0', /AlbCidrs/],
    ['ChatArtifactUrl', 'file:///etc/passwd', /ChatArtifactUrl/],
    ['ChatArtifactSha256', 'abc', /ChatArtifactSha256.*64 hexadecimal/],
    [
      'LoadBalancer',
      'web',
      /property LoadBalancer is "web"; allowed: nothing, it is not known; known are ServiceToken, ServiceTimeout, LoadBalancerName, /,
    ],
    ['constructor', 'x', /property constructor/],
  ])('%s %j is refused, with what is allowed', (name, value, says) => {
    expect(() => parseProperties({ ...PROPERTIES, [name]: value })).toThrow(says);
  });
});

test.each([
  [STACK_ID, 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/web'],
  [
    'arn:aws-cn:cloudformation:cn-north-1:111122223333:stack/x/y',
    'arn:aws-cn:elasticloadbalancing:cn-north-1:111122223333:loadbalancer/web',
  ],
])('the physical id of a stack in %s names partition, Region, account and load balancer alone', (stackId, is) => {
  expect(physicalResourceId(stackId, 'web')).toBe(is);
});
