import { describe, expect, test } from '@jest/globals';
import { parseCommandLine, USAGE } from '../../deploy/options.ts';

const parsed = (line: string) => parseCommandLine(line.split(' '));

describe('the command line', () => {
  test('of deploy becomes parameters by the template’s names', () => {
    expect(
      parsed(
        'deploy --bucket b --load-balancer web --fleet-tag role=chat=1 --parameter FinalMode=both --parameter Chat=On --tag team=x --plan',
      ),
    ).toEqual({
      command: 'deploy',
      options: {
        bucket: 'b',
        prefix: '',
        template: 'proxy-protocol',
        output: undefined,
        stack: 'proxyflip',
        parameters: {
          LoadBalancerName: 'web',
          FleetTagKey: 'role',
          FleetTagValue: 'chat=1',
          FinalMode: 'both',
          Chat: 'On',
        },
        tags: { team: 'x' },
        plan: true,
      },
    });
  });

  test('of package gives the prefix the slash that keys need', () => {
    expect(parsed('package --bucket b --prefix a/b --output packaged.yaml')).toEqual({
      command: 'package',
      options: { bucket: 'b', prefix: 'a/b/', template: 'proxy-protocol', output: 'packaged.yaml' },
    });
  });

  test.each([
    ['deploy --help', 'help'],
    ['help', 'help'],
  ])('%s asks for help', (line, command) => expect(parsed(line).command).toBe(command));

  test.each([
    ['', 'no command was named'],
    ['delete --bucket b', 'there is no command "delete"'],
    ['package', '--bucket is missing'],
    ['package --bucket', "Option '--bucket <value>' argument missing"],
    ['package --bucket b --plan', "Unknown option '--plan'"],
    ['package --bucket b --prefix /a', '--prefix is "/a"'],
    ['deploy --bucket b --fleet-tag chat', '--fleet-tag is "chat": it has to be name=value'],
    ['deploy --bucket b --parameter =x', '--parameter is "=x": it has to be name=value'],
    ['deploy --bucket b --stack 1st', '--stack is "1st"'],
    ['deploy --bucket b web', "Unexpected argument 'web'"],
  ])('%j is refused, with what was not understood', (line, what) => {
    expect(() => parsed(line)).toThrow(`ERR_USAGE: ${what}`);
    expect(() => parsed(line)).toThrow(USAGE);
  });
});
