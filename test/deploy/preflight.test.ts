import { beforeEach, describe, expect, test } from '@jest/globals';
import { preflight } from '../../deploy/preflight.ts';
import { runbookParameters } from '../../deploy/runbook-plan.ts';
import { FakeAws, FakeError, tcp } from '../functions/fake-aws.ts';

const VALUES = {
  LoadBalancerName: 'web',
  FleetTagKey: 'fleet',
  FleetTagValue: 'web',
  IncludePorts: '',
  ExcludePorts: '22',
  ForeignPolicy: 'Adopt',
  EmptyFleet: 'Refuse',
  FinalMode: 'proxy',
  HealthPort: '8078',
};

let aws: FakeAws;
beforeEach(() => {
  aws = new FakeAws();
  aws.addLoadBalancer('web', { listeners: [tcp(80, 80)], instanceIds: [aws.addInstance('i-1')] });
});

const look = (values: Record<string, string> = {}, stackId?: string) =>
  preflight(aws, { ...VALUES, ...values }, stackId);

describe('before a stack is made', () => {
  test('it is told what the runbook would do, and nothing is written', async () => {
    expect(await look()).toEqual([
      'instance ports    80=http',
      'instances         i-1',
      'policy changes    create policy proxyflip-proxy-protocol; instance port 80: [proxyflip-proxy-protocol]',
      'receivers become  both on the way, then proxy',
    ]);
    expect(aws.writes).toEqual([]);
  });

  test('what the runbook would refuse is refused in its words', async () => {
    aws.addInstance('i-1', { pingStatus: 'ConnectionLost' });
    await expect(look()).rejects.toMatchObject({ code: 'ERR_INSTANCE_OFFLINE' });
    await expect(look()).rejects.toThrow(/^ERR_INSTANCE_OFFLINE: the .* agent of i-1 .*\nNothing was deployed/s);
  });

  test.each([
    ['stack/mine/1', 'resolves'],
    ['stack/other/1', 'rejects'],
    // A stack that is yet to be made owns nothing, also by the name of one that did.
    [undefined, 'rejects'],
  ] as const)('of a load balancer that stack/mine/1 owns: %s %s', async (stackId, outcome) => {
    const state = { version: 1, owner: 'stack/mine/1/ProxyProtocol', executionId: 'e', phase: 'done' };
    aws.parameters.set('/proxyflip/web', [JSON.stringify(state)]);
    aws.executions.set('e', { status: 'Success' });

    if (outcome === 'resolves') await expect(look({}, stackId)).resolves.toContain('instances         i-1');
    else await expect(look({}, stackId)).rejects.toMatchObject({ code: 'ERR_OTHER_OWNER' });
  });

  test('who may not look deploys all the same, and is told', async () => {
    aws.fault = () => {
      throw new FakeError('AccessDenied');
    };
    expect(await look()).toEqual(['not looked at: fake AccessDenied. The runbook looks before it changes anything.']);
  });
});

describe('the runbook of a stack is asked', () => {
  const chat = { name: 'chat-artifact/chat-arm64.tar.gz', key: 'chat-1.tar.gz', file: '', sha256: 'ab', bytes: 1 };
  const values = {
    Chat: 'On',
    ChatArchitecture: 'arm64',
    ChatArtifactUrl: '',
    ArtifactBucket: 'b',
    ArtifactPrefix: 'p/',
  };

  test('as its owner, with the chat that comes with the template', () => {
    expect(runbookParameters(values, 'stack/mine/1', [chat])).toMatchObject({
      Owner: 'stack/mine/1/ProxyProtocol',
      ChatArtifactUrl: 's3://b/p/chat-1.tar.gz',
      ChatArtifactSha256: 'ab',
    });
  });

  test.each([{ Chat: 'Off' }, { ChatArtifactUrl: 'https://example.com/chat.tar.gz' }])('with %j as it is', (other) => {
    const asked = { ...values, ...other };
    expect(runbookParameters(asked, 's', [chat]).ChatArtifactUrl).toBe(asked.ChatArtifactUrl);
  });
});
