/**
 * Removes what contract tests have made in an account, by their tag and the beginning of their names. The one place that deletes:
 * called by tools/contract.mjs when the suite has ended, however it has, and by itself for what a killed run left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteStackCommand,
  paginateDescribeStacks,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import {
  DeleteSecurityGroupCommand,
  paginateDescribeInstances,
  paginateDescribeSecurityGroups,
  TerminateInstancesCommand,
  waitUntilInstanceTerminated,
} from '@aws-sdk/client-ec2';
import {
  DeleteLoadBalancerCommand,
  DescribeTagsCommand,
  paginateDescribeLoadBalancers,
} from '@aws-sdk/client-elastic-load-balancing';
import {
  DeleteAssociationCommand,
  DeleteDocumentCommand,
  DeleteParameterCommand,
  paginateGetParametersByPath,
  paginateListAssociations,
  paginateListDocuments,
} from '@aws-sdk/client-ssm';

const PREFIX = 'proxyflip-contract';

/** Of Amazon's own interfaces, which hold a security group for a while after their load balancer is gone. */
const GROUP_TRIES = 30;
const BETWEEN_TRIES_MS = 10_000;

/**
 * @param clients  cloudFormation, ec2, elb, ssm
 * @param options  `levels`: which kinds may be there; each level's need rights that the others do not.
 *                 `say`: one line for each thing that is removed
 * @returns how many things were removed
 * @throws AggregateError  some could not be; everything else has been tried all the same
 */
export async function sweep({ cloudFormation, ec2, elb, ssm }, { levels, say }) {
  let removed = 0;
  const failures = [];
  const remove = async (what, command) => {
    try {
      await command();
      removed += 1;
      say(`removed ${what}`);
    } catch (error) {
      failures.push(new Error(`${what} was not removed: ${error.message}`, { cause: error }));
    }
  };

  const instances = levels.includes('instance') ? await ourInstances(ec2) : [];
  for (const id of instances) {
    await remove(`instance ${id}`, () => ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] })));
  }
  for (const name of await ourLoadBalancers(elb)) {
    await remove(`load balancer ${name}`, () => elb.send(new DeleteLoadBalancerCommand({ LoadBalancerName: name })));
  }
  const associations = await all(paginateListAssociations({ client: ssm }, {}), 'Associations');
  for (const { AssociationId, AssociationName } of associations.filter(isOurs('AssociationName'))) {
    await remove(`association ${AssociationName}`, () => ssm.send(new DeleteAssociationCommand({ AssociationId })));
  }
  const own = { Filters: [{ Key: 'Owner', Values: ['Self'] }] };
  const documents = await all(paginateListDocuments({ client: ssm }, own), 'DocumentIdentifiers');
  for (const { Name } of documents.filter(isOurs('Name'))) {
    await remove(`document ${Name}`, () => ssm.send(new DeleteDocumentCommand({ Name })));
  }
  const path = { Path: `/${PREFIX}`, Recursive: true };
  for (const { Name } of await all(paginateGetParametersByPath({ client: ssm }, path), 'Parameters')) {
    await remove(`parameter ${Name}`, () => ssm.send(new DeleteParameterCommand({ Name })));
  }
  for (const StackName of levels.includes('stack') ? await ourStacks(cloudFormation) : []) {
    await remove(`stack ${StackName}`, async () => {
      await cloudFormation.send(new DeleteStackCommand({ StackName }));
      const pace = { client: cloudFormation, maxWaitTime: 600, minDelay: 1, maxDelay: 10 };
      await waitUntilStackDeleteComplete(pace, { StackName });
    });
  }
  for (const id of levels.includes('instance') ? await ourSecurityGroups(ec2) : []) {
    await remove(`security group ${id}`, async () => {
      if (instances.length > 0) {
        await waitUntilInstanceTerminated({ client: ec2, maxWaitTime: 600 }, { InstanceIds: instances });
      }
      await deleteGroup(ec2, id);
    });
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('; '));
  return removed;
}

/** Every page before anything is removed: a list that shrinks while it is read is read with gaps. */
async function all(pages, member) {
  const found = [];
  for await (const page of pages) found.push(...(page[member] ?? []));
  return found;
}

const isOurs = (member) => (each) => each[member]?.startsWith(`${PREFIX}-`) === true;
const isTagged = ({ Tags }) => Tags?.some(({ Key }) => Key === PREFIX) === true;

/** The tag decides; the name's beginning saves asking for the tags of every load balancer of an account. */
async function ourLoadBalancers(elb) {
  const described = await all(paginateDescribeLoadBalancers({ client: elb }, {}), 'LoadBalancerDescriptions');
  const tagged = [];
  for (const { LoadBalancerName } of described.filter(isOurs('LoadBalancerName'))) {
    const { TagDescriptions } = await elb.send(new DescribeTagsCommand({ LoadBalancerNames: [LoadBalancerName] }));
    if (TagDescriptions?.some(isTagged)) tagged.push(LoadBalancerName);
  }
  return tagged;
}

async function ourStacks(cloudFormation) {
  const stacks = await all(paginateDescribeStacks({ client: cloudFormation }, {}), 'Stacks');
  return stacks
    .filter(isOurs('StackName'))
    .filter(isTagged)
    .map(({ StackName }) => StackName);
}

const byTag = { Filters: [{ Name: 'tag-key', Values: [PREFIX] }] };

async function ourInstances(ec2) {
  const reservations = await all(paginateDescribeInstances({ client: ec2 }, byTag), 'Reservations');
  return reservations
    .flatMap(({ Instances }) => Instances)
    .filter(({ State }) => State.Name !== 'terminated')
    .map(({ InstanceId }) => InstanceId);
}

async function ourSecurityGroups(ec2) {
  const groups = await all(paginateDescribeSecurityGroups({ client: ec2 }, byTag), 'SecurityGroups');
  return groups.map(({ GroupId }) => GroupId);
}

async function deleteGroup(ec2, GroupId) {
  for (let left = GROUP_TRIES; ; left -= 1) {
    try {
      return await ec2.send(new DeleteSecurityGroupCommand({ GroupId }));
    } catch (error) {
      if (error.name !== 'DependencyViolation' || left === 0) throw error;
      await sleep(BETWEEN_TRIES_MS);
    }
  }
}
