/** The APIs that the rehearsal knows the shapes of, by name. The constants are those of each SDK client. */
import * as autoScaling from '@aws-sdk/client-auto-scaling';
import * as cloudformation from '@aws-sdk/client-cloudformation';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as ec2 from '@aws-sdk/client-ec2';
import * as elasticLoadBalancing from '@aws-sdk/client-elastic-load-balancing';
import * as elasticLoadBalancingV2 from '@aws-sdk/client-elastic-load-balancing-v2';
import * as elastiCache from '@aws-sdk/client-elasticache';
import * as events from '@aws-sdk/client-eventbridge';
import * as lambda from '@aws-sdk/client-lambda';
import * as sns from '@aws-sdk/client-sns';
import * as ssm from '@aws-sdk/client-ssm';
import * as sts from '@aws-sdk/client-sts';
import { modelOf, type ServiceModel } from './model.ts';

const builders: Readonly<Record<string, () => ServiceModel>> = {
  elasticloadbalancing: () =>
    modelOf(elasticLoadBalancing, {
      version: '2012-06-01',
      xmlNamespace: 'http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/',
      wireCodes: 'awsQueryError',
    }),
  elbv2: () =>
    modelOf(elasticLoadBalancingV2, {
      version: '2015-12-01',
      xmlNamespace: 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/',
      wireCodes: 'awsQueryError',
    }),
  cloudformation: () =>
    modelOf(cloudformation, {
      version: '2010-05-15',
      xmlNamespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
      wireCodes: 'awsQueryError',
    }),
  autoscaling: () =>
    modelOf(autoScaling, {
      version: '2011-01-01',
      xmlNamespace: 'http://autoscaling.amazonaws.com/doc/2011-01-01/',
      wireCodes: 'awsQueryError',
    }),
  elasticache: () =>
    modelOf(elastiCache, {
      version: '2015-02-02',
      xmlNamespace: 'http://elasticache.amazonaws.com/doc/2015-02-02/',
      wireCodes: 'awsQueryError',
    }),
  ec2: () => modelOf(ec2, { version: '2016-11-15', xmlNamespace: 'http://ec2.amazonaws.com/doc/2016-11-15/' }),
  ssm: () => modelOf(ssm, { version: '2014-11-06', targetPrefix: 'AmazonSSM' }),
  lambda: () => modelOf(lambda, { version: '2015-03-31' }),
  sts: () =>
    modelOf(sts, {
      version: '2011-06-15',
      xmlNamespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
      wireCodes: 'awsQueryError',
    }),
  events: () => modelOf(events, { version: '2015-10-07', targetPrefix: 'AWSEvents' }),
  logs: () => modelOf(logs, { version: '2014-03-28', targetPrefix: 'Logs_20140328' }),
  monitoring: () =>
    modelOf(cloudwatch, {
      version: '2010-08-01',
      targetPrefix: 'GraniteServiceVersion20100801',
      xmlNamespace: 'http://monitoring.amazonaws.com/doc/2010-08-01/',
      wireCodes: 'awsQueryError',
    }),
  sns: () =>
    modelOf(sns, {
      version: '2010-03-31',
      xmlNamespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
      wireCodes: 'awsQueryError',
    }),
};

/** Built when first asked for: EC2's has 700 operations. */
export function modelFor(name: string): ServiceModel | undefined {
  return builders[name]?.();
}
