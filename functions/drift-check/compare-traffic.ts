/**
 * What nginx's logs say of connections that failed. Only what the rest does not explain: where a policy is missing, that is what dropped
 * them. Pure.
 *
 * A client can begin its stream with a PROXY line of its own, and is refused; so a few of those are the internet's usual noise, and only
 * a port at which they are most of what arrives is somebody's mistake. A strict port that gets connections without a line is one in any case:
 * through the load balancer nobody can send them.
 */
import { BlockList, isIPv4 } from 'node:net';
import type { Kind } from './kinds.ts';
import type { Receiver } from './receiver.ts';
import { type Draft, known, type Rules, type Situation } from './situation.ts';

/** From here on lines that clients made up do not explain it. */
const MOST = 0.5;
const AT_LEAST = 5;

export const TRAFFIC_KINDS: readonly Kind[] = ['broken-headers', 'other-load-balancer', 'proxy-lines-refused'];

export function compareTraffic(situation: Situation, rules: Rules): Draft[] {
  return known(situation).flatMap(([id, receiver]) => {
    if (receiver.mode === 'none') return [];
    return [...droppedAt(situation, rules, id, receiver), ...refusedAt(rules, id, receiver)];
  });
}

/** What came before the receiver was set to what it is says nothing about it. @param last  Unix time in seconds */
const isNews = (last: number, rules: Rules, { since }: Receiver): boolean =>
  last > since && last * 1000 > rules.logsSince;

function droppedAt({ expected }: Situation, rules: Rules, where: string, receiver: Receiver): Draft[] {
  const { log } = receiver;
  if (!isNews(log.lastBroken, rules, receiver)) return [];
  const from = log.brokenFrom.join(', ') || 'an address that was not noted';
  const observed = `${log.broken} were dropped since ${new Date(log.from * 1000).toISOString()}, from ${from}`;
  const draft = {
    severity: 'SOME_REQUESTS_FAIL' as const,
    where,
    expected: 'every connection to a strict instance port begins with a PROXY line',
    observed,
    began: 0,
    mend: '',
  };
  if (log.checkers) {
    return [
      {
        ...draft,
        kind: 'other-load-balancer',
        cause:
          'an Application or Network Load Balancer has the instance as a target on a switched port (ELB-HealthChecker/2.0); it needs an instance port of its own',
      },
    ];
  }
  const fromNodes = log.brokenFrom.some((address) => isInside(address, expected.trustedCidrs ?? ''));
  return [
    {
      ...draft,
      kind: 'broken-headers',
      cause: fromNodes
        ? 'they came from the load balancer’s subnets: a node has not followed, or somebody there calls the port directly'
        : 'somebody calls the instance port directly, past the load balancer',
    },
  ];
}

function refusedAt(rules: Rules, where: string, receiver: Receiver): Draft[] {
  const { log } = receiver;
  const { proxied, requests, lastProxied } = log;
  if (proxied < AT_LEAST || proxied < requests * MOST || !isNews(lastProxied, rules, receiver)) return [];
  return [
    {
      kind: 'proxy-lines-refused',
      severity: 'SOME_REQUESTS_FAIL',
      where,
      expected: 'one PROXY line at a strict port, none at a plain one',
      observed: `${proxied} of ${requests} requests since ${new Date(log.from * 1000).toISOString()} were refused with 400 for a PROXY line too many`,
      began: 0,
      cause: 'something in front of the instance writes a PROXY line as well: a second proxy, or another load balancer',
      mend: '',
    },
  ];
}

/** @param cidrs  `10.0.101.0/24 10.0.102.0/24` */
function isInside(address: string, cidrs: string): boolean {
  const list = new BlockList();
  for (const cidr of cidrs.split(' ').filter((each) => each !== '')) {
    const [network = '', bits = '32'] = cidr.split('/');
    list.addSubnet(network, Number(bits));
  }
  return isIPv4(address) && list.check(address);
}
