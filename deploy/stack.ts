/** The stack as it is: whether it can be deployed to, and how. */
import { type CloudFormationClient, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { ProxyflipError } from '../functions/shared/errors.ts';

/** @returns undefined where there is no stack of that name */
export async function describeStack(cloudFormation: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
    return Stacks?.[0];
  } catch (error) {
    // CloudFormation has no code of its own for it.
    if (error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message))
      return undefined;
    throw error;
  }
}

export const parametersOf = ({ Parameters = [] }: Stack): Record<string, string> =>
  Object.fromEntries(Parameters.map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue]));

export const outputsOf = ({ Outputs = [] }: Stack): Record<string, string> =>
  Object.fromEntries(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));

/** Whether the stack waits for a first change set to be executed: nothing is in it yet. */
export const isEmpty = (status: string | undefined): boolean => status === undefined || status === 'REVIEW_IN_PROGRESS';

/**
 * @param status  undefined = there is no such stack
 * @throws ProxyflipError ERR_STACK  it is busy, or has to be got out of a state first; with the command that does
 */
export function changeSetType(name: string, status: string | undefined): 'CREATE' | 'UPDATE' {
  if (isEmpty(status)) return 'CREATE';
  switch (status) {
    case 'CREATE_COMPLETE':
    case 'UPDATE_COMPLETE':
    case 'UPDATE_ROLLBACK_COMPLETE':
    case 'IMPORT_COMPLETE':
    case 'IMPORT_ROLLBACK_COMPLETE':
      return 'UPDATE';
    case 'UPDATE_ROLLBACK_FAILED':
      throw stuck(name, status, `aws cloudformation continue-update-rollback --stack-name ${name}`);
    case 'CREATE_FAILED':
    case 'ROLLBACK_COMPLETE':
    case 'ROLLBACK_FAILED':
    case 'DELETE_FAILED':
      throw stuck(name, status, `aws cloudformation delete-stack --stack-name ${name}`);
    case 'UPDATE_FAILED':
      throw stuck(name, status, `aws cloudformation rollback-stack --stack-name ${name}`);
    default:
      throw new ProxyflipError(
        'ERR_STACK',
        `the stack ${name} is in ${status}: something is at work on it. Wait until that has ended, and run again.`,
      );
  }
}

const stuck = (name: string, status: string, command: string): ProxyflipError =>
  new ProxyflipError(
    'ERR_STACK',
    `the stack ${name} is in ${status} and cannot be deployed to. Get it out of that first, and run again: ${command}`,
  );
