/** Service Authorization Reference, AWS Lambda. Some permissions have other names than the API's operations. */
import type { Permission } from '../evaluate.ts';
import { alike, arn } from './arn.ts';
import type { Requirements } from './index.ts';

interface OfFunction {
  readonly FunctionName: string;
}

/** From a name or an ARN, with or without a qualifier. */
const functionArn = ({ FunctionName }: OfFunction): string =>
  FunctionName.startsWith('arn:') ? FunctionName : arn('lambda', `function:${FunctionName}`);

const passRole = (role: string): Permission => ({
  action: 'iam:PassRole',
  resource: role,
  context: { 'iam:passedtoservice': 'lambda.amazonaws.com' },
});
const readCode = ({ S3Bucket, S3Key }: { S3Bucket?: string; S3Key?: string }): Permission[] =>
  S3Bucket === undefined ? [] : [{ action: 's3:GetObject', resource: `arn:aws:s3:::${S3Bucket}/${S3Key}` }];

export const lambda: Requirements = {
  ...alike<OfFunction>(
    'lambda',
    [
      'AddPermission',
      'DeleteFunction',
      'DeleteFunctionConcurrency',
      'DeleteFunctionEventInvokeConfig',
      'GetFunction',
      'GetFunctionConcurrency',
      'GetFunctionConfiguration',
      'GetFunctionEventInvokeConfig',
      'GetFunctionRecursionConfig',
      'GetPolicy',
      'PutFunctionConcurrency',
      'PutFunctionEventInvokeConfig',
      'PutFunctionRecursionConfig',
      'RemovePermission',
      'UpdateFunctionEventInvokeConfig',
    ],
    functionArn,
  ),
  ListFunctions: () => [{ action: 'lambda:ListFunctions', resource: '*' }],
  Invoke: (input) => [{ action: 'lambda:InvokeFunction', resource: functionArn(input) }],
  CreateFunction: (input) => [
    { action: 'lambda:CreateFunction', resource: functionArn(input) },
    passRole(input.Role),
    ...readCode(input.Code),
  ],
  UpdateFunctionCode: (input) => [
    { action: 'lambda:UpdateFunctionCode', resource: functionArn(input) },
    ...readCode(input),
  ],
  UpdateFunctionConfiguration: (input) => [
    { action: 'lambda:UpdateFunctionConfiguration', resource: functionArn(input) },
    ...(input.Role === undefined ? [] : [passRole(input.Role)]),
  ],
};
