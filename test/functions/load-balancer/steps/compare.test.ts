/** Is all so already, may it be switched, and where would an undo go back to? */
import { describe, expect, test } from '@jest/globals';
import { POLICY_NAME } from '../../../../functions/shared/policies.ts';
import type { SwitchState } from '../../../../functions/shared/switch-state.ts';
import { type FakeInvocation, type FakeLoadBalancer, proxyPolicy } from '../../fake-aws.ts';
import { BEGUN, SWITCHED_ON, stage } from './stage.ts';

const CIDRS = '10.0.101.0/24';
const SETTINGS = '80=http 81=https, 10.0.101.0/24';
/** `printf '80=http 81=https, 10.0.101.0/24' | sha256sum` */
const SETTLED = {
  mode: 'proxy',
  settings: 'b7c988e3030636d26e3a5378ffa0db43f896301d3c99a9bfc0fcbf0e1f5046ae',
} as const;
const ASKED = {
  direction: 'enable',
  commandId: 'status',
  instancePorts: '80=http 81=https',
  finalMode: 'proxy',
  trustedCidrs: CIDRS,
  settings: SETTINGS,
  planOnly: 'no',
};

interface Situation {
  readonly desc: string;
  readonly given?: Partial<FakeLoadBalancer>;
  /** Of both receivers, or of each. */
  readonly answers: object | readonly [object, object];
  readonly state?: Partial<SwitchState>;
  readonly asked?: Partial<typeof ASKED>;
}

function comparing({ given = {}, answers, state = {} }: Omit<Situation, 'desc'>) {
  const set = stage(given);
  const [one, two] = Array.isArray(answers) ? answers : [answers, answers];
  set.aws.answer('status', { 'i-1': one, 'i-2': two });
  const held = set.hold(state);
  set.expectNewcomers();
  return { ...set, held };
}

const receiver = (mode: string, more: object = {}) => ({ mode, intact: true, ...more });
const theirs = (...ports: number[]): Partial<FakeLoadBalancer> => ({
  policies: [proxyPolicy('theirs')],
  backend: Object.fromEntries(ports.map((port) => [port, ['theirs']])),
});

describe('all is so already', () => {
  test.each<Situation & { says: string; joining: string }>([
    {
      desc: 'after an enable with the same settings',
      given: SWITCHED_ON,
      answers: receiver('proxy'),
      state: { settled: SETTLED },
      says: 'proxy',
      joining: `proxy; 80=http 81=https; ${CIDRS}`,
    },
    {
      desc: 'after one to both',
      given: SWITCHED_ON,
      answers: receiver('both'),
      state: { settled: { ...SETTLED, mode: 'both' } },
      asked: { finalMode: 'both' },
      says: 'both',
      joining: `both; 80=http 81=https; ${CIDRS}`,
    },
    {
      desc: 'of receivers of a version that does not say whether its files are intact',
      given: SWITCHED_ON,
      answers: { mode: 'proxy' },
      state: { settled: SETTLED },
      says: 'proxy',
      joining: `proxy; 80=http 81=https; ${CIDRS}`,
    },
    {
      desc: 'where it was off, whatever was settled before',
      answers: receiver('plain'),
      asked: { direction: 'disable', finalMode: 'plain' },
      says: 'plain',
      joining: `plain; 80=http 81=https; ${CIDRS}`,
    },
    {
      desc: 'where it was off and no receiver is there, though none could be installed',
      answers: receiver('none', { problems: ['ERR_PACKAGES no nginx'] }),
      asked: { direction: 'disable', finalMode: 'plain' },
      says: 'not installed',
      joining: `plain; 80=http 81=https; ${CIDRS}`,
    },
  ])('$desc', async ({ says, joining: told, asked, ...situation }) => {
    const { ask, changes, joining, state, held } = comparing(situation);

    expect(await ask('Compare', { ...ASKED, ...asked })).toEqual({
      next: 'finish',
      already: 'yes',
      receivers: `i-1: ${says}, i-2: ${says}`,
      differences: '',
    });
    expect(joining()).toBe(told);
    expect(state()).toEqual(held);
    expect(changes()).toEqual(['PutParameter /proxyflip/joining/web/proxyflip']);
  });
});

describe('there is something to switch', () => {
  const both = (answers: string) => `i-1: ${answers}, i-2: ${answers}`;

  test.each<Situation & { says: string; back: string }>([
    { desc: 'the first time', answers: receiver('none'), says: both('not installed'), back: 'plain' },
    {
      desc: 'without a receiver, where somebody else’s policy is on',
      given: theirs(80, 81),
      answers: receiver('none'),
      says: both('not installed'),
      back: 'both',
    },
    { desc: 'of installed receivers', answers: receiver('plain'), says: both('plain'), back: 'plain' },
    {
      desc: 'one receiver is there and one is not',
      answers: [receiver('plain'), receiver('none')],
      says: 'i-1: plain, i-2: not installed',
      back: 'both',
    },
    {
      desc: 'receivers disagree with each other',
      answers: [receiver('plain'), receiver('both')],
      says: 'i-1: plain, i-2: both',
      back: 'both',
    },
    {
      desc: 'receivers disagree with what the load balancer sends',
      answers: receiver('proxy'),
      says: both('proxy'),
      back: 'both',
    },
    {
      desc: 'one does not say what it is in words that are known',
      answers: [receiver('plain'), receiver('strict')],
      says: 'i-1: plain, i-2: unknown',
      back: 'both',
    },
    {
      desc: 'one ended well and did not say what it is',
      answers: [receiver('plain'), { status: 'Success', output: 'no json' }],
      says: 'i-1: plain, i-2: unknown',
      back: 'both',
    },
    {
      desc: 'off again',
      given: SWITCHED_ON,
      answers: receiver('proxy'),
      state: { direction: 'disable', settled: SETTLED },
      asked: { direction: 'disable', finalMode: 'plain' },
      says: both('proxy'),
      back: 'proxy',
    },
    {
      desc: 'one port has lost the policy',
      given: { ...SWITCHED_ON, backend: { 80: [POLICY_NAME] } },
      answers: receiver('proxy'),
      state: { settled: SETTLED },
      says: both('proxy'),
      back: 'both',
    },
    {
      desc: 'a policy is left that no port carries',
      given: { policies: SWITCHED_ON.policies },
      answers: receiver('plain'),
      asked: { direction: 'disable', finalMode: 'plain' },
      says: both('plain'),
      back: 'plain',
    },
    {
      desc: 'the settings are others than the last time',
      given: SWITCHED_ON,
      answers: receiver('proxy'),
      state: { settled: { ...SETTLED, settings: 'of before' } },
      says: both('proxy'),
      back: 'proxy',
    },
    {
      desc: 'nothing was ever settled',
      given: SWITCHED_ON,
      answers: receiver('proxy'),
      says: both('proxy'),
      back: 'proxy',
    },
    {
      desc: 'receivers are not strict yet',
      given: SWITCHED_ON,
      answers: receiver('both'),
      state: { settled: { ...SETTLED, mode: 'both' } },
      says: both('both'),
      back: 'both',
    },
    {
      desc: 'one receiver is gone',
      given: SWITCHED_ON,
      answers: [receiver('both'), receiver('none')],
      state: { settled: { ...SETTLED, mode: 'both' } },
      asked: { finalMode: 'both' },
      says: 'i-1: both, i-2: not installed',
      back: 'both',
    },
    {
      desc: 'the files of one are not as they were left',
      given: SWITCHED_ON,
      answers: [receiver('proxy'), receiver('proxy', { intact: false })],
      state: { settled: SETTLED },
      says: both('proxy'),
      back: 'proxy',
    },
  ])('$desc', async ({ says, back, asked, ...situation }) => {
    const { ask, joining, state, held } = comparing({
      ...situation,
      state: { bothPorts: '80=http 81=https 82=http', ...situation.state, displaced: BEGUN },
    });

    expect(await ask('Compare', { ...ASKED, ...asked })).toEqual({
      next: 'switch',
      already: 'no',
      receivers: says,
      differences: '',
    });
    const { displaced: _, ...kept } = held;
    expect(state()).toEqual({ ...kept, phase: 'receivers', mode: back, trustedCidrs: CIDRS });
    expect(joining()).toBe(`both; 80=http 81=https 82=http; ${CIDRS}`);
  });

  test('though nobody is registered who could say that it is so', async () => {
    const { ask } = comparing({ given: { instanceIds: [] }, answers: {} });

    expect(await ask('Compare', { ...ASKED, direction: 'disable', finalMode: 'plain', commandId: '' })).toEqual({
      next: 'switch',
      already: 'no',
      receivers: '',
      differences: '',
    });
  });
});

describe('what stands against it in a receiver', () => {
  const ended = (status: string, output: string, details = status): FakeInvocation => ({ status, details, output });
  const refused = (words: string) => `ERR_RECEIVER_GATE: i-2: ${words}`;

  test.each<[string, object, string]>([
    ['its own problem', receiver('none', { problems: ['a.conf:3 listens on 80'] }), refused('a.conf:3 listens on 80')],
    [
      'several of them',
      receiver('none', { problems: ['one', 'two'] }),
      `ERR_REFUSED: 2 things stand in the way, and nothing was changed.\n- ${refused('one')}\n- ${refused('two')}`,
    ],
    [
      'an agent that is too old to say anything',
      ended('Failed', 'x\n----------ERROR-------\nproxyflip: ERR_AGENT_TOO_OLD: update the agent'),
      refused('proxyflip: ERR_AGENT_TOO_OLD: update the agent'),
    ],
    [
      'a failure of which it says why itself',
      ended('Failed', 'x\n{"mode":"none","problems":["no disk"]}\n----------ERROR-------\nx'),
      refused('no disk'),
    ],
    ['a command that did not end', ended('InProgress', ''), refused('the command did not end there (InProgress)')],
    [
      'a command that was not delivered',
      ended('Undeliverable', '', 'DeliveryTimedOut'),
      refused('the command did not end there (DeliveryTimedOut)'),
    ],
    [
      'a command of which there is no more than the status',
      ended('TimedOut', '', ''),
      refused('the command did not end there (TimedOut)'),
    ],
  ])('%s', async (_desc, answer, message) => {
    const { ask, changes } = comparing({ answers: [receiver('plain'), answer] });

    await expect(ask('Compare', ASKED)).rejects.toHaveProperty('message', message);
    expect(changes()).toEqual([]);
  });

  test('is what a disable cannot know, too: one that does not say what it is, is not one without a receiver', async () => {
    const { ask } = comparing({ answers: [receiver('none'), ended('TimedOut', '')] });

    await expect(ask('Compare', { ...ASKED, direction: 'disable', finalMode: 'plain' })).rejects.toHaveProperty(
      'message',
      refused('the command did not end there (TimedOut)'),
    );
  });

  test('is nothing where it was not asked: the confirmation will ask it', async () => {
    const { aws, ask, sleptMs } = comparing({ answers: {} });
    aws.answer('status', { 'i-1': receiver('plain') });

    expect(await ask('Compare', ASKED)).toMatchObject({ next: 'switch', receivers: 'i-1: plain, i-2: unknown' });
    // Its answer may come late.
    expect(sleptMs()).toBe(20_000);
  });

  test('is an error where it stands against a plan, too', async () => {
    const { ask } = comparing({ answers: receiver('none', { problems: ['no disk'] }) });

    await expect(ask('Compare', { ...ASKED, planOnly: 'yes' })).rejects.toThrow('2 things stand in the way');
  });
});

describe('a plan', () => {
  const words = (text: string) => ({ status: 'Success', output: `${text}{"mode":"plain"}\n` });

  test('tells the differences of the files, each once, and writes nothing even where another holds the state', async () => {
    const { aws, web, ask, changes } = comparing({ answers: {}, state: { executionId: 'run-2', phase: 'policies' } });
    web.instanceIds.push('i-3');
    aws.answer('status', {
      'i-1': words('new: /etc/a, 3 lines\nnew: /etc/b\n'),
      'i-2': words(''),
      'i-3': words('new: /etc/a, 3 lines\nnew: /etc/b\n'),
    });

    expect(await ask('Compare', { ...ASKED, planOnly: 'yes' })).toEqual({
      next: 'report',
      already: 'no',
      receivers: 'i-1: plain, i-2: plain, i-3: plain',
      differences: 'i-1, i-3:\nnew: /etc/a, 3 lines\nnew: /etc/b\n\ni-2:\nno file would be changed',
    });
    expect(changes()).toEqual([]);
  });

  test.each<[string, Partial<SwitchState> | undefined, string]>([
    ['what was settled', { phase: 'done', settled: SETTLED }, 'yes'],
    ['what was settled otherwise', { phase: 'done', settled: { ...SETTLED, settings: 'of before' } }, 'no'],
    ['a state of which nothing is settled', { phase: 'done' }, 'no'],
    ['no state, since nobody has switched it', undefined, 'no'],
  ])('knows whether all is so already by %s', async (_desc, state, already) => {
    const { aws, ask, hold, changes } = stage(SWITCHED_ON);
    if (state !== undefined) hold({ executionId: 'run-0', ...state });
    aws.answer('status', { 'i-1': receiver('proxy'), 'i-2': receiver('proxy') });

    expect(await ask('Compare', { ...ASKED, planOnly: 'yes' })).toMatchObject({ next: 'report', already });
    expect(changes()).toEqual([]);
  });
});
