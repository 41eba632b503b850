import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Answer,
  cutToBytes,
  type ReplyDeps,
  reply,
  responseBody,
} from '../../../functions/proxy-protocol/cfn-response.ts';
import { createEvent } from './events.ts';

const answer = (given: Partial<Answer> = {}): Answer => ({
  status: 'FAILED',
  physicalResourceId: 'id',
  reason: 'because',
  ...given,
});
const bytes = (text: string) => new TextEncoder().encode(text).length;

describe('the body', () => {
  test('says what CloudFormation wants to hear', () => {
    const event = createEvent();
    expect(JSON.parse(responseBody(event, answer({ status: 'SUCCESS', data: { PolicyName: 'p' } })))).toEqual({
      Status: 'SUCCESS',
      Reason: 'because',
      PhysicalResourceId: 'id',
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
      Data: { PolicyName: 'p' },
    });
  });

  test('never exceeds 4,096 bytes, whatever the reason is made of, and stays JSON', () => {
    let isCut = false;
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom('a', 'ä', '日', '😀', '"', '\n', '\\', '\u0001'), { maxLength: 8000, size: 'max' })
          .map((all) => all.join('')),
        (reason) => {
          const body = responseBody(createEvent(), answer({ reason, data: { InstancePorts: reason } }));
          expect(bytes(body)).toBeLessThanOrEqual(4096);
          isCut ||= !body.includes(JSON.stringify(reason));
          expect(JSON.parse(body)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'id' });
        },
      ),
      { numRuns: 60 },
    );
    // fast-check makes ten characters of maxLength 8000, unless it is told otherwise.
    expect(isCut).toBe(true);
  });

  test('uses the room that there is, to the byte where a character has one', () => {
    const reason = 'x'.repeat(5000);

    const body = responseBody(createEvent(), answer({ reason }));

    expect(bytes(body)).toBe(4096);
    expect(JSON.parse(body).Reason).toMatch(/^x{3000,}…$/);
    // What fits exactly is not cut: the mark takes three bytes, and stood for the rest.
    const room = (JSON.parse(body).Reason as string).length + 2;
    expect(JSON.parse(responseBody(createEvent(), answer({ reason: 'x'.repeat(room) }))).Reason).toBe('x'.repeat(room));
  });

  test('uses the room that there is: a reason of 3,000 bytes is not cut', () => {
    const reason = 'x'.repeat(3000);
    expect(JSON.parse(responseBody(createEvent(), answer({ reason }))).Reason).toBe(reason);
  });

  test('a cut never falls within a character', () => {
    expect(cutToBytes('😀😀', 7)).toBe('😀…');
    expect(cutToBytes('äöü', 5)).toBe('ä…');
    expect(cutToBytes('😀😀😀', 8)).toBe('😀…');
    expect(cutToBytes('abc', 3)).toBe('abc');
    expect(cutToBytes('abcd', 4)).toBe('abcd');
    expect(cutToBytes('abcd', 0)).toBe('');
  });

  test('no room is spent on the mark where nothing else would be left', () => {
    expect(cutToBytes('abcd', 3)).toBe('abc');
    expect(cutToBytes('abcde', 4)).toBe('a…');
  });
});

describe('the sending', () => {
  function deps(responses: readonly (number | Error)[]) {
    const requests: { url: string; init: RequestInit }[] = [];
    const logged: unknown[] = [];
    let slept = 0;
    const all: ReplyDeps = {
      fetch: async (url, init) => {
        requests.push({ url: String(url), init: init ?? {} });
        const next = responses[Math.min(requests.length, responses.length) - 1] ?? 200;
        if (next instanceof Error) throw next;
        return new Response(null, { status: next });
      },
      clock: {
        now: () => 0,
        sleep: async (ms) => {
          slept += ms;
        },
      },
      log: (...line) => logged.push(line),
    };
    return { all, requests, logged, slept: () => slept };
  }

  test('is a PUT with an empty content type, as the address was signed', async () => {
    const { all, requests } = deps([200]);
    await reply(all, createEvent(), answer());
    expect(requests).toMatchObject([
      { url: createEvent().ResponseURL, init: { method: 'PUT', headers: { 'content-type': '' } } },
    ]);
  });

  test('goes on after failures of the network and of the service', async () => {
    const { all, requests, logged, slept } = deps([new Error('reset'), 503, 200]);
    await reply(all, createEvent(), answer());
    expect(requests).toHaveLength(3);
    expect(slept()).toBe(1500);
    expect(logged).toEqual([
      ['answer', { status: 'FAILED', physicalResourceId: 'id', reason: 'because' }],
      ['answer not taken', { attempt: 1, last: 'reset' }],
      ['answer not taken', { attempt: 2, last: 'HTTP 503' }],
    ]);
  });

  test('gives up after a bounded time, as an error, so that Lambda invokes again', async () => {
    const { all, requests, slept } = deps([500]);
    await expect(reply(all, createEvent(), answer())).rejects.toThrow(
      "ERR_ANSWER_NOT_TAKEN: CloudFormation's response address did not take the answer in 6 attempts; Lambda invokes the function again. In a VPC, the function needs a route to S3.",
    );
    expect(requests).toHaveLength(6);
    expect(slept()).toBeLessThan(20_000);
  });

  test('never logs the address', async () => {
    const url = createEvent().ResponseURL;
    const { all, logged } = deps([new Error(`connect to ${url} failed`), 200]);
    await reply(all, createEvent(), answer());
    expect(JSON.stringify(logged)).not.toContain('Signature');
    expect(logged.at(-1)).toEqual(['answer not taken', { attempt: 1, last: 'connect to ResponseURL failed' }]);
  });
});
