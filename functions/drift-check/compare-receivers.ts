/** What each receiver says of itself against what was set. Pure. */
import { formatInstancePorts } from '../shared/ports.ts';
import type { Severity } from './finding.ts';
import { deregister, quote, startSwitch } from './mend.ts';
import { sentTo } from './observed.ts';
import type { Receiver } from './receiver.ts';
import {
  type Draft,
  failsAnywhere,
  fedPorts,
  isKnown,
  type Rules,
  type Situation,
  severityAtInstance,
  type Unreachable,
} from './situation.ts';

/** One instance, in its situation. */
interface Asked {
  readonly situation: Situation;
  readonly rules: Rules;
  readonly id: string;
  readonly receiver: Receiver;
}

export function compareReceivers(situation: Situation, rules: Rules): Draft[] {
  const { loadBalancer, expected } = situation;
  // Where nothing is switched a receiver may be there or not; a plain one and none are the same to a connection.
  const isOff = expected.policy === 'off';
  return [...situation.receivers].flatMap(([id, receiver]) => {
    if (!isKnown(receiver)) return [unreachable(loadBalancer.name, id, receiver)];
    const asked = { situation, rules, id, receiver };
    if (receiver.mode === 'none') return isOff ? [] : [notPrepared(asked)];
    return compareReceiver(asked);
  });
}

function compareReceiver(asked: Asked): Draft[] {
  const processes = compareProcesses(asked);
  // What a connection to itself shows has its reason there, if there is one.
  const mode = compareMode(asked, processes.length > 0);
  const found = [...processes, ...mode, ...compareSettings(asked), ...compareFiles(asked)];
  return [...found, ...compareChat(asked), ...(found.length === 0 ? compareReadiness(asked) : [])];
}

interface Words {
  readonly expected: string;
  readonly observed: string;
  readonly cause?: string;
  /** Unix time in seconds. */
  readonly began?: number;
  /** The switch, where it is not another command. */
  readonly mend?: string;
}

function draft({ situation, rules, id }: Asked, kind: Draft['kind'], severity: Severity, words: Words): Draft {
  const { expected, observed, cause = '', began = 0 } = words;
  const mend = words.mend ?? startSwitch(rules.switchDocument, situation.loadBalancer.name, situation.state);
  return { kind, severity, where: id, expected, observed, began: began * 1000, cause, mend };
}

const severityOf = (
  { situation, id }: Asked,
  isBroken: (receiver: Receiver) => boolean,
  otherwise: Severity = 'NEXT_CHANGE_FAILS',
): Severity => severityAtInstance(situation, id, isBroken, otherwise);

/** The rule of `both` sends every new connection to HAProxy. */
const leadsNowhere = ({ haproxy, rule }: Receiver): boolean => rule && !haproxy.active;

function compareProcesses(asked: Asked): Draft[] {
  const { situation, receiver } = asked;
  const { mode, nginx, haproxy, rule } = receiver;
  if (!nginx.active) {
    return [
      draft(
        asked,
        'nginx-down',
        severityOf(asked, (each) => !each.nginx.active),
        {
          expected: 'nginx runs',
          observed: 'it does not',
          began: nginx.since,
        },
      ),
    ];
  }
  const drafts: Draft[] = [];
  if (!haproxy.active) {
    drafts.push(
      draft(asked, 'haproxy-down', severityOf(asked, leadsNowhere), {
        expected: 'HAProxy runs in every mode, so that entering both starts nothing',
        observed: rule ? 'it does not, and the rule leads every new connection to it' : 'it does not',
        began: haproxy.since,
      }),
    );
  }
  if (mode === 'both' && !rule) {
    drafts.push(
      draft(asked, 'rule-missing', severityOf(asked, failsAnywhere(situation)), {
        expected: 'the nftables rule of mode both',
        observed: 'no rule: connections go to nginx, which takes one kind alone',
        cause: 'somebody flushed the rules; reloading nftables.service does',
      }),
    );
  }
  if (mode !== 'both' && rule) {
    drafts.push(
      draft(asked, 'rule-left', severityOf(asked, leadsNowhere, 'CLIENT_ADDRESSES_WRONG'), {
        expected: `no nftables rule in mode ${mode}`,
        observed: 'the rule of mode both: every kind of connection is taken, and no address is trusted',
      }),
    );
  }
  return drafts;
}

function compareMode(asked: Asked, isExplained: boolean): Draft[] {
  const { situation, rules, receiver } = asked;
  const { expected } = situation;
  const { mode, since } = receiver;
  const severity = severityOf(asked, failsAnywhere(situation), 'CLIENT_ADDRESSES_WRONG');
  if (mode !== expected.mode) {
    if (mode !== 'both') {
      return [
        draft(asked, 'receiver-mode', severity, {
          expected: expected.mode,
          observed: mode,
          began: since,
          cause: 'the Command document was run on it outside of the runbook',
        }),
      ];
    }
    // An instance that was away during a switch comes back in both, and is taken on by its association within half an hour.
    if (rules.now - since * 1000 < rules.bothSeconds * 1000) return [];
    return [
      draft(asked, 'both-too-long', 'CLIENT_ADDRESSES_WRONG', {
        expected: expected.mode,
        observed: 'both: everything is served, and no client address is known',
        began: since,
      }),
    ];
  }
  if (isExplained) return [];
  const wrong = expected.ports.flatMap(({ port }) => {
    const takes = receiver.live[String(port)];
    return takes === undefined || takes === mode
      ? []
      : [`port ${port} takes ${takes === 'none' ? 'no connection' : takes}`];
  });
  if (wrong.length === 0) return [];
  return [
    draft(asked, 'receiver-mode', severity, {
      expected: `${expected.mode} at every instance port`,
      observed: `set to ${mode}, but ${wrong.join(', ')}`,
      cause: 'nginx was given other listen lines than those of the receiver',
    }),
  ];
}

function compareSettings(asked: Asked): Draft[] {
  const { situation, receiver } = asked;
  const { expected, loadBalancer } = situation;
  const served = new Set(receiver.ports.split(' '));
  // One that no listener feeds any more has a finding of its own.
  const missing = fedPorts(situation).filter((each) => !served.has(formatInstancePorts([each])));
  if (missing.length > 0) {
    const fails = missing.some(({ port }) => sentTo(loadBalancer, port) === 'proxy');
    return [
      draft(asked, 'receiver-settings', fails ? 'SOME_REQUESTS_FAIL' : 'CLIENT_ADDRESSES_WRONG', {
        expected: `instance ports ${formatInstancePorts(expected.ports)}`,
        observed: `instance ports ${receiver.ports || 'none'}`,
        began: receiver.since,
      }),
    ];
  }
  const cidrs = expected.trustedCidrs;
  if (cidrs === undefined || cidrs === receiver.cidrs || receiver.mode === 'plain') return [];
  return [
    draft(asked, 'receiver-settings', 'CLIENT_ADDRESSES_WRONG', {
      expected: `a PROXY line is believed from ${cidrs}`,
      observed: `from ${receiver.cidrs || 'nowhere'}`,
      began: receiver.since,
    }),
  ];
}

/** How many files are named; the rest are counted. */
const NAMED_FILES = 3;

function compareFiles(asked: Asked): Draft[] {
  const { files = [], omitted = 0 } = asked.receiver;
  const [first] = files;
  if (first === undefined) return [];
  const more = files.length - NAMED_FILES + omitted;
  const manager = files.map((file) => file.manager).find((name) => name !== '');
  const times = files.map((file) => file.since).filter((time) => time > 0);
  return [
    draft(asked, 'receiver-files', 'NEXT_CHANGE_FAILS', {
      expected: 'the files as the receiver wrote them',
      observed: `${files
        .slice(0, NAMED_FILES)
        .map((file) => `${file.path} ${file.how}`)
        .join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
      began: times.length === 0 ? 0 : Math.min(...times),
      cause:
        manager === undefined
          ? first.how === 'missing'
            ? ''
            : 'changed by hand, or by a program that leaves no mark'
          : `${manager} writes it: take the file out of its hands, or it will be changed again`,
    }),
  ];
}

function compareChat(asked: Asked): Draft[] {
  const { situation, id } = asked;
  const { chat } = asked.receiver;
  if (chat === 'ready' || (chat === 'absent' && !situation.expected.withChat)) return [];
  const severity = severityOf(asked, (each) => each.chat !== 'ready');
  return [
    draft(asked, 'chat-not-ready', severity, {
      expected: 'the chat service is ready',
      observed:
        chat === 'absent' ? 'it is not installed' : chat === 'stopped' ? 'it does not run' : 'it runs and is not ready',
      ...(chat === 'absent' ? {} : { mend: runOn(id, 'systemctl restart proxyflip-chat.service') }),
    }),
  ];
}

/** The health page says no, and nothing that was looked at says why. */
function compareReadiness(asked: Asked): Draft[] {
  const { situation, receiver } = asked;
  if (receiver.health === 200) return [];
  const asksForIt = /^HTTP:\d+\/healthz$/i.test(situation.loadBalancer.healthCheck?.target ?? '');
  const severity = asksForIt ? severityOf(asked, (each) => each.health !== 200) : 'UNTIDY';
  return [
    draft(asked, 'receiver-not-ready', severity, {
      expected: `HTTP:${receiver.healthPort}/healthz answers 200`,
      observed: receiver.health === 0 ? 'no answer' : `status ${receiver.health}`,
    }),
  ];
}

function notPrepared(asked: Asked): Draft {
  const { situation } = asked;
  return draft(asked, 'receiver-missing', severityOf(asked, failsAnywhere(situation)), {
    expected: `a receiver in ${situation.expected.mode}`,
    observed: 'none: the instance was registered and never prepared',
    cause: 'it came after the switch, and no association prepared it',
  });
}

const unreachable = (loadBalancerName: string, id: string, { unreachable: why }: Unreachable): Draft => ({
  kind: 'receiver-unreachable',
  severity: 'NEXT_CHANGE_FAILS',
  where: id,
  expected: 'the Systems Manager agent answers',
  observed: why,
  began: 0,
  cause: '',
  mend: deregister(loadBalancerName, [id]),
});

const runOn = (instanceId: string, command: string): string =>
  `aws ssm send-command --document-name AWS-RunShellScript --instance-ids ${quote(instanceId)} --parameters ${quote(JSON.stringify({ commands: [command] }))}`;
