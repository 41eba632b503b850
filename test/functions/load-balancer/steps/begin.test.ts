/** What a run is told before anything is changed, and which gates it passes by its direction. */
import { describe, expect, test } from '@jest/globals';
import { FakeError, type FakeLoadBalancer, listener, proxyPolicy, tcp } from '../../fake-aws.ts';
import { request } from '../driver.ts';
import { SWITCHED_ON, stage } from './stage.ts';

const FOUND = {
  loadBalancer: 'found',
  healthCheck: 'fits',
  instanceIds: ['i-1', 'i-2'],
  subnetIds: ['subnet-1'],
  nodeDescription: 'ELB web',
  instancePorts: '80=http 81=https',
  warnings: '',
};
const PLAN = { planOnly: 'yes' };
const DISABLE = { direction: 'disable' };

describe('the answer', () => {
  test.each(['enable', 'disable'])('of an %s that nothing stands against', async (direction) => {
    const { ask } = stage();

    expect(await ask('Begin', { ...request({}), direction })).toEqual(FOUND);
  });

  test('names no more than twenty instances, though all of them were looked at', async () => {
    const { aws, web, ask } = stage();
    aws.managed.clear();
    web.instanceIds = Array.from({ length: 25 }, (_, index) => aws.addInstance(`i-${10 + index}`));

    expect(await ask('Begin', request({}))).toEqual({ ...FOUND, instanceIds: web.instanceIds.slice(0, 20) });
    aws.managed.delete('i-34');
    await expect(ask('Begin', request({}))).rejects.toThrow('ERR_INSTANCE_UNMANAGED: i-34');
  });

  test('has every warning', async () => {
    const { aws, ask } = stage({
      healthCheckTarget: 'TCP:80',
      listeners: [tcp(80, 80), listener('SSL', 443, 'TCP', 80), tcp(81, 81)],
    });
    aws.addInstance('i-3');
    aws.addInstance('i-4');
    aws.scalingGroups.set('blue', { instanceIds: ['i-1'], hooks: [] });

    expect(await ask('Begin', request({}))).toEqual({
      ...FOUND,
      instancePorts: '80=mixed 81=http',
      warnings: [
        'i-3 has the tag and is not registered: its receiver is switched too.',
        'i-4 has the tag and is not registered: its receiver is switched too.',
        'The health check TCP:80 of web does not ask /healthz, and Auto Scaling group blue has no lifecycle hook for launching: an instance that joins the fleet later may get connections before its receiver is ready. Point the health check at HTTP:8078/healthz, or give it a lifecycle hook for autoscaling:EC2_INSTANCE_LAUNCHING that is completed when /healthz answers on the instance.',
        'Instance port 80 is fed by TCP and by SSL: nginx can tell the application neither. Give each an instance port of its own.',
      ].join(' '),
    });
  });

  test.each([
    ['an enable whose health check asks the receiver', 'HTTP:8078/healthz', {}],
    ['a disable', 'TCP:80', DISABLE],
  ])('of %s does not depend on Auto Scaling', async (_desc, healthCheckTarget, asked) => {
    const { aws, ask } = stage({ healthCheckTarget });

    expect(await ask('Begin', { ...request({}), ...asked })).toMatchObject({ warnings: '' });
    expect(aws.calls.map(({ action }) => action)).not.toContain('DescribeAutoScalingInstances');
  });
});

describe('gates', () => {
  const neighbour = { instanceIds: ['i-2'], listeners: [tcp(80, 80)] };

  /** What an enable to `proxy` is refused for. */
  const obstacles: Record<
    string,
    { given?: Partial<FakeLoadBalancer>; asked?: object; neighbour?: true; code: string }
  > = {
    'an owner by the name of Kubernetes': {
      given: { tags: { KubernetesCluster: 'prod' } },
      code: 'ERR_OTHER_CONTROLLER',
    },
    'no port to switch': { given: { listeners: [tcp(22, 22)] }, code: 'ERR_NO_INSTANCE_PORTS' },
    'a listener that shares a port and speaks HTTP': {
      given: { listeners: [tcp(80, 80), listener('HTTP', 8080, 'HTTP', 80)] },
      code: 'ERR_INSTANCE_PROTOCOL',
    },
    'a policy of somebody else’s': {
      given: { policies: [proxyPolicy('theirs')], backend: { 80: ['theirs'] } },
      asked: { foreignPolicy: 'Refuse' },
      code: 'ERR_FOREIGN_POLICY',
    },
    'an empty fleet': { given: { instanceIds: [] }, code: 'ERR_NO_INSTANCES' },
    'a neighbour that sends no line': { neighbour: true, code: 'ERR_INSTANCE_SHARED' },
  };

  function meeting(name: string, given: Partial<FakeLoadBalancer> = {}) {
    const obstacle = obstacles[name];
    const set = stage({ ...given, ...obstacle?.given });
    if (obstacle?.neighbour) set.aws.addLoadBalancer('blue', neighbour);
    return { ...set, asked: obstacle?.asked, code: obstacle?.code ?? '' };
  }

  test.each(Object.keys(obstacles))('%s stands against an enable, and not against a disable', async (name) => {
    const { ask, asked, code, stateVersions } = meeting(name);

    await expect(ask('Begin', { ...request({}), ...asked })).rejects.toThrow(code);
    expect(stateVersions()).toBe(0);
    expect(await ask('Begin', { ...request({}), ...asked, ...DISABLE })).toMatchObject({ healthCheck: 'fits' });
  });

  test.each([
    ['an empty fleet', { emptyFleet: 'Allow' }],
    ['a policy of somebody else’s', { foreignPolicy: 'Adopt' }],
    ['a neighbour that sends no line', { finalMode: 'both' }],
  ])('%s does not stand against one with %j', async (name, asked) => {
    const { ask } = meeting(name);

    expect(await ask('Begin', { ...request({}), ...asked })).toMatchObject({ loadBalancer: 'found' });
  });

  test('stand against both where Systems Manager does not reach an instance', async () => {
    const { aws, ask } = stage();
    aws.managed.delete('i-2');

    await expect(ask('Begin', { ...request({}), ...DISABLE })).rejects.toThrow('ERR_INSTANCE_UNMANAGED: i-2');
  });

  test('tell all that they have found, the health check without its way out', async () => {
    const { ask, asked } = meeting('a policy of somebody else’s', { healthCheckTarget: 'HTTP:80/' });

    await expect(ask('Begin', { ...request({}), ...asked })).rejects.toHaveProperty(
      'message',
      [
        'ERR_REFUSED: 2 things stand in the way, and nothing was changed.',
        '- ERR_FOREIGN_POLICY: instance port 80 has the PROXY policy theirs, which somebody else attached. Set ForeignPolicy to Adopt to keep it and count it as on; or have its owner take it off.',
        '- ERR_HEALTH_CHECK: the health check HTTP:80/ goes to instance port 80 without a PROXY line, and every instance would be taken out of service. The way out is told when nothing else is in the way.',
      ].join('\n'),
    );
  });
});

describe('a health check that a strict receiver fails', () => {
  test.each([
    ['alone, is a misfit, and nothing is taken', {}, 'misfit', 0],
    ['is none where receivers stay in both', { finalMode: 'both' }, 'fits', 1],
    ['is none of a disable', DISABLE, 'fits', 1],
  ])('%s', async (_desc, asked, healthCheck, versions) => {
    const { ask, stateVersions } = stage({ healthCheckTarget: 'HTTP:80/' });

    expect(await ask('Begin', { ...request({}), ...asked })).toMatchObject({
      ...FOUND,
      healthCheck,
      warnings: expect.anything(),
    });
    expect(stateVersions()).toBe(versions);
  });
});

describe('a load balancer that is not there', () => {
  const gone = () => {
    const set = stage();
    set.aws.loadBalancers.clear();
    return set;
  };

  test('but was switched once, is to be forgotten by a disable, which takes the state for that', async () => {
    const { ask, hold, state } = gone();
    const held = hold({ executionId: 'run-0', phase: 'done', mode: 'proxy', owner: 'stack-a/Switch' });

    expect(await ask('Begin', { ...request({}), ...DISABLE })).toEqual({
      loadBalancer: 'gone',
      healthCheck: 'fits',
      instanceIds: [],
      subnetIds: [],
      nodeDescription: '',
      instancePorts: '',
      warnings: 'web does not exist any more.',
    });
    expect(state()).toEqual({ ...held, executionId: 'run-1', phase: 'started' });
  });

  test.each([
    ['an enable', true, {}],
    ['an enable of what nobody has switched', false, {}],
    ['a disable of what nobody has switched', false, DISABLE],
  ])('is an error of %s', async (_desc, isStored, asked) => {
    const { ask, hold, changes } = gone();
    if (isStored) hold({ executionId: 'run-0', phase: 'done' });

    await expect(ask('Begin', { ...request({}), ...asked })).rejects.toThrow(
      'ERR_LOAD_BALANCER_NOT_FOUND: no Classic Load Balancer "web"',
    );
    expect(changes()).toEqual([]);
  });

  test('is not one that cannot be looked at', async () => {
    const { aws, ask, hold, changes } = stage();
    hold({ executionId: 'run-0', phase: 'done' });
    aws.fault = (action) => {
      if (action === 'DescribeLoadBalancers') throw new FakeError('AccessDenied');
    };

    await expect(ask('Begin', { ...request({}), ...DISABLE })).rejects.toThrow('fake AccessDenied');
    expect(changes()).toEqual([]);
  });
});

test('a plan takes nothing, even where it finds the load balancer switched', async () => {
  const { ask, hold, changes } = stage(SWITCHED_ON);
  hold({ executionId: 'run-0', phase: 'done', mode: 'proxy' });

  expect(await ask('Begin', { ...request({}), ...PLAN })).toEqual(FOUND);
  expect(changes()).toEqual([]);
});
