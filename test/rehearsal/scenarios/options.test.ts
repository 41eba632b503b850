import { describe, expect, test } from '@jest/globals';
import { parseOptions } from '../../../rehearsal/scenarios/options.ts';

describe('the command line', () => {
  test('without words is the main job as it is described', () => {
    expect(parseOptions([])).toMatchObject({
      order: 'runbook',
      machines: 3,
      nodes: 2,
      idleNodes: 0,
      policyDelayMs: [500, 4000],
      cycles: 0,
      image: 'baked',
      release: 'bookworm',
      once: false,
    });
  });

  test.each([
    [['--order', 'both-first'], '--order has the value "both-first"', 'runbook, elb-first, nginx-first'],
    [['--machines', '0'], '--machines has the value "0"', 'a whole number from 1 to 20'],
    [['--machines', '3.5'], '--machines has the value "3.5"', 'a whole number'],
    [['--nodes', 'two'], '--nodes has the value "two"', 'a whole number'],
    [['--nodes', '2', '--idle-nodes', '2'], '--idle-nodes has the value "2"', 'from 0 to 1'],
    [['--policy-delay-ms', '4000..500'], '--policy-delay-ms has the value "4000..500"', 'the smaller first'],
    [['--policy-delay-ms', '500'], '--policy-delay-ms has the value "500"', '500..4000'],
    [['--image', 'ubuntu'], '--image has the value "ubuntu"', 'bare, baked, amazon'],
    [['--release', 'sid'], '--release has the value "sid"', 'bookworm, trixie'],
    [['--page-port', '70000'], '--page-port has the value "70000"', 'from 1 to 65535'],
    [['--speed', '9'], "Unknown option '--speed'", '--policy-delay-ms A..B'],
    [['left-over'], 'left-over', '--policy-delay-ms A..B'],
  ])('%j is refused: what, which value, and what is allowed', (args, what, allowed) => {
    expect(() => parseOptions(args)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
    expect(() => parseOptions(args)).toThrow(what);
    expect(() => parseOptions(args)).toThrow(allowed);
  });
});
