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
 */
export async function sweep({ cloudFormation, ec2, elb, ssm }, { levels, say }) {
  let removed = 0;
  const remove = async (what, command) => {
    await command();
    removed += 1;
    say(`removed ${what}`);
  };

  const instances = levels.includes('instance') ? await ourInstances(ec2) : [];
  for (const id of instances) {
    await remove(`instance ${id}`, () => ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] })));
  }
  for (const name of await ourLoadBalancers(elb)) {
    await remove(`load balancer ${name}`, () => elb.send(new DeleteLoadBalancerCommand({ LoadBalancerName: name })));
  }
  for await (const { Associations } of paginateListAssociations({ client: ssm }, {})) {
    for (const { AssociationId, AssociationName = '' } of (Associations ?? []).filter(isOurs('AssociationName'))) {
      await remove(`association ${AssociationName}`, () => ssm.send(new DeleteAssociationCommand({ AssociationId })));
    }
  }
  const own = { Filters: [{ Key: 'Owner', Values: ['Self'] }] };
  for await (const { DocumentIdentifiers } of paginateListDocuments({ client: ssm }, own)) {
    for (const { Name } of (DocumentIdentifiers ?? []).filter(isOurs('Name'))) {
      await remove(`document ${Name}`, () => ssm.send(new DeleteDocumentCommand({ Name })));
    }
  }
  const path = { Path: `/${PREFIX}`, Recursive: true };
  for await (const { Parameters } of paginateGetParametersByPath({ client: ssm }, path)) {
    for (const { Name } of Parameters ?? []) {
      await remove(`parameter ${Name}`, () => ssm.send(new DeleteParameterCommand({ Name })));
    }
  }
  const stacks = levels.includes('stack') ? await ourStacks(cloudFormation) : [];
  for (const StackName of stacks) {
    await remove(`stack ${StackName}`, () => cloudFormation.send(new DeleteStackCommand({ StackName })));
  }
  for (const StackName of stacks) {
    await waitUntilStackDeleteComplete(
      { client: cloudFormation, maxWaitTime: 600, minDelay: 1, maxDelay: 10 },
      { StackName },
    );
  }
  if (instances.length > 0) {
    await waitUntilInstanceTerminated({ client: ec2, maxWaitTime: 600 }, { InstanceIds: instances });
  }
  for (const id of levels.includes('instance') ? await ourSecurityGroups(ec2) : []) {
    await remove(`security group ${id}`, () => deleteGroup(ec2, id));
  }
  return removed;
}

const isOurs = (member) => (each) => each[member]?.startsWith(`${PREFIX}-`) === true;

/** The tag decides; the name's beginning saves asking for the tags of every load balancer of an account. */
async function ourLoadBalancers(elb) {
  const names = [];
  for await (const { LoadBalancerDescriptions } of paginateDescribeLoadBalancers({ client: elb }, {})) {
    names.push(
      ...(LoadBalancerDescriptions ?? []).filter(isOurs('LoadBalancerName')).map((each) => each.LoadBalancerName),
    );
  }
  const tagged = [];
  for (const name of names) {
    const { TagDescriptions } = await elb.send(new DescribeTagsCommand({ LoadBalancerNames: [name] }));
    if (TagDescriptions?.[0]?.Tags?.some(({ Key }) => Key === PREFIX)) tagged.push(name);
  }
  return tagged;
}

async function ourStacks(cloudFormation) {
  const names = [];
  for await (const { Stacks } of paginateDescribeStacks({ client: cloudFormation }, {})) {
    const ours = (Stacks ?? [])
      .filter(isOurs('StackName'))
      .filter(({ Tags }) => Tags?.some(({ Key }) => Key === PREFIX));
    names.push(...ours.map(({ StackName }) => StackName));
  }
  return names;
}

const byTag = { Filters: [{ Name: 'tag-key', Values: [PREFIX] }] };

async function ourInstances(ec2) {
  const ids = [];
  for await (const { Reservations } of paginateDescribeInstances({ client: ec2 }, byTag)) {
    for (const { Instances } of Reservations ?? []) {
      ids.push(...Instances.filter(({ State }) => State.Name !== 'terminated').map(({ InstanceId }) => InstanceId));
    }
  }
  return ids;
}

async function ourSecurityGroups(ec2) {
  const ids = [];
  for await (const { SecurityGroups } of paginateDescribeSecurityGroups({ client: ec2 }, byTag)) {
    ids.push(...SecurityGroups.map(({ GroupId }) => GroupId));
  }
  return ids;
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
