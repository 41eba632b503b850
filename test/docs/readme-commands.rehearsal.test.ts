/**
 * The commands of the pages as they stand there, in a shell, by the real AWS CLI, against `serve`; and those of the blog posts that
 * this project answers. One fleet for all of them, in order: what one makes, the next one uses.
 */
import { describe, expect, test } from '@jest/globals';
import { type CheckedCommand, checkedCommands, readPage } from './markdown.ts';
import { pageTerminal } from './page-terminal.ts';

const PAGE = 'https://127.0.0.1:18443/';
const terminal = pageTerminal(['--page-port', '18443']);

const blocksOf = (page: string): CheckedCommand[] => checkedCommands(readPage(page));
const README = blocksOf('README.md');
const WATCH = README.find(({ commands }) => commands.includes('--document-name proxyflip-state'));
const [STATE, ...TROUBLESHOOTING] = blocksOf('docs/troubleshooting.md');
const DRIFT = blocksOf('docs/drift.md');

/** What stands there for the load balancer's side; the rest is run by container.long.test.ts, on an instance. */
const CONTAINER = blocksOf('docs/container.md').filter(({ commands }) => commands.startsWith('aws '));

test('the pages promise last lines', () => {
  expect([README, TROUBLESHOOTING, DRIFT, CONTAINER].map(({ length }) => length)).toEqual([5, 1, 4, 1]);
});

describe('README.md', () => terminal.run(README.slice(0, -1)));
// While it is switched: the README's last block undoes it all.
describe('docs/troubleshooting.md, where to look', () => terminal.run(STATE === undefined ? [] : [STATE]));
describe('docs/troubleshooting.md, a policy taken off by hand', () => {
  terminal.run([
    {
      name: 'is seen as empty replies',
      commands: `aws elb set-load-balancer-policies-for-backend-server --load-balancer-name $LOAD_BALANCER --instance-port 81 --policy-names '[]'
while curl --silent --insecure --output /dev/null ${PAGE}; do sleep 0.2; done
curl --silent --insecure ${PAGE}; echo "curl ended with $?"`,
      lastLine: 'curl ended with 52',
    },
    {
      name: 'is named by the state runbook',
      commands: WATCH?.commands ?? '',
      lastLine: 'PROXY protocol is on at some instance ports; receivers are in proxy: they do not agree. …',
    },
    {
      name: 'is mended by the runbook with enable',
      commands: `EXECUTION=$(aws ssm start-automation-execution --document-name proxyflip-switch \\
  --parameters Direction=enable,LoadBalancerName=$LOAD_BALANCER,FleetTagKey=$TAG_KEY,FleetTagValue=$TAG_VALUE \\
  --query AutomationExecutionId --output text)
status() { aws ssm get-automation-execution --automation-execution-id $EXECUTION --output text \\
  --query AutomationExecution.AutomationExecutionStatus; }
while status | grep -E 'Pending|InProgress'; do sleep 2; done
status`,
      lastLine: 'Success',
    },
    {
      name: 'and users are served again',
      commands: `curl --silent --show-error --insecure --output /dev/null --write-out '%{http_code}\\n' ${PAGE}`,
      lastLine: '200',
    },
  ]);
});
describe('docs/drift.md', () => terminal.run(DRIFT));
// Suppressions that cannot be read are a finding.
describe('docs/drift.md, once more', () => terminal.run(DRIFT.slice(0, 1)));
describe('README.md, undone', () => terminal.run(README.slice(-1)));

describe('the commands that people know, by the unchanged AWS CLI', () => {
  const cases: CheckedCommand[] = [
    {
      name: 'elb create-load-balancer-policy',
      commands: `ELB_NAME=$LOAD_BALANCER
aws elb create-load-balancer-policy \\
    --load-balancer-name $ELB_NAME \\
    --policy-name $ELB_NAME-proxy-protocol \\
    --policy-type-name ProxyProtocolPolicyType \\
    --policy-attributes AttributeName=ProxyProtocol,AttributeValue=True
aws elb describe-load-balancer-policies --load-balancer-name $ELB_NAME --output text \\
    --query 'PolicyDescriptions[].[PolicyName,PolicyTypeName,PolicyAttributeDescriptions[0].AttributeValue]'`,
      lastLine: 'chat-fleet-proxy-protocol\tProxyProtocolPolicyType\tTrue',
    },
    {
      name: 'elb set-load-balancer-policies-for-backend-server, on',
      commands: `aws elb set-load-balancer-policies-for-backend-server \\
    --load-balancer-name $ELB_NAME \\
    --instance-port 80 \\
    --policy-names $ELB_NAME-proxy-protocol
aws elb describe-load-balancers --load-balancer-name $ELB_NAME --output text \\
    --query 'LoadBalancerDescriptions[0].BackendServerDescriptions[].[InstancePort,PolicyNames[0]]'`,
      lastLine: '80\tchat-fleet-proxy-protocol',
    },
    {
      name: 'elb set-load-balancer-policies-for-backend-server, off',
      commands: `aws elb set-load-balancer-policies-for-backend-server --load-balancer-name $ELB_NAME \\
    --instance-port 80 --policy-names '[]'
aws elb describe-load-balancers --load-balancer-names $ELB_NAME --output text \\
    --query 'length(LoadBalancerDescriptions[0].BackendServerDescriptions)'`,
      lastLine: '0',
    },
    {
      name: 'elb describe-instance-health',
      commands: `aws elb describe-instance-health --load-balancer-name $ELB_NAME --output text \\
    --query 'InstanceStates[].[State,ReasonCode]'`,
      lastLine: 'InService\tN/A',
    },
    {
      name: 'ssm send-command on a tag, ssm list-command-invocations',
      commands: `COMMAND=$(aws ssm send-command --document-name chat-fleet-receiver --targets Key=tag:$TAG_KEY,Values=$TAG_VALUE \\
    --parameters Operation=Status --query Command.CommandId --output text)
until [ "$(aws ssm list-command-invocations --command-id $COMMAND --output text \\
    --query 'length(CommandInvocations[?Status==\`Success\`])')" = 3 ]; do sleep 1; done
aws ssm list-command-invocations --command-id $COMMAND --details --output text \\
    --query 'CommandInvocations[0].CommandPlugins[0].Output'`,
      lastLine: '{"mode":"plain",…}',
    },
  ];

  terminal.run(cases, 60_000);
});

describe('docs/troubleshooting.md', () => terminal.run(TROUBLESHOOTING));
describe('docs/container.md, at the load balancer', () => terminal.run(CONTAINER));

test('Ctrl-C ends it in order', async () => {
  expect(await terminal.served.interrupt()).toBe(0);
}, 60_000);
