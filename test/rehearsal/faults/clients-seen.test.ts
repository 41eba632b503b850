import { describe, expect, test } from '@jest/globals';
import {
  between,
  beyondFaults,
  type Losses,
  lossesOf,
  NO_LOSSES,
  noticed,
  parted,
  together,
} from '../../../rehearsal/faults/clients-seen.ts';
import { aResult } from '../report/results.ts';

const losses = (given: Partial<Losses>): Losses => ({ ...NO_LOSSES, ...given });

describe('losses', () => {
  test('between two looks are what came in between', () => {
    expect(between(losses({ dropped: 2 }), losses({ dropped: 5, resent: 1 }))).toEqual(
      losses({ dropped: 3, resent: 1 }),
    );
  });

  test('that a client would notice are named; a request that was sent again is none', () => {
    expect(noticed(losses({ newConnections: 3, resent: 9 }))).toEqual(['3 new connections failed']);
    expect(noticed(NO_LOSSES)).toEqual([]);
  });
});

test('no fault excuses a forged line that is believed, or a wrong address', () => {
  const { cutOff, never } = parted(losses({ newConnections: 4, wrongAddresses: 2, forgedBelieved: 1 }));

  expect(cutOff).toEqual(losses({ newConnections: 4 }));
  expect(noticed(never)).toEqual(['2 answers with a wrong address', '1 forged lines believed']);
});

describe('a result beyond the faults', () => {
  const result = aResult();
  const cut = losses({ newConnections: 7, dropped: 2, keepAlive: 1 });
  const worse = {
    ...result,
    newConnections: { ...result.newConnections, failed: 7 },
    keepAlive: { ...result.keepAlive, failed: 1 },
    webSockets: { ...result.webSockets, dropped: 2, messagesLost: 3 },
  };

  test('has nothing of what they cut off', () => {
    const beyond = beyondFaults(worse, cut);

    expect(lossesOf({ ...beyond, webSockets: { ...beyond.webSockets, open: 0 } })).toMatchObject({
      newConnections: 0,
      keepAlive: 0,
      dropped: 0,
    });
    expect(beyond.webSockets.messagesLost).toBe(0);
  });

  test('keeps what they did not', () => {
    expect(beyondFaults(worse, losses({ newConnections: 6 })).newConnections.failed).toBe(1);
    expect(together(cut, cut).newConnections).toBe(14);
  });
});
