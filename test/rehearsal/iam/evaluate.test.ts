import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../rehearsal/cloudformation/json.ts';
import { evaluate, type Permission, trusts } from '../../../rehearsal/iam/evaluate.ts';
import { readPolicyDocument } from '../../../rehearsal/iam/policy-document.ts';

const statements = (...Statement: JsonObject[]) => readPolicyDocument({ Version: '2012-10-17', Statement }, 'identity');
const allow = (more: JsonObject): JsonObject => ({
  Effect: 'Allow',
  Action: 'ssm:GetParameter',
  Resource: '*',
  ...more,
});
const deny = (more: JsonObject): JsonObject => ({ ...allow(more), Effect: 'Deny' });

const PARAMETER = 'arn:aws:ssm:eu-central-1:111122223333:parameter/proxyflip/web';
const read: Permission = { action: 'ssm:GetParameter', resource: PARAMETER };
const pass: Permission = {
  action: 'iam:PassRole',
  resource: 'arn:aws:iam::111122223333:role/automation',
  context: { 'iam:passedtoservice': 'ssm.amazonaws.com' },
};

describe('identity policies', () => {
  test.each<{ what: string; policy: JsonObject[]; asked: Permission; verdict: string }>([
    { what: 'nothing', policy: [], asked: read, verdict: 'not allowed' },
    { what: 'every resource', policy: [allow({})], asked: read, verdict: 'allowed' },
    { what: 'the resource itself', policy: [allow({ Resource: PARAMETER })], asked: read, verdict: 'allowed' },
    {
      what: 'a pattern over slashes',
      policy: [allow({ Resource: 'arn:aws:ssm:*:111122223333:parameter/*' })],
      asked: read,
      verdict: 'allowed',
    },
    {
      what: 'another resource',
      policy: [allow({ Resource: `${PARAMETER}-2` })],
      asked: read,
      verdict: 'not allowed',
    },
    {
      what: 'a dot, which is no pattern',
      policy: [allow({ Resource: PARAMETER.replace('proxyflip', 'proxy.lip') })],
      asked: read,
      verdict: 'not allowed',
    },
    {
      what: 'one character',
      policy: [allow({ Resource: PARAMETER.replace('web', 'w?b') })],
      asked: read,
      verdict: 'allowed',
    },
    { what: 'another action', policy: [allow({ Action: 'ssm:PutParameter' })], asked: read, verdict: 'not allowed' },
    { what: 'a list with it', policy: [allow({ Action: ['ssm:X', 'ssm:Get*'] })], asked: read, verdict: 'allowed' },
    {
      what: 'the action in other letters',
      policy: [allow({ Action: 'ssm:getPARAMETER' })],
      asked: read,
      verdict: 'allowed',
    },
    {
      what: 'a deny behind an allow',
      policy: [allow({}), deny({ Resource: PARAMETER })],
      asked: read,
      verdict: 'denied',
    },
    { what: 'a deny of something else', policy: [allow({}), deny({ Resource: 'x' })], asked: read, verdict: 'allowed' },
    {
      what: 'an ARN where the action knows no resource',
      policy: [allow({ Action: 'ssm:ListCommands', Resource: 'arn:aws:ssm:*:*:*' })],
      asked: { action: 'ssm:ListCommands', resource: '*' },
      verdict: 'not allowed',
    },
    {
      what: 'the service that the role is passed to',
      policy: [
        allow({ Action: 'iam:PassRole', Condition: { StringEquals: { 'iam:PassedToService': 'ssm.amazonaws.com' } } }),
      ],
      asked: pass,
      verdict: 'allowed',
    },
    {
      what: 'another service',
      policy: [
        allow({
          Action: 'iam:PassRole',
          Condition: { StringEquals: { 'iam:PassedToService': ['ec2.amazonaws.com'] } },
        }),
      ],
      asked: pass,
      verdict: 'not allowed',
    },
    {
      what: 'a key that the request does not have',
      policy: [allow({ Condition: { StringLike: { 'iam:PassedToService': '*' } } })],
      asked: read,
      verdict: 'not allowed',
    },
  ])('$what: $verdict', ({ policy, asked, verdict }) => {
    expect(evaluate(statements(...policy), asked).is).toBe(verdict);
  });
});

describe('trust policies', () => {
  const trust = (more: JsonObject = {}) =>
    readPolicyDocument(
      {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'ssm.amazonaws.com' }, Action: 'sts:AssumeRole', ...more },
        ],
      },
      'trust',
    );
  const confused = {
    StringEquals: { 'aws:SourceAccount': '111122223333' },
    ArnLike: { 'aws:SourceArn': 'arn:aws:ssm:eu-central-1:111122223333:automation-execution/*' },
  };
  const context = {
    'aws:sourceaccount': '111122223333',
    'aws:sourcearn': 'arn:aws:ssm:eu-central-1:111122223333:automation-execution/1',
  };

  test.each([
    { what: 'the service', policy: trust(), principal: 'ssm.amazonaws.com', context: {}, trusted: true },
    { what: 'another service', policy: trust(), principal: 'lambda.amazonaws.com', context: {}, trusted: false },
    {
      what: 'its conditions',
      policy: trust({ Condition: confused }),
      principal: 'ssm.amazonaws.com',
      context,
      trusted: true,
    },
    {
      what: 'the service on behalf of another account',
      policy: trust({ Condition: confused }),
      principal: 'ssm.amazonaws.com',
      context: { ...context, 'aws:sourceaccount': '444455556666' },
      trusted: false,
    },
    {
      what: 'the service without saying for whom',
      policy: trust({ Condition: confused }),
      principal: 'ssm.amazonaws.com',
      context: {},
      trusted: false,
    },
    {
      what: 'an ARN of more parts in a pattern’s wildcard',
      policy: trust({ Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:*:automation-execution/*' } } }),
      principal: 'ssm.amazonaws.com',
      context,
      trusted: false,
    },
  ])('$what: $trusted', ({ policy, principal, context, trusted }) => {
    expect(trusts(policy, principal, context) !== undefined).toBe(trusted);
  });
});
