/** What neither an operator nor an instance may do, each tried with their own credentials. */
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { EC2 } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancing } from '@aws-sdk/client-elastic-load-balancing';
import { Lambda } from '@aws-sdk/client-lambda';
import { S3 } from '@aws-sdk/client-s3';
import { SSM } from '@aws-sdk/client-ssm';
import { STS } from '@aws-sdk/client-sts';
import { ARTIFACT_BUCKET, LOAD_BALANCER, RECEIVER_DOCUMENT } from '../../fleet.ts';
import { STACK } from '../stack.ts';
import type { Session } from './people.ts';

export interface Attempt {
  readonly what: string;
  call(): Promise<unknown>;
}

export interface Outcome {
  readonly who: string;
  readonly what: string;
  /** The error's name, or `nothing` where it was done. */
  readonly refusedBy: string;
}

export interface Targets {
  readonly instanceId: string;
  readonly functionName: string;
  readonly automationRoleArn: string;
  /** Of the archive that instances may fetch. */
  readonly artifactKey: string;
}

const REFUSALS = ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation'];

export function forOperators(session: Session, targets: Targets): Attempt[] {
  const ssm = new SSM(session);
  const elb = new ElasticLoadBalancing(session);
  const s3 = new S3({ ...session, forcePathStyle: true });
  const command = { InstanceIds: [targets.instanceId] };
  return [
    { what: 'run a shell', call: () => ssm.sendCommand({ ...command, DocumentName: 'AWS-RunShellScript' }) },
    {
      what: 'run the Command document',
      call: () => ssm.sendCommand({ ...command, DocumentName: `${STACK}-receiver` }),
    },
    { what: 'run another document', call: () => ssm.startAutomationExecution({ DocumentName: RECEIVER_DOCUMENT }) },
    { what: 'change a document', call: () => ssm.updateDocument({ Name: `${STACK}-switch`, Content: '{}' }) },
    { what: 'read the Command document', call: () => ssm.getDocument({ Name: `${STACK}-receiver` }) },
    {
      what: 'change the state',
      call: () => ssm.putParameter({ Name: `/proxyflip/${LOAD_BALANCER}`, Value: '{}', Overwrite: true }),
    },
    { what: 'delete the state', call: () => ssm.deleteParameter({ Name: `/proxyflip/${LOAD_BALANCER}` }) },
    { what: 'read another parameter', call: () => ssm.getParameter({ Name: '/database/password' }) },
    { what: 'list the fleet', call: () => ssm.describeInstanceInformation({}) },
    { what: 'read the output of commands', call: () => ssm.listCommandInvocations({ Details: true }) },
    {
      what: 'call a step of the runbook',
      call: () => new Lambda(session).invoke({ FunctionName: targets.functionName }),
    },
    { what: 'describe load balancers', call: () => elb.describeLoadBalancers({}) },
    {
      what: 'attach a policy',
      call: () =>
        elb.setLoadBalancerPoliciesForBackendServer({
          LoadBalancerName: LOAD_BALANCER,
          InstancePort: 80,
          PolicyNames: [],
        }),
    },
    { what: 'describe subnets', call: () => new EC2(session).describeSubnets({}) },
    { what: 'delete the stack', call: () => new CloudFormation(session).deleteStack({ StackName: STACK }) },
    { what: 'fetch an artifact', call: () => s3.getObject({ Bucket: ARTIFACT_BUCKET, Key: targets.artifactKey }) },
    {
      what: 'act as the runbook',
      call: () => new STS(session).assumeRole({ RoleArn: targets.automationRoleArn, RoleSessionName: 'me' }),
    },
  ];
}

export function forInstances(session: Session, targets: Targets): Attempt[] {
  const ssm = new SSM(session);
  const s3 = new S3({ ...session, forcePathStyle: true });
  const object = { Bucket: ARTIFACT_BUCKET, Key: targets.artifactKey };
  return [
    { what: 'replace its artifact', call: () => s3.putObject({ ...object, Body: 'x' }) },
    { what: 'fetch a function', call: () => s3.getObject({ ...object, Key: 'functions/load-balancer.zip' }) },
    { what: 'list the bucket', call: () => s3.listObjectsV2({ Bucket: ARTIFACT_BUCKET }) },
    {
      what: 'say what others join as',
      call: () =>
        ssm.putParameter({ Name: `/proxyflip/joining/${LOAD_BALANCER}`, Value: 'plain; 80=http; ', Overwrite: true }),
    },
    {
      what: 'run a command on another',
      call: () => ssm.sendCommand({ DocumentName: 'AWS-RunShellScript', InstanceIds: [targets.instanceId] }),
    },
    {
      what: 'start the runbook',
      call: () => ssm.startAutomationExecution({ DocumentName: `${STACK}-switch` }),
    },
    {
      what: 'attach a policy',
      call: () =>
        new ElasticLoadBalancing(session).setLoadBalancerPoliciesForBackendServer({
          LoadBalancerName: LOAD_BALANCER,
          InstancePort: 80,
          PolicyNames: [],
        }),
    },
  ];
}

/** One after the other: none of them waits. */
export async function attempt(who: string, attempts: readonly Attempt[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { what, call } of attempts) {
    const refusedBy = await call().then(
      () => 'nothing',
      (error: Error) => error.name,
    );
    outcomes.push({ who, what, refusedBy });
  }
  return outcomes;
}

export function isRefused({ refusedBy }: Outcome): boolean {
  return REFUSALS.includes(refusedBy);
}
