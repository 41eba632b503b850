/**
 * npm run package and npm run deploy against a fleet: the commands of docs/deploy.md as they stand there, and before them what
 * is refused, which has to leave nothing behind.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { checkedCommands, readPage } from '../docs/markdown.ts';
import { pageTerminal } from '../docs/page-terminal.ts';

const BLOCK_LIMIT_MS = 120_000;
const GIVEN = '--bucket proxyflip-artifacts --load-balancer chat-fleet --fleet-tag proxyflip-fleet=chat';

const terminal = pageTerminal(['--machines', '1', '--page-port', '18444']);

describe('what cannot work is refused before anything is changed', () => {
  // Builds once, for all that follows.
  beforeAll(() => terminal.shell.run('npm run package -- --help', BLOCK_LIMIT_MS), BLOCK_LIMIT_MS);

  const deploy = (given: string) => `node dist/deploy/cli.mjs deploy ${given}`;
  test.each([
    {
      what: 'no credentials',
      commands: `env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY HOME=/nonexistent ${deploy(GIVEN)}`,
      says: 'ERR_CREDENTIALS: no AWS credentials were found',
    },
    {
      what: 'no bucket of that name',
      commands: deploy(GIVEN.replace('proxyflip-artifacts', 'nobodys-bucket')),
      says: 'ERR_BUCKET: there is no bucket nobodys-bucket. Make it and run again: aws s3 mb s3://nobodys-bucket',
    },
    {
      what: 'no load balancer of that name',
      commands: deploy(GIVEN.replace('chat-fleet ', 'other-fleet ')),
      says: 'ERR_LOAD_BALANCER_NOT_FOUND: no Classic Load Balancer "other-fleet"',
    },
    {
      what: 'an instance without the tag',
      commands: deploy(GIVEN.replace('=chat', '=shop')),
      says: 'ERR_INSTANCE_UNTAGGED: i-',
    },
    {
      what: 'no names',
      commands: deploy('--bucket proxyflip-artifacts'),
      says: 'ERR_PARAMETER: --load-balancer NAME and --fleet-tag KEY=VALUE is missing',
    },
    {
      what: 'a parameter that the template does not have',
      commands: deploy(`${GIVEN} --parameter QuietSecond=1`),
      says: 'ERR_PARAMETER: the template has no parameter QuietSecond',
    },
  ])(
    '$what',
    async ({ commands, says }) => {
      const { exitCode, stderr } = await terminal.shell.run(commands, BLOCK_LIMIT_MS);

      expect(stderr).toContain(`proxyflip: ${says}`);
      expect(exitCode).toBe(1);
    },
    BLOCK_LIMIT_MS,
  );

  test(
    'a plan for a stack that is not there says what it could not ask, and leaves none',
    async () => {
      const { stdout, exitCode } = await terminal.shell.run(deploy(`${GIVEN} --plan`), BLOCK_LIMIT_MS);

      expect(stdout).toMatch(/policy changes +create policy proxyflip-proxy-protocol; instance port 80/);
      expect(stdout).toMatch(/add +AWS::Lambda::Function +LoadBalancerFunction/);
      expect(stdout).toContain('The receivers were not asked');
      expect(exitCode).toBe(0);
    },
    BLOCK_LIMIT_MS,
  );

  test(
    'a deployment that fails tells the cause, and the way out works',
    async () => {
      // Where nothing was uploaded; the switch is not reached.
      const { stderr, exitCode } = await terminal.shell.run(
        deploy(`${GIVEN} --parameter ArtifactPrefix=nowhere/`),
        BLOCK_LIMIT_MS,
      );

      expect(exitCode).toBe(1);
      expect(stderr).toContain(
        'proxyflip: ERR_DEPLOY: the stack proxyflip ended in ROLLBACK_COMPLETE.\n- LoadBalancerFunction: ',
      );
      const again = await terminal.shell.run(deploy(GIVEN), BLOCK_LIMIT_MS);
      expect(again.stderr).toContain('ERR_STACK: the stack proxyflip is in ROLLBACK_COMPLETE');
      const [, wayOut = ''] = /(aws cloudformation delete-stack --stack-name proxyflip)$/m.exec(again.stderr) ?? [];
      await terminal.shell.run(
        `${wayOut}; aws cloudformation wait stack-delete-complete --stack-name proxyflip`,
        BLOCK_LIMIT_MS,
      );
    },
    BLOCK_LIMIT_MS,
  );

  test('and nothing was left behind', async () => {
    const { stdout } = await terminal.shell.run(
      `aws cloudformation describe-stacks --query 'Stacks[].StackName' --output json`,
      20_000,
    );
    expect(stdout.trim()).toBe('[]');
  }, 30_000);
});

describe('docs/deploy.md', () => {
  const blocks = checkedCommands(readPage('docs/deploy.md'));

  test('promises last lines', () => expect(blocks.length).toBeGreaterThan(4));

  terminal.run(blocks, BLOCK_LIMIT_MS);
});
