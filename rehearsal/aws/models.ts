/** The APIs that the rehearsal knows the shapes of, by signing name. The constants are those of each SDK client. */
import * as cloudformation from '@aws-sdk/client-cloudformation';
import * as ec2 from '@aws-sdk/client-ec2';
import * as elasticLoadBalancing from '@aws-sdk/client-elastic-load-balancing';
import * as lambda from '@aws-sdk/client-lambda';
import * as ssm from '@aws-sdk/client-ssm';
import { modelOf, type ServiceModel } from './model.ts';

const builders: Readonly<Record<string, () => ServiceModel>> = {
  elasticloadbalancing: () =>
    modelOf(elasticLoadBalancing, {
      version: '2012-06-01',
      xmlNamespace: 'http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/',
      wireCodes: 'awsQueryError',
    }),
  cloudformation: () =>
    modelOf(cloudformation, {
      version: '2010-05-15',
      xmlNamespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
      wireCodes: 'awsQueryError',
    }),
  ec2: () => modelOf(ec2, { version: '2016-11-15', xmlNamespace: 'http://ec2.amazonaws.com/doc/2016-11-15/' }),
  ssm: () => modelOf(ssm, { version: '2014-11-06', targetPrefix: 'AmazonSSM' }),
  lambda: () => modelOf(lambda, { version: '2015-03-31' }),
};

/** Built when first asked for: EC2's has 700 operations. */
export function modelFor(signingName: string): ServiceModel | undefined {
  return builders[signingName]?.();
}
