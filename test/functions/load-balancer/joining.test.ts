/** What the parameter says that an instance reads when it comes later, at each point of a run. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { formatJoining, tellJoining } from '../../../functions/load-balancer/joining.ts';
import type { FakeAws, FakeLoadBalancer } from '../fake-aws.ts';
import { newFleet, type Receivers, runSwitch } from './driver.ts';

const JOINING = '/proxyflip/joining/web/proxyflip';
const CIDR = '10.0.101.0/24';

let aws: FakeAws;
let web: FakeLoadBalancer;
let receivers: Receivers;

beforeEach(() => {
  ({ aws, web, receivers } = newFleet());
  aws.parameters.set(JOINING, ['wait']);
});

const joining = () => aws.parameters.get(JOINING)?.at(-1);

/** What it says before each step of a run. */
async function follow(options: Parameters<typeof runSwitch>[2] = {}) {
  const said: Record<string, string | undefined> = {};
  await runSwitch(aws, receivers, {
    ...options,
    before: (step) => {
      said[step] ??= joining();
      options.before?.(step);
    },
  });
  return said;
}

describe('joining', () => {
  test('both before the first receiver is changed, the last mode before the first receiver takes it', async () => {
    expect(await follow()).toMatchObject({
      Compare: 'wait',
      AcceptBoth: `both; 80=http 81=https; ${CIDR}`,
      SetPolicies: `both; 80=http 81=https; ${CIDR}`,
      Conclude: `both; 80=http 81=https; ${CIDR}`,
      FinalMode: `proxy; 80=http 81=https; ${CIDR}`,
    });
    expect(await follow({ direction: 'disable', executionId: 'run-2' })).toMatchObject({
      Compare: `proxy; 80=http 81=https; ${CIDR}`,
      AcceptBoth: `both; 80=http 81=https; ${CIDR}`,
      FinalMode: `plain; 80=http 81=https; ${CIDR}`,
    });
    expect(joining()).toBe(`plain; 80=http 81=https; ${CIDR}`);
  });

  test.each([
    ['SetPolicies', 'plain'],
    ['Judge', 'both'],
    ['FinalMode', 'both'],
  ])('a run that stops before %s leaves %s, as for the others', async (stop, mode) => {
    receivers = new Map([...receivers.keys()].map((id) => [id, 'plain']));
    await follow({
      before: (step) => {
        if (step === stop) throw new Error('cancelled');
      },
    });
    expect(joining()).toBe(`${mode}; 80=http 81=https; ${CIDR}`);
    expect(new Set(receivers.values())).toEqual(new Set([mode]));
  });

  test('an undo that cannot tell it still restores the receivers', async () => {
    const { undone } = await runSwitch(aws, receivers, {
      before: (step) => {
        if (step !== 'Judge') return;
        aws.parameters.delete(JOINING);
        Object.defineProperty(aws.parameters, 'get', {
          value: (name: string) => {
            if (name === JOINING) throw new Error('AccessDenied');
            return Map.prototype.get.call(aws.parameters, name);
          },
        });
        throw new Error('cancelled');
      },
    });
    expect(undone).toMatchObject({ restore: 'yes', mode: 'both' });
  });

  test('a stack on a load balancer that is switched already tells it too', async () => {
    await runSwitch(aws, receivers);
    aws.parameters.set(JOINING, ['wait']);
    const { trace } = await runSwitch(aws, receivers, { executionId: 'run-2' });
    expect(trace).not.toContain('AcceptBoth both');
    expect(joining()).toBe(`proxy; 80=http 81=https; ${CIDR}`);
  });

  test('is one text, with nothing behind it where no subnet is trusted yet', () => {
    expect(
      formatJoining({ mode: 'both', instancePorts: '80=http 81=https', trustedCidrs: `${CIDR} 10.0.102.0/24` }),
    ).toBe(`both; 80=http 81=https; ${CIDR} 10.0.102.0/24`);
    expect(formatJoining({ mode: 'plain', instancePorts: '80=http', trustedCidrs: '' })).toBe('plain; 80=http;');
  });

  test('is written over in the parameters of this load balancer alone, as text', async () => {
    aws.parameters.set('/proxyflip/joining/web-2/proxyflip', ['wait']);

    await tellJoining(aws.ssm, 'web', { mode: 'proxy', instancePorts: '80=http', trustedCidrs: CIDR });

    expect(aws.calls.map(({ action, input }) => ({ [action]: input }))).toEqual([
      { GetParametersByPath: { Path: '/proxyflip/joining/web' } },
      { PutParameter: { Name: JOINING, Value: `proxy; 80=http; ${CIDR}`, Type: 'String', Overwrite: true } },
    ]);
  });

  test('is left as it is, and not looked at, where no instance port is switched: there is nothing to become', async () => {
    await tellJoining(aws.ssm, 'web', { mode: 'plain', instancePorts: '', trustedCidrs: CIDR });

    expect(aws.calls).toEqual([]);
  });

  test('is not written where it says so already, nor made where no stack has made it', async () => {
    await runSwitch(aws, receivers);
    const versions = aws.parameters.get(JOINING)?.length;
    await runSwitch(aws, receivers, { executionId: 'run-2' });
    expect(aws.parameters.get(JOINING)).toHaveLength(versions ?? 0);
    aws.executions.set('run-2', { status: 'Success' });
    aws.parameters.delete(JOINING);
    await runSwitch(aws, receivers, { direction: 'disable', executionId: 'run-3' });
    expect(aws.parameters.has(JOINING)).toBe(false);
    expect(web.backend).toEqual({});
  });
});
