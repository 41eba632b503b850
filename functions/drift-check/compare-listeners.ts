/** Listeners, the health check and neighbours against what was set. Pure. */
import { type InstancePort, schemeOf, switchedPorts } from '../shared/ports.ts';
import { deregister, makeListenerAgain, moveHealthCheck, startSwitch } from './mend.ts';
import type { ObservedListener, ObservedLoadBalancer } from './observed.ts';
import { type Draft, failsAt, isKnown, known, type Rules, type Situation } from './situation.ts';

export function compareListeners(situation: Situation, rules: Rules): Draft[] {
  return [
    ...compareFedPorts(situation, rules),
    ...newPorts(situation, rules),
    ...checkHealthCheck(situation),
    ...checkNeighbours(situation),
  ];
}

function compareFedPorts(situation: Situation, rules: Rules): Draft[] {
  const { loadBalancer, expected, state } = situation;
  const removed = expected.ports.filter(({ port }) => listenersOf(loadBalancer, port).length === 0);
  const gone = removed.map(({ port }) => port);
  const change = {
    withoutPorts: gone,
    ...(removed.length === expected.ports.length ? { direction: 'disable' as const } : {}),
  };
  return [
    ...removed.map(
      ({ port }): Draft => ({
        kind: 'listener-removed',
        severity: 'NEXT_CHANGE_FAILS',
        where: `port ${port}`,
        expected: 'a TCP or SSL listener that feeds it',
        observed: 'no listener',
        began: 0,
        cause: '',
        mend: startSwitch(rules.switchDocument, loadBalancer.name, state, change),
      }),
    ),
    ...expected.ports.flatMap((wanted) => compareFeeders(situation, rules, wanted)),
  ];
}

function compareFeeders(situation: Situation, rules: Rules, wanted: InstancePort): Draft[] {
  const { loadBalancer, state } = situation;
  const feeders = listenersOf(loadBalancer, wanted.port);
  const others = feeders.filter((listener) => listener.instanceProtocol !== 'TCP');
  if (feeders.length === 0) return [];
  if (others.length > 0) return others.map((listener) => wrongProtocol(situation, listener));
  const scheme = schemeOf(feeders);
  if (scheme === wanted.scheme) return [];
  return [
    {
      kind: 'listener-scheme',
      // A port that answers with a redirect to https, and is fed by https now, redirects for ever.
      severity: wanted.scheme === 'http' ? 'EVERY_REQUEST_FAILS' : 'UNTIDY',
      where: `port ${wanted.port}`,
      expected: `fed as ${wanted.scheme}`,
      observed: `fed as ${scheme}, by listener ${feeders.map((each) => `${each.protocol}:${each.loadBalancerPort}`).join(', ')}`,
      began: 0,
      cause: 'the listener was made again: it cannot be changed',
      mend: startSwitch(rules.switchDocument, loadBalancer.name, state),
    },
  ];
}

/** The load balancer writes no PROXY line to an HTTP instance port, and writes it inside TLS to an SSL one; the API accepts the policy all the same. */
function wrongProtocol(situation: Situation, listener: ObservedListener): Draft {
  const { loadBalancer } = situation;
  const { instanceProtocol, instancePort, loadBalancerPort, protocol } = listener;
  const fails =
    instanceProtocol !== 'HTTP' || known(situation).some(([, receiver]) => failsAt(receiver, instancePort, 'plain'));
  return {
    kind: 'listener-protocol',
    severity: fails ? 'EVERY_REQUEST_FAILS' : 'NEXT_CHANGE_FAILS',
    where: `listener ${loadBalancerPort}`,
    expected: `instance protocol TCP to instance port ${instancePort}`,
    observed: `${protocol} to ${instanceProtocol}:${instancePort}`,
    began: 0,
    cause: 'the listener was made again: it cannot be changed',
    mend: makeListenerAgain(loadBalancer.name, listener),
  };
}

function newPorts({ loadBalancer, expected, state }: Situation, rules: Rules): Draft[] {
  if (expected.policy === 'off') return [];
  const fed = new Set(loadBalancer.listeners.map((listener) => listener.instancePort));
  const include = expected.include.filter((port) => fed.has(port));
  if (expected.include.length > 0 && include.length === 0) return [];
  return switchedPorts(loadBalancer.listeners, { include, exclude: expected.exclude })
    .filter(({ port }) => !expected.ports.some((each) => each.port === port))
    .map(({ port }) => ({
      kind: 'listener-added',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: `port ${port}`,
      expected: 'every instance port that a TCP or SSL listener feeds is switched',
      observed: `not switched, fed by listener ${listenersOf(loadBalancer, port)
        .map((each) => `${each.protocol}:${each.loadBalancerPort}`)
        .join(', ')}`,
      began: 0,
      cause: 'the listener was added after the switch',
      mend: startSwitch(rules.switchDocument, loadBalancer.name, state),
    }));
}

/**
 * HTTP, HTTPS and SSL checks carry no PROXY line, so that a strict receiver fails them. And /healthz of ours is at one port alone, without
 * TLS; elsewhere it may be somebody else's, who answers as long as an instance is in service.
 */
function checkHealthCheck(situation: Situation): Draft[] {
  const { loadBalancer, expected, outOfService } = situation;
  const target = loadBalancer.healthCheck?.target ?? 'TCP';
  const [, digits, path] = /^(?:HTTPS?|SSL):(\d+)(.*)/i.exec(target) ?? [];
  if (digits === undefined) return [];
  const port = Number(digits);
  const healthPort = known(situation).find(([, { mode }]) => mode !== 'none')?.[1].healthPort ?? '8078';
  const isAtStrictPort =
    expected.ports.some((each) => each.port === port) &&
    (known(situation).length === 0
      ? expected.mode === 'proxy'
      : known(situation).some(([, receiver]) => receiver.live[digits] === 'proxy'));
  const healthPage = `HTTP:${healthPort}/healthz`;
  const missesHealthPage =
    path === '/healthz' &&
    target.toUpperCase() !== healthPage.toUpperCase() &&
    known(situation).length > 0 &&
    known(situation).every(([id]) => outOfService.has(id));
  if (!isAtStrictPort && !missesHealthPage) return [];
  return [
    {
      kind: 'health-check',
      severity: 'EVERY_REQUEST_FAILS',
      where: 'load balancer',
      expected: `TCP, or a port without PROXY protocol, such as ${healthPage}`,
      observed: isAtStrictPort
        ? `${target}, which carries no PROXY line to a port that requires one: every instance is taken out of service`
        : `${target}, where nobody answers: every instance is taken out of service`,
      began: 0,
      cause: 'the health check was changed after the switch',
      mend: moveHealthCheck(loadBalancer, healthPort),
    },
  ];
}

function checkNeighbours(situation: Situation): Draft[] {
  const { neighbours, receivers } = situation;
  return neighbours
    .filter(({ port, instanceIds }) =>
      instanceIds.some((id) => {
        const receiver = receivers.get(id);
        return isKnown(receiver) && failsAt(receiver, port, 'plain');
      }),
    )
    .map(({ name, port, instanceIds }) => ({
      kind: 'instance-shared',
      severity: 'SOME_REQUESTS_FAIL',
      // Of two neighbours at one port, each is a finding of its own, with its own beginning and its own mending.
      where: `port ${port}, from ${name}`,
      expected: 'no other load balancer sends plain connections there',
      observed: `${name} does, to ${instanceIds.join(', ')}`,
      began: 0,
      cause: `${name} has the instances too, and no PROXY protocol`,
      mend: deregister(name, instanceIds),
    }));
}

const listenersOf = ({ listeners }: ObservedLoadBalancer, port: number): ObservedListener[] =>
  listeners.filter((listener) => listener.instancePort === port);
