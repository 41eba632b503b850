import type { Parameter } from '@aws-sdk/client-ssm';
import { type ParameterVersion, parameterArn } from '../parameters.ts';

export const answerParameter = (parameter: ParameterVersion, selector?: string): Parameter => ({
  Name: parameter.name,
  Type: parameter.type,
  Value: parameter.value,
  Version: parameter.version,
  ...(selector === undefined ? {} : { Selector: selector }),
  LastModifiedDate: parameter.modifiedAt,
  ARN: parameterArn(parameter.name),
  DataType: parameter.dataType,
});
