/** What a run is to bring about: the ports at the end, those on the way, and where a policy is to be. */
import { describe, expect, test } from '@jest/globals';
import type { LoadBalancer } from '../../../functions/load-balancer/classic-elb.ts';
import { modeFor, wishFor } from '../../../functions/load-balancer/wish.ts';
import { describePolicies, POLICY_NAME } from '../../../functions/shared/policies.ts';
import { describeListener, formatInstancePorts } from '../../../functions/shared/ports.ts';
import { listener, proxyPolicy, tcp } from '../fake-aws.ts';

const policies = (backend: Record<number, string[]>) => {
  const names = [POLICY_NAME, 'theirs'].map((name) => {
    const { PolicyAttributeDescriptions, ...rest } = proxyPolicy(name);
    return { ...rest, PolicyAttributeDescriptions: [...PolicyAttributeDescriptions] };
  });
  return describePolicies(
    Object.entries(backend).map(([port, PolicyNames]) => ({ InstancePort: Number(port), PolicyNames })),
    names,
  );
};
const LISTENERS = [listener('SSL', 443, 'TCP', 81), tcp(80, 80), tcp(22, 22)].map(describeListener);

describe('a wish', () => {
  test.each([
    {
      desc: 'an enable is for every port that is fed, and not excluded',
      direction: 'enable' as const,
      is: ['80=http 81=https', '80=http 81=https', [80, 81]],
    },
    {
      desc: 'an enable of chosen ports alone takes the others that carry our policy along, in the order of the ports',
      direction: 'enable' as const,
      include: [81],
      backend: { 80: [POLICY_NAME] },
      is: ['81=https', '80=http 81=https', [81]],
    },
    {
      desc: 'neither a policy of somebody else nor a port without a listener is taken along',
      direction: 'enable' as const,
      include: [81],
      backend: { 22: ['theirs'], 80: ['theirs'], 9999: [POLICY_NAME] },
      is: ['81=https', '81=https', [81]],
    },
    {
      desc: 'a disable ends with no policy, and serves what it found',
      direction: 'disable' as const,
      is: ['80=http 81=https', '80=http 81=https', []],
    },
    {
      desc: 'a disable of chosen ports serves those too that it finds with our policy',
      direction: 'disable' as const,
      include: [81],
      backend: { 22: [POLICY_NAME], 80: [POLICY_NAME] },
      is: ['22=http 80=http 81=https', '22=http 80=http 81=https', []],
    },
    {
      desc: 'a disable passes a chosen port over that nothing feeds any more',
      direction: 'disable' as const,
      include: [8443, 81],
      is: ['81=https', '81=https', []],
    },
    {
      desc: 'a disable whose chosen ports are all gone is for none, not for all',
      direction: 'disable' as const,
      include: [8443],
      is: ['', '', []],
    },
  ])('$desc', ({ direction, include = [], backend = {}, is }) => {
    const web = { listeners: LISTENERS, policies: policies(backend) } as unknown as LoadBalancer;
    const wish = wishFor(web, direction, { include, exclude: [22] });

    expect([formatInstancePorts(wish.instancePorts), formatInstancePorts(wish.bothPorts), wish.on]).toEqual(is);
  });

  test('an enable of a port that nothing feeds is refused', () => {
    const web = { listeners: LISTENERS, policies: policies({}) } as unknown as LoadBalancer;

    expect(() => wishFor(web, 'enable', { include: [8443], exclude: [] })).toThrow('ERR_INSTANCE_PORT_NOT_FOUND');
  });
});

test.each([
  [{}, 'plain'],
  [{ 80: ['theirs'], 81: [POLICY_NAME] }, 'proxy'],
  [{ 81: [POLICY_NAME] }, 'both'],
  [{ 22: [POLICY_NAME] }, 'plain'],
])('with the policies %j the mode of a receiver on 80 and 81 is %s', (backend, mode) => {
  expect(modeFor(policies(backend), [80, 81])).toBe(mode);
});
