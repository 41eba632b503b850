/** Requests as CloudFormation sends them. */
import type {
  CloudFormationCustomResourceCreateEvent,
  CloudFormationCustomResourceDeleteEvent,
  CloudFormationCustomResourceUpdateEvent,
} from 'aws-lambda';

export const STACK_ID =
  'arn:aws:cloudformation:eu-central-1:111122223333:stack/fleet/5a2b0c10-0000-11f0-0000-0a0000000001';
export const OWNER = `${STACK_ID}/ProxyProtocol`;
export const ID = 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/web';

export const PROPERTIES = {
  ServiceToken: 'arn:aws:lambda:eu-central-1:111122223333:function:proxy-protocol',
  ServiceTimeout: '3600',
  LoadBalancerName: 'web',
  FleetTagKey: 'fleet',
  FleetTagValue: 'web',
};

interface Given {
  readonly properties?: Record<string, unknown>;
  /** Each request has its own; two deliveries of one share it. */
  readonly request?: string;
  readonly physicalResourceId?: string;
}

const common = ({ properties = {}, request = '1' }: Given) => ({
  ServiceToken: PROPERTIES.ServiceToken,
  ResponseURL: `https://cloudformation-custom-resource-response.s3.example/${request}?X-Amz-Signature=secret`,
  StackId: STACK_ID,
  RequestId: 'a-request-id-that-is-given-again',
  LogicalResourceId: 'ProxyProtocol',
  ResourceType: 'Custom::ProxyProtocol',
  ResourceProperties: { ...PROPERTIES, ...properties },
});

export const createEvent = (given: Given = {}): CloudFormationCustomResourceCreateEvent => ({
  RequestType: 'Create',
  ...common(given),
});

export const updateEvent = (
  given: Given & { readonly old?: Record<string, unknown> } = {},
): CloudFormationCustomResourceUpdateEvent => ({
  RequestType: 'Update',
  ...common(given),
  PhysicalResourceId: given.physicalResourceId ?? ID,
  OldResourceProperties: { ...PROPERTIES, ...given.old },
});

export const deleteEvent = (given: Given = {}): CloudFormationCustomResourceDeleteEvent => ({
  RequestType: 'Delete',
  ...common(given),
  PhysicalResourceId: given.physicalResourceId ?? ID,
});
