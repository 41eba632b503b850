import { describe, expect, test } from '@jest/globals';
import { callsOfEvery, describeCall, isWrite, type RecordedCall } from '../../../rehearsal/faults/recorded-call.ts';

const call = (operation: string, nth = 1, by: RecordedCall['by'] = 'function'): RecordedCall => ({
  direction: 'enable',
  step: 'Begin',
  by,
  operation,
  nth,
});

describe('what counts as recorded', () => {
  test('is in every run, in the order of the first', () => {
    const first = [call('ssm:PutParameter'), call('ssm:GetParameter'), call('ssm:GetParameter', 2)];
    const second = [call('ssm:GetParameter'), call('ssm:PutParameter')];

    expect(callsOfEvery([first, second])).toEqual([call('ssm:PutParameter'), call('ssm:GetParameter')]);
  });

  test.each([{ runs: [] }, { runs: [[], []] }, { runs: [[call('a:B')], [call('a:C')]] }])(
    'is never nothing: $runs',
    ({ runs }) => {
      expect(() => callsOfEvery(runs)).toThrow('no call was recorded');
    },
  );
});

test.each([
  { of: call('ssm:PutParameter'), words: 'Begin ssm:PutParameter', writes: true },
  { of: call('ssm:GetParameter', 2), words: 'Begin ssm:GetParameter 2', writes: false },
  { of: call('ssm:SendCommand', 1, 'Automation'), words: 'Begin ssm:SendCommand (Automation)', writes: true },
  { of: call('elasticloadbalancing:DescribeTags'), words: 'Begin elasticloadbalancing:DescribeTags', writes: false },
])('$words', ({ of, words, writes }) => {
  expect(describeCall(of)).toBe(words);
  expect(isWrite(of)).toBe(writes);
});
