import { describe, expect, test } from '@jest/globals';
import { verdict } from '../../../rehearsal/report/result.ts';
import { beyondDrift, DRIFT_PHASE, driftPhases } from '../../../rehearsal/scenarios/drift/beyond-drift.ts';
import { aResult, phase, requests } from '../report/results.ts';

const drift = `${DRIFT_PHASE}policy-missing`;
const onTheWay = (name: 'proxy → both' | 'both → proxy') => phase(name, 0, 1000, { modes: ['both', 'proxy'] });

describe('a drift lasts', () => {
  test.each<[string, string[], string[]]>([
    [
      'until every receiver is in both',
      ['proxy', drift, 'proxy → both', 'both', 'both → proxy', 'proxy'],
      [drift, 'proxy → both'],
    ],
    ['until it is said to be over', ['proxy', drift, 'proxy', 'proxy → both'], [drift]],
    ['each for itself', [drift, 'proxy', 'both', drift, 'proxy → both', 'both'], [drift, drift, 'proxy → both']],
    ['never without one', ['plain', 'proxy → both', 'both', 'proxy'], []],
  ])('%s', (_what, names, expected) => {
    const phases = names.map((name) => (name.includes('→') ? onTheWay(name as 'proxy → both') : phase(name, 0, 1000)));
    expect(driftPhases(phases).map(({ name }) => name)).toEqual(expected);
  });
});

describe('what fails', () => {
  const failing = (at: string) => {
    const newConnections = requests(400, { closed: 30 });
    const more = {
      newConnections,
      keepAlive: { ...requests(40, { closed: 2 }), retried: 9 },
      forged: { sent: 9, served: 0, refused: 2, believed: 7, failed: 0, failures: {} },
      clientAddress: { correct: 300, wrong: 7, unverified: 0 },
      webSocketsDropped: 4,
    };
    const names = ['proxy', drift, 'both', 'proxy'];
    return aResult({
      newConnections: requests(24_000, { closed: 30 }),
      keepAlive: { ...requests(2_400, { closed: 2 }), retried: 10 },
      forged: { sent: 300, served: 100, refused: 193, believed: 7, failed: 0, failures: {} },
      clientAddress: { correct: 24_310, wrong: 7, unverified: 0 },
      webSockets: { ...aResult().webSockets, dropped: 4, messagesLost: 5 },
      phases: names.map((name) => phase(name, 0, 1000, name === at ? more : {})),
    });
  };

  test('while the two sides differ is the drift’s', () => {
    expect(verdict(beyondDrift(failing(drift)))).toEqual([]);
  });

  test.each(['both', 'proxy'])('in %s is not', (at) => {
    expect(verdict(beyondDrift(failing(at))).length).toBeGreaterThan(5);
  });

  test('more messages than the drops can explain are lost', () => {
    const result = failing(drift);
    const more = { ...result, webSockets: { ...result.webSockets, messagesLost: 9 } };
    expect(verdict(beyondDrift(more))).toEqual([expect.stringContaining('1 of 2,402 messages lost')]);
  });
});
