/**
 * Every kind of drift: where it is looked for, what it can mean for users, and who mends it. docs/drift.md has a row for each, which a
 * test holds to this table.
 */
import type { Severity } from './finding.ts';

interface KindOfDrift {
  readonly side: 'load balancer' | 'receiver' | 'both sides';
  /** What it can mean, by what the other side does; worst first. */
  readonly severities: readonly Severity[];
  /** `switch`: the runbook mends it, and so remediation may. `person`: it takes a decision. */
  readonly remedy: 'switch' | 'person';
}

const FAILS = ['EVERY_REQUEST_FAILS', 'SOME_REQUESTS_FAIL'] as const;
/** Of a receiver: what it fails, nobody notices while the load balancer has taken the instance out of service. */
const FAILS_IN_SERVICE = [...FAILS, 'NEXT_CHANGE_FAILS'] as const;

export const KINDS = {
  'load-balancer-deleted': { side: 'load balancer', severities: ['UNTIDY'], remedy: 'person' },
  'policy-missing': { side: 'load balancer', severities: [...FAILS, 'CLIENT_ADDRESSES_WRONG'], remedy: 'switch' },
  'policy-wrong-attribute': {
    side: 'load balancer',
    severities: [...FAILS, 'CLIENT_ADDRESSES_WRONG', 'UNTIDY'],
    remedy: 'person',
  },
  'policy-unexpected': { side: 'load balancer', severities: [...FAILS, 'NEXT_CHANGE_FAILS'], remedy: 'switch' },
  'policy-foreign': { side: 'load balancer', severities: [...FAILS, 'NEXT_CHANGE_FAILS', 'UNTIDY'], remedy: 'person' },
  'policy-doubled': { side: 'load balancer', severities: ['NEXT_CHANGE_FAILS'], remedy: 'person' },
  'policy-without-listener': { side: 'load balancer', severities: ['NEXT_CHANGE_FAILS'], remedy: 'person' },
  'listener-added': { side: 'load balancer', severities: ['CLIENT_ADDRESSES_WRONG'], remedy: 'switch' },
  'listener-removed': { side: 'load balancer', severities: ['NEXT_CHANGE_FAILS'], remedy: 'switch' },
  'listener-protocol': {
    side: 'load balancer',
    severities: ['EVERY_REQUEST_FAILS', 'NEXT_CHANGE_FAILS'],
    remedy: 'person',
  },
  'listener-scheme': { side: 'load balancer', severities: ['EVERY_REQUEST_FAILS', 'UNTIDY'], remedy: 'switch' },
  'health-check': { side: 'load balancer', severities: ['EVERY_REQUEST_FAILS'], remedy: 'person' },
  'instance-shared': { side: 'load balancer', severities: ['SOME_REQUESTS_FAIL'], remedy: 'person' },

  'receiver-missing': { side: 'receiver', severities: FAILS_IN_SERVICE, remedy: 'switch' },
  'receiver-mode': { side: 'receiver', severities: [...FAILS_IN_SERVICE, 'CLIENT_ADDRESSES_WRONG'], remedy: 'switch' },
  'receiver-settings': {
    side: 'receiver',
    severities: ['SOME_REQUESTS_FAIL', 'CLIENT_ADDRESSES_WRONG'],
    remedy: 'switch',
  },
  'receiver-files': { side: 'receiver', severities: ['NEXT_CHANGE_FAILS'], remedy: 'switch' },
  'receiver-not-ready': { side: 'receiver', severities: [...FAILS_IN_SERVICE, 'UNTIDY'], remedy: 'switch' },
  'receiver-unreachable': { side: 'receiver', severities: ['NEXT_CHANGE_FAILS'], remedy: 'person' },
  'nginx-down': { side: 'receiver', severities: FAILS_IN_SERVICE, remedy: 'switch' },
  'haproxy-down': { side: 'receiver', severities: FAILS_IN_SERVICE, remedy: 'switch' },
  'rule-missing': { side: 'receiver', severities: FAILS_IN_SERVICE, remedy: 'switch' },
  'rule-left': { side: 'receiver', severities: [...FAILS_IN_SERVICE, 'CLIENT_ADDRESSES_WRONG'], remedy: 'switch' },
  'both-too-long': { side: 'receiver', severities: ['CLIENT_ADDRESSES_WRONG'], remedy: 'switch' },
  'broken-headers': { side: 'receiver', severities: ['SOME_REQUESTS_FAIL'], remedy: 'person' },
  'proxy-lines-refused': { side: 'receiver', severities: ['SOME_REQUESTS_FAIL'], remedy: 'person' },
  'other-load-balancer': { side: 'receiver', severities: ['SOME_REQUESTS_FAIL'], remedy: 'person' },
  'chat-not-ready': { side: 'receiver', severities: FAILS_IN_SERVICE, remedy: 'switch' },

  'switch-unfinished': { side: 'both sides', severities: ['CLIENT_ADDRESSES_WRONG', 'UNTIDY'], remedy: 'switch' },
  'fought-over': { side: 'both sides', severities: ['NEXT_CHANGE_FAILS'], remedy: 'person' },
  'suppression-unreadable': { side: 'both sides', severities: ['UNTIDY'], remedy: 'person' },
} as const satisfies Record<string, KindOfDrift>;

export type Kind = keyof typeof KINDS;

export const isMendedBySwitch = (kind: Kind): boolean => KINDS[kind].remedy === 'switch';
