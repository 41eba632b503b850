import type { LiveSnapshot } from '../../../rehearsal/report/live-view.ts';
import type { TrafficSnapshot } from '../../../rehearsal/traffic/counts.ts';
import { requests } from './results.ts';

export function aTrafficSnapshot(more: Partial<TrafficSnapshot> = {}): TrafficSnapshot {
  return {
    atMs: 1_000_000,
    elapsedMs: 31_000,
    phase: 'both',
    rates: { newConnections: 401, keepAlive: 44, failed: 0, messages: 40 },
    latencyMs: { count: 445, p50: 3, p99: 18, max: 41 },
    newConnections: requests(12_410),
    keepAlive: { ...requests(1_322), retried: 0 },
    webSockets: {
      opened: 60,
      returned: 0,
      failedToOpen: 0,
      dropped: 0,
      messagesSent: 1_240,
      messagesEchoed: 1_239,
      messagesLost: 0,
      complaints: 0,
      open: 60,
    },
    forged: { sent: 150, served: 60, refused: 90, believed: 0, failed: 0, failures: {} },
    clientAddress: { correct: 4_102, wrong: 0, unverified: 0 },
    generator: { lateStarts: 0, maxLateMs: 12, maxInFlight: 31, capReached: 0, sources: 24 },
    ...more,
  };
}

export function aSnapshot(more: Partial<LiveSnapshot> = {}): LiveSnapshot {
  const steps = ['Begin', 'DescribeSubnets', 'DescribeNodes', 'Plan', 'AcceptBoth', 'ConfirmBoth', 'SetPolicies'];
  const later = ['MeasureLoop', 'FinalMode', 'ConfirmFinal', 'Finish'];
  return {
    title: 'enable PROXY protocol for chat-fleet, by the runbook',
    elapsedMs: 31_400,
    phase: 'both',
    nodes: [
      {
        address: '10.0.101.21',
        isInDns: true,
        ports: [
          { instancePort: 80, policy: 'on' },
          { instancePort: 443, policy: 'on' },
        ],
      },
      {
        address: '10.0.102.21',
        isInDns: true,
        ports: [
          { instancePort: 80, policy: 'setting' },
          { instancePort: 443, policy: 'off' },
        ],
      },
    ],
    instances: [
      { name: 'machine-0', address: '10.0.1.11', mode: 'both', isInService: true },
      { name: 'machine-1', address: '10.0.2.11', mode: 'both', isInService: true },
      { name: 'machine-2', address: '10.0.1.12', mode: 'both', isInService: true },
    ],
    traffic: aTrafficSnapshot(),
    history: {
      atMs: Array.from({ length: 31 }, (_, second) => second * 1_000 + 999),
      newConnections: Array.from({ length: 31 }, (_, second) => 380 + ((second * 13) % 40)),
      failures: Array.from({ length: 31 }, () => 0),
      phases: Array.from({ length: 31 }, (_, second) => (second < 9 ? 'plain' : second < 15 ? 'plain → both' : 'both')),
    },
    timeline: {
      nodes: ['10.0.101.21', '10.0.102.21'].map((address, index) => ({
        address,
        changes: [80, 443].flatMap((instancePort) => [
          { atMs: -1_000, instancePort, hasPolicy: false },
          ...(index === 0 ? [{ atMs: 20_000, instancePort, hasPolicy: true }] : []),
        ]),
      })),
      instances: ['machine-0', 'machine-1', 'machine-2'].map((name, index) => ({
        name,
        changes: [
          { atMs: -1_000, mode: 'plain' as const },
          { atMs: 12_000 + 1_000 * index, mode: 'both' as const },
        ],
      })),
    },
    runbook: {
      steps: [
        ...steps.map((name) => ({ name, status: 'done' as const })),
        ...later.map((name, index) => ({ name, status: index === 0 ? ('running' as const) : ('waiting' as const) })),
      ],
      waitingFor: 'plain connections from 10.0.102.21 on instance port 80, the last one 0.8 s ago (12 of 900 s waited)',
    },
    events: [
      { atMs: 9_000, resource: 'chat-proxy-protocol', status: 'CREATE_IN_PROGRESS', reason: 'User Initiated' },
      { atMs: 10_000, resource: 'LoadBalancerFunctionRole', status: 'CREATE_COMPLETE' },
      { atMs: 12_000, resource: 'SwitchDocument', status: 'CREATE_COMPLETE' },
      { atMs: 13_000, resource: 'ProxyProtocol', status: 'CREATE_IN_PROGRESS' },
    ],
    ...more,
  };
}
