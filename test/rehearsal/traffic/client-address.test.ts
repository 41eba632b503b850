import { describe, expect, test } from '@jest/globals';
import { judgeAddress, type ReceiverMode, type SeenAddress } from '../../../rehearsal/traffic/client-address.ts';

const OWN = '198.51.100.10';
const SOMEBODY = '198.51.100.11';
const NODE = '10.0.101.21';
const FORGED = '203.0.113.99';

const trusted = (address: string | null): SeenAddress => ({ address, trusted: true });
const untrusted = (address: string | null): SeenAddress => ({ address, trusted: false });

describe('the address that the application saw', () => {
  test.each<[string, readonly ReceiverMode[], SeenAddress, string]>([
    ['plain: the node', ['plain'], untrusted(NODE), 'correct'],
    ['plain: nothing, where the node was there to be told', ['plain'], untrusted(null), 'wrong'],
    ['plain: the own one, trusted: somebody believed a line that nobody verified', ['plain'], trusted(OWN), 'wrong'],
    ['both: the node', ['both'], untrusted(NODE), 'correct'],
    ['both: nothing, since the address is only claimed', ['both'], untrusted(null), 'correct'],
    ['both: the own one as claimed, told on though untrusted', ['both'], untrusted(OWN), 'wrong'],
    ['both: the own one, trusted', ['both'], trusted(OWN), 'wrong'],
    ['both: a forged one', ['both'], untrusted(FORGED), 'wrong'],
    ['proxy: the own one, trusted', ['proxy'], trusted(OWN), 'correct'],
    ['proxy: somebody else, trusted', ['proxy'], trusted(SOMEBODY), 'wrong'],
    ['proxy: a node, trusted', ['proxy'], trusted(NODE), 'wrong'],
    ['proxy: nothing, trusted', ['proxy'], trusted(null), 'wrong'],
    ['proxy: the node, untrusted', ['proxy'], untrusted(NODE), 'unverified'],
    ['proxy: nothing, untrusted', ['proxy'], untrusted(null), 'unverified'],
    ['proxy: somebody else, untrusted', ['proxy'], untrusted(SOMEBODY), 'wrong'],
    ['both → proxy: either side is right, trusted', ['both', 'proxy'], trusted(OWN), 'correct'],
    ['both → proxy: either side is right, untrusted', ['both', 'proxy'], untrusted(null), 'correct'],
    ['both → proxy: trusted is still no licence for another address', ['both', 'proxy'], trusted(SOMEBODY), 'wrong'],
    ['plain → proxy in one go: the node', ['plain', 'proxy'], untrusted(NODE), 'correct'],
    ['plain → proxy in one go: nothing', ['plain', 'proxy'], untrusted(null), 'unverified'],
  ])('%s', (_, modes, seen, judgement) => {
    expect(judgeAddress(seen, OWN, new Set([NODE]), new Set(modes))).toBe(judgement);
  });
});
