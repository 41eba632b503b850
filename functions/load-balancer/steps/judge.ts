/** One round of measuring: read what the receivers counted, judge it, and wait for the next round if there is to be one. */

import { answerOf, awaitInvocations, complaintOf } from '../../shared/invocations.ts';
import { isOn } from '../../shared/policies.ts';
import { parseInstancePorts } from '../../shared/ports.ts';
import { requireState, writeState } from '../../shared/switch-state.ts';
import { describeLoadBalancer } from '../classic-elb.ts';
import { portsFedPlainly } from '../gates.ts';
import type { InputOf } from '../input.ts';
import {
  isFollowed,
  type Judgement,
  judge as judgeMeasurements,
  type Kind,
  type Measurement,
  type ProbedListener,
  pauseSeconds,
  readMeasurement,
} from '../judge.ts';
import type { Deps } from './deps.ts';

const LIST_WAIT_MS = 20_000;

export async function judge({ elb, ssm, clock, log }: Deps, input: InputOf<'Judge'>): Promise<Judgement> {
  const { loadBalancerName } = input;
  const stored = await requireState(ssm, clock, loadBalancerName, input.executionId);
  const { state } = stored;
  const measuringSince = state.measuringSince ?? new Date(clock.now()).toISOString();
  const loadBalancer = await describeLoadBalancer(elb, loadBalancerName);
  const ports = parseInstancePorts(state.bothPorts).map((each) => each.port);
  const probed = input.nodes
    .split(' ')
    .filter((each) => each !== '')
    .map(probedListener);
  const readings = await readReceivers();

  const now = clock.now();
  const question = {
    wanted: new Map(ports.map((port): [number, Kind] => [port, isOn(loadBalancer.policies, port) ? 'proxy' : 'plain'])),
    nodes: [...new Set(probed.map(({ node }) => node))],
    plainAnyway: portsFedPlainly(loadBalancer),
    ...readings,
    quietSeconds: input.quietSeconds,
    elapsedSeconds: (now - Date.parse(measuringSince)) / 1000,
    boundSeconds: input.boundSeconds,
    unmeasuredNode: input.unmeasuredNode,
  };
  const followedSince = isFollowed(question) ? (state.followedSince ?? new Date(now).toISOString()) : undefined;
  const followedSeconds = followedSince === undefined ? 0 : (now - Date.parse(followedSince)) / 1000;
  const judgement = judgeMeasurements({ ...question, followedSeconds });
  log('judged', { loadBalancerName, ...judgement });
  const { followedSince: _, ...rest } = state;
  await writeState(ssm, loadBalancerName, stored, {
    ...rest,
    phase: 'measuring',
    measuringSince,
    ...(followedSince === undefined ? {} : { followedSince }),
    rounds: (state.rounds ?? 0) + 1,
    ...judgement,
  });
  if (judgement.verdict === 'wait') await clock.sleep(pauseSeconds(input.boundSeconds) * 1000);
  return judgement;

  /** `10.0.101.21:443=https`; a listener that has gone since feeds no instance port. */
  function probedListener(text: string): ProbedListener {
    const node = text.slice(0, text.lastIndexOf(':'));
    const listenerPort = Number.parseInt(text.slice(node.length + 1), 10);
    const listener = loadBalancer.listeners.find((each) => each.loadBalancerPort === listenerPort);
    return { node, instancePort: listener?.instancePort ?? 0 };
  }

  async function readReceivers() {
    const measurements: Measurement[] = [];
    const unmeasured: { instanceId: string; why: string }[] = [];
    const invocations = await awaitInvocations(ssm, clock, input.commandId, loadBalancer.instanceIds, LIST_WAIT_MS);
    for (const instanceId of loadBalancer.instanceIds) {
      const invocation = invocations.get(instanceId);
      if (invocation?.status !== 'Success') {
        const why = invocation === undefined ? 'it was not asked' : `${invocation.status}: ${complaintOf(invocation)}`;
        unmeasured.push({ instanceId, why });
        continue;
      }
      const reading = readMeasurement(instanceId, answerOf(invocation), probed);
      if ('why' in reading) unmeasured.push(reading);
      else measurements.push(reading);
    }
    return { measurements, unmeasured };
  }
}
