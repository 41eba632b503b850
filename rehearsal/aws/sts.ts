/** Security Token Service: who am I. There is no STS client among the packages, so its two shapes are written here. */
import { ACCOUNT_ID } from '../world.ts';
import { modelOf } from './model.ts';
import type { CallContext, Service } from './service.ts';

const NAMESPACE = 'com.amazonaws.sts';
const request = [3, NAMESPACE, 'GetCallerIdentityRequest', 0, [], []];
const response = [3, NAMESPACE, 'GetCallerIdentityResponse', 0, ['UserId', 'Account', 'Arn'], [0, 0, 0]];
const GetCallerIdentity = [9, NAMESPACE, 'GetCallerIdentity', 0, () => request, () => response];

export function createStsService(): Service {
  return {
    signingName: 'sts',
    protocol: 'awsQuery',
    model: modelOf(
      { GetCallerIdentity },
      { version: '2011-06-15', xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/', wireCodes: 'awsQueryError' },
    ),
    actions: {
      GetCallerIdentity: (_input: unknown, { accessKeyId }: CallContext) => ({
        UserId: accessKeyId,
        Account: ACCOUNT_ID,
        Arn: `arn:aws:iam::${ACCOUNT_ID}:user/${accessKeyId}`,
      }),
    },
  };
}
