/** The resource types that the rehearsal has. Any other is refused by name before anything is made. */
import type { IamStore } from '../../iam/store.ts';
import type { ResourceType } from '../resource-type.ts';
import { cloudWatchAlarm } from './cloudwatch-alarm.ts';
import { cloudWatchDashboard } from './cloudwatch-dashboard.ts';
import { type CustomResourceOptions, customResourceTypes } from './custom-resource.ts';
import { eventsRule } from './events-rule.ts';
import { iamInstanceProfile } from './iam-instance-profile.ts';
import { iamManagedPolicy } from './iam-managed-policy.ts';
import { iamPolicy } from './iam-policy.ts';
import { iamRole } from './iam-role.ts';
import { lambdaEventInvokeConfig } from './lambda-event-invoke-config.ts';
import { lambdaFunction } from './lambda-function.ts';
import { lambdaPermission } from './lambda-permission.ts';
import { logGroup } from './log-group.ts';
import { snsTopic } from './sns-topic.ts';
import { ssmAssociation } from './ssm-association.ts';
import { ssmDocument } from './ssm-document.ts';
import { ssmParameter } from './ssm-parameter.ts';

export type FindType = (name: string) => ResourceType | undefined;

export function createResourceTypes(iam: IamStore, custom: CustomResourceOptions): FindType {
  const types = [
    ...customResourceTypes(custom),
    lambdaFunction,
    lambdaPermission,
    lambdaEventInvokeConfig,
    iamRole(iam),
    iamPolicy(iam),
    iamManagedPolicy(iam),
    iamInstanceProfile(iam),
    ssmDocument,
    ssmAssociation,
    ssmParameter,
    logGroup(),
    eventsRule(),
    snsTopic(),
    cloudWatchAlarm(),
    cloudWatchDashboard(),
  ];
  return (name) =>
    types.find((type) => (type.name.endsWith('*') ? name.startsWith(type.name.slice(0, -1)) : type.name === name));
}
