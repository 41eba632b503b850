/** The policies of the instance ports against what was set. Pure. */
import { POLICY_NAME } from '../shared/policies.ts';
import { whoWrites } from './controllers.ts';
import { dropPolicies, keepOnePolicy, quote, setPolicies, startSwitch } from './mend.ts';
import { type ObservedLoadBalancer, policiesOn, proxyPoliciesOn, sentTo } from './observed.ts';
import { type Draft, failsAt, fedPorts, known, type Rules, type Situation, severityAtPort } from './situation.ts';

export function comparePolicies(situation: Situation, rules: Rules): Draft[] {
  const { loadBalancer, expected } = situation;
  const fed = new Set(loadBalancer.listeners.map((listener) => listener.instancePort));
  const switched = new Set(expected.ports.map(({ port }) => port));
  return [
    ...fedPorts(situation).flatMap(({ port }) => comparePort(situation, rules, port)),
    ...[...loadBalancer.policyNames.keys()]
      .filter((port) => !switched.has(port))
      .flatMap((port) => compareOtherPort(situation, rules, port, fed.has(port))),
  ];
}

function comparePort(situation: Situation, rules: Rules, port: number): Draft[] {
  const { loadBalancer, expected } = situation;
  const on = proxyPoliciesOn(loadBalancer, port);
  const [first, second] = on;
  const idle = policiesOn(loadBalancer, port).filter((name) => loadBalancer.idlePolicies.has(name));
  const wanted = wantedAt(situation, port);
  const isOff = wanted === 'on' && first === undefined;
  const drafts: Draft[] = [];

  if (idle.length > 0) drafts.push(wrongAttribute(situation, rules, port, idle, isOff));
  else if (isOff) drafts.push(missing(situation, rules, port));
  if (wanted === 'off') drafts.push(...on.map((name) => unexpected(situation, rules, port, name)));
  if (wanted === 'on' && second !== undefined) {
    drafts.push({
      kind: 'policy-doubled',
      severity: 'NEXT_CHANGE_FAILS',
      where: `port ${port}`,
      expected: 'one policy that writes the PROXY line',
      observed: on.join(', '),
      began: 0,
      cause: whoWrites(loadBalancer),
      mend: keepOnePolicy(loadBalancer, port, POLICY_NAME),
    });
  } else if (wanted === 'on' && first !== undefined) {
    const adopted = expected.before.get(port)?.includes(first) ?? false;
    if (first !== POLICY_NAME && !adopted) drafts.push(replaced(situation, port, first));
  }
  return drafts;
}

/** Where a run ended half-way only what fails is wrong: what the receivers take says which way. */
function wantedAt(situation: Situation, port: number): 'on' | 'off' | 'either' {
  const { expected, loadBalancer } = situation;
  if (expected.policy !== 'either') return expected.policy;
  const sent = sentTo(loadBalancer, port);
  const fails = known(situation).some(([, receiver]) => failsAt(receiver, port, sent));
  return fails ? (sent === 'proxy' ? 'off' : 'on') : 'either';
}

function missing(situation: Situation, rules: Rules, port: number): Draft {
  const { loadBalancer, state } = situation;
  return {
    kind: 'policy-missing',
    severity: severityAtPort(situation, port, 'CLIENT_ADDRESSES_WRONG'),
    where: `port ${port}`,
    expected: `a policy that writes the PROXY line, such as ${POLICY_NAME}`,
    observed: policiesOn(loadBalancer, port).join(', ') || 'no policy',
    ...causeOfLoss(situation),
    mend: startSwitch(rules.switchDocument, loadBalancer.name, state),
  };
}

function wrongAttribute(situation: Situation, rules: Rules, port: number, idle: string[], isOff: boolean): Draft {
  const { loadBalancer, state } = situation;
  const drop = dropPolicies(loadBalancer, port, idle);
  // A policy cannot be changed, and the switch refuses one of its name that does not do what the name says.
  const forget = idle.includes(POLICY_NAME)
    ? ` && aws elb delete-load-balancer-policy --load-balancer-name ${quote(loadBalancer.name)} --policy-name ${POLICY_NAME}`
    : '';
  const again = isOff ? ` && ${startSwitch(rules.switchDocument, loadBalancer.name, state)}` : '';
  return {
    kind: 'policy-wrong-attribute',
    severity: isOff ? severityAtPort(situation, port, 'CLIENT_ADDRESSES_WRONG') : 'UNTIDY',
    where: `port ${port}`,
    expected: 'attribute ProxyProtocol true',
    observed: `${idle.join(', ')} with another value`,
    began: 0,
    cause: whoWrites(loadBalancer),
    mend: `${drop}${forget}${again}`,
  };
}

/** On where it was set to be off: a plain receiver answers 400 to each line. */
function unexpected(situation: Situation, rules: Rules, port: number, name: string): Draft {
  const { loadBalancer, state } = situation;
  const isOwn = name === POLICY_NAME;
  return {
    kind: isOwn ? 'policy-unexpected' : 'policy-foreign',
    severity: severityAtPort(situation, port, 'NEXT_CHANGE_FAILS'),
    where: `port ${port}`,
    expected: 'no policy that writes the PROXY line',
    observed: name,
    began: 0,
    cause: isOwn ? '' : whoWrites(loadBalancer),
    mend: isOwn
      ? startSwitch(rules.switchDocument, loadBalancer.name, state)
      : dropPolicies(loadBalancer, port, [name]),
  };
}

function replaced({ loadBalancer }: Situation, port: number, name: string): Draft {
  const others = policiesOn(loadBalancer, port).filter((each) => each !== name);
  const create = loadBalancer.proxyPolicies.has(POLICY_NAME)
    ? ''
    : `aws elb create-load-balancer-policy --load-balancer-name ${quote(loadBalancer.name)} --policy-name ${POLICY_NAME} --policy-type-name ProxyProtocolPolicyType --policy-attributes AttributeName=ProxyProtocol,AttributeValue=true && `;
  return {
    kind: 'policy-foreign',
    severity: 'UNTIDY',
    where: `port ${port}`,
    expected: POLICY_NAME,
    observed: `${name}, which does the same`,
    began: 0,
    cause: whoWrites(loadBalancer),
    // Both write the line, so that nothing changes for a connection.
    mend: `${create}${setPolicies(loadBalancer.name, port, [...others, POLICY_NAME])}`,
  };
}

/** A port that was not switched: its policies are others' business, unless they are ours or nobody's. */
function compareOtherPort(situation: Situation, rules: Rules, port: number, isFed: boolean): Draft[] {
  const { loadBalancer, expected, state } = situation;
  const on = proxyPoliciesOn(loadBalancer, port);
  const isOurs = on.includes(POLICY_NAME);
  const wasThere = on.every((name) => expected.before.get(port)?.includes(name) ?? false);
  if (!isOurs && (isFed || wasThere)) return [];
  const draft = { where: `port ${port}`, observed: on.join(', '), began: 0 };
  return isFed
    ? [
        {
          ...draft,
          kind: 'policy-unexpected',
          severity: severityAtOtherPort(situation, port),
          expected: `no ${POLICY_NAME}: the port was not switched`,
          cause: '',
          mend: startSwitch(rules.switchDocument, loadBalancer.name, state),
        },
      ]
    : [
        {
          ...draft,
          kind: 'policy-without-listener',
          severity: 'NEXT_CHANGE_FAILS',
          expected: 'no policy where no listener leads: the next listener there would inherit it',
          cause: 'the listener was deleted; policies outlive it',
          mend: dropPolicies(loadBalancer, port, on),
        },
      ];
}

/** What answers there is not known where no receiver serves the port. */
function severityAtOtherPort(situation: Situation, port: number): Draft['severity'] {
  const serves = known(situation).some(([, { live }]) => live[String(port)] !== undefined);
  return serves ? severityAtPort(situation, port, 'NEXT_CHANGE_FAILS') : 'SOME_REQUESTS_FAIL';
}

function causeOfLoss({ loadBalancer, expected }: Situation): { cause: string; began: number } {
  // CreatedTime has no fraction of a second in every answer.
  if (loadBalancer.createdAt > expected.setAt + 1000) {
    const at = new Date(loadBalancer.createdAt).toISOString();
    return { cause: `the load balancer was made again at ${at}`, began: loadBalancer.createdAt };
  }
  return { cause: whoWrites(loadBalancer) || whoLeft(loadBalancer), began: 0 };
}

/** Whoever sets a list replaces it whole: what stands there now is theirs. */
const whoLeft = ({ policyNames }: ObservedLoadBalancer): string =>
  [...policyNames.values()].flat().includes(POLICY_NAME) ? 'this port alone was changed' : '';
