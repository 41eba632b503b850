#!/usr/bin/env node
/**
 * npm run test:contract [-- api|instance|stack|all|sweep]
 *
 * The suite of test/contract against the rehearsal, or with REMOTE=1 against an AWS account: what it costs is said first, nothing
 * is made without CONFIRM_COST=yes, and what was made is removed when the suite has ended, passed or failed or interrupted.
 * docs/assumptions.md is its page.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

// The SDK's versions are pinned to ones that run here; its warning about those of next year would stand before the costs.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What each level makes in an account, in words. Prices: docs/assumptions.md. */
const LEVELS = {
  api: 'a Classic Load Balancer without instances, some documents, parameters and an association: about 5 minutes, $0.04',
  instance:
    'a Classic Load Balancer and an instance (t4g.nano), the one open to the internet on ports 18080 and 18081, and a security group: about 15 minutes, $0.05',
  stack: 'a CloudFormation stack with a role, a function and its logs: about 3 minutes, less than $0.01',
};

function stop(what, wayOut) {
  console.error(`proxyflip: ${what}\n           ${wayOut}`);
  process.exit(1);
}

/** @returns exit status. Ctrl-C reaches the child by itself, being of the same process group; this process outlives it. */
async function run(args, env = {}) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  const [status] = await once(child, 'exit');
  return status ?? 1;
}

const files = (levels) => levels.map((level) => `test/contract/${level}.contract.test.ts`);

async function againstRehearsal(levels) {
  for (const args of [['tools/setup.mjs'], ['dist/rehearsal/cli.mjs', 'prepare']]) {
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
    if (status !== 0) return status ?? 1;
  }
  return run(['tools/test.mjs', 'rehearsal', ...files(levels)]);
}

async function againstAccount(word, levels) {
  const [cloudFormation, ec2, elb, ssm, sts, { sweep }] = await Promise.all([
    import('@aws-sdk/client-cloudformation'),
    import('@aws-sdk/client-ec2'),
    import('@aws-sdk/client-elastic-load-balancing'),
    import('@aws-sdk/client-ssm'),
    import('@aws-sdk/client-sts'),
    import('../test/contract/sweep.mjs'),
  ]).catch((error) => stop(`a node module is missing: ${error.message}`, 'Run npm ci, then this again.'));
  const clients = {
    cloudFormation: new cloudFormation.CloudFormationClient(),
    ec2: new ec2.EC2Client(),
    elb: new elb.ElasticLoadBalancingClient(),
    ssm: new ssm.SSMClient(),
  };
  const region = await clients.elb.config
    .region()
    .catch(() => stop('no Region is set.', 'Set AWS_REGION, such as AWS_REGION=eu-central-1.'));
  const { Account, Arn } = await new sts.STSClient()
    .send(new sts.GetCallerIdentityCommand({}))
    .catch((error) =>
      stop(`AWS does not know who is asking: ${error.message}`, 'Give credentials, such as AWS_PROFILE=….'),
    );

  console.log(`Account ${Account}, Region ${region}, as ${Arn}.`);
  if (word === 'sweep') console.log('Will remove everything that carries the tag proxyflip-contract.');
  else {
    console.log('Will make, and remove at the end:');
    for (const level of levels) console.log(`  ${level.padEnd(9)} ${LEVELS[level]} (an estimate)`);
  }
  if (process.env.CONFIRM_COST !== 'yes') {
    stop('nothing has been made yet.', 'If that is what you want, run it again with CONFIRM_COST=yes.');
  }

  // Ctrl-C ends the suite; what it has made is removed all the same.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
  const remove = () => sweep(clients, { levels, say: (line) => console.log(line) });
  let status = 0;
  if (word !== 'sweep') {
    await remove();
    status = await run(['tools/test.mjs', 'rehearsal', ...files(levels)], {
      CONTRACT_RUN: randomBytes(4).toString('hex'),
      REMOTE: '1',
    });
  }
  console.log(`Removing what ${word === 'sweep' ? 'is there' : 'the suite has made'} …`);
  const removed = await remove().catch((error) =>
    stop(
      error.message,
      'Run REMOTE=1 CONFIRM_COST=yes npm run test:contract -- sweep, until it finds nothing: it costs money meanwhile.',
    ),
  );
  console.log(`${removed} things removed.`);
  return status;
}

const word = process.argv[2] ?? (process.env.REMOTE === '1' ? 'api' : 'all');
const names = Object.keys(LEVELS);
const levels = ['all', 'sweep'].includes(word) ? names : names.filter((name) => name === word);
if (levels.length === 0)
  stop(`there is no level "${word}".`, `The levels are ${names.join(', ')}; all and sweep work as well.`);
if (word === 'sweep' && process.env.REMOTE !== '1')
  stop('there is nothing to sweep.', 'A rehearsal leaves nothing; set REMOTE=1 for an account.');
process.exitCode = await (process.env.REMOTE === '1' ? againstAccount(word, levels) : againstRehearsal(levels));
