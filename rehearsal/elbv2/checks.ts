/** What the API refuses before it changes anything. Each throws the service's own error. */
import type {
  Action,
  Certificate,
  CreateTargetGroupInput,
  RuleCondition,
  Tag,
  TargetDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { refuserOf } from '../aws/refuse-others.ts';
import { ServiceError } from '../aws/service.ts';
import type { Subnet, World } from '../world.ts';
import type { ActionConfiguration, ConditionConfiguration, HealthCheckConfiguration, Protocol } from './data-plane.ts';
import type { Listener, LoadBalancers, TargetGroup } from './model.ts';

export const validationError = (message: string) => new ServiceError('ValidationError', message);
/** An input that the API has and the rehearsal's action does not read. */
export const refuseOthers = refuserOf('ValidationError');

/** Source: API reference, CreateLoadBalancer and CreateTargetGroup, Name. */
export function checkName(what: string, name: string): void {
  if (!/^(?!-)[A-Za-z0-9-]{1,32}(?<!-)$/.test(name) || name.startsWith('internal-')) {
    throw validationError(
      `${what} name '${name}' must be 1 to 32 letters, digits and hyphens, with no hyphen at its ends, and not begin with 'internal-'`,
    );
  }
}

/** @throws ServiceError ValidationError */
export function portOf(what: string, port: number | undefined): number {
  if (port === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw validationError(`${what} must be in the range 1-65535, not ${port}`);
  }
  return port;
}

/** @throws ServiceError ValidationError */
export function protocolOf(what: string, protocol: string | undefined): Protocol {
  if (protocol === 'HTTP' || protocol === 'HTTPS') return protocol;
  throw validationError(`${what} '${protocol}' must be HTTP or HTTPS for an Application Load Balancer`);
}

/** @throws ServiceError SubnetNotFound | ValidationError | InvalidConfigurationRequest */
export function subnetsOf(world: World, ids: readonly string[]): readonly Subnet[] {
  const subnets = ids.map((id) => {
    const subnet = world.subnets.get(id);
    if (subnet === undefined) throw new ServiceError('SubnetNotFound', `The subnet ID '${id}' does not exist`);
    return subnet;
  });
  const zones = new Set(subnets.map(({ availabilityZone }) => availabilityZone));
  if (zones.size < 2) {
    throw validationError('At least two subnets in two different Availability Zones must be specified');
  }
  if (zones.size !== subnets.length || new Set(subnets.map(({ vpcId }) => vpcId)).size !== 1) {
    throw new ServiceError(
      'InvalidConfigurationRequest',
      'Subnets must be of one VPC and each of another Availability Zone',
    );
  }
  return subnets;
}

/** Source: API reference, AddTags: at most 50, no key twice in a call. */
export function tagsOf(current: ReadonlyMap<string, string>, added: readonly Tag[] | undefined): Map<string, string> {
  const tags = added ?? [];
  if (new Set(tags.map(({ Key }) => Key)).size !== tags.length) {
    throw new ServiceError('DuplicateTagKeys', 'A tag key was specified more than once');
  }
  const all = new Map([...current, ...tags.map(({ Key = '', Value = '' }): [string, string] => [Key, Value])]);
  if (all.size > 50) throw new ServiceError('TooManyTags', 'A resource has at most 50 tags');
  return all;
}

type HealthInput = Pick<
  CreateTargetGroupInput,
  | 'HealthCheckEnabled'
  | 'HealthCheckProtocol'
  | 'HealthCheckPort'
  | 'HealthCheckPath'
  | 'HealthCheckIntervalSeconds'
  | 'HealthCheckTimeoutSeconds'
  | 'HealthyThresholdCount'
  | 'UnhealthyThresholdCount'
  | 'Matcher'
>;
export const HEALTH_INPUTS = [
  'HealthCheckEnabled',
  'HealthCheckProtocol',
  'HealthCheckPort',
  'HealthCheckPath',
  'HealthCheckIntervalSeconds',
  'HealthCheckTimeoutSeconds',
  'HealthyThresholdCount',
  'UnhealthyThresholdCount',
  'Matcher',
] as const satisfies readonly (keyof HealthInput)[];

/** Source: guide, "Health check settings". */
export const DEFAULT_HEALTH_CHECK: HealthCheckConfiguration = {
  protocol: 'HTTP',
  port: undefined,
  path: '/',
  intervalSeconds: 30,
  timeoutSeconds: 5,
  healthyThreshold: 5,
  unhealthyThreshold: 2,
  codes: '200',
};

/** @param before  what is not given stays @throws ServiceError ValidationError */
export function healthCheckOf(input: HealthInput, before: HealthCheckConfiguration): HealthCheckConfiguration {
  if (input.HealthCheckEnabled === false) {
    throw validationError('Health check enabled must be true for target groups with target type instance');
  }
  if (input.Matcher?.GrpcCode !== undefined) throw validationError('Matcher GrpcCode is for gRPC, which is not here');
  const port = input.HealthCheckPort;
  const check: HealthCheckConfiguration = {
    protocol:
      input.HealthCheckProtocol === undefined
        ? before.protocol
        : protocolOf('Health check protocol', input.HealthCheckProtocol),
    port:
      port === undefined
        ? before.port
        : port === 'traffic-port'
          ? undefined
          : portOf('Health check port', Number(port)),
    path: input.HealthCheckPath ?? before.path,
    intervalSeconds: input.HealthCheckIntervalSeconds ?? before.intervalSeconds,
    timeoutSeconds: input.HealthCheckTimeoutSeconds ?? before.timeoutSeconds,
    healthyThreshold: input.HealthyThresholdCount ?? before.healthyThreshold,
    unhealthyThreshold: input.UnhealthyThresholdCount ?? before.unhealthyThreshold,
    codes: input.Matcher?.HttpCode ?? before.codes,
  };
  if (!/^\/[^\s']{0,1023}$/.test(check.path))
    throw validationError(`Health check path '${check.path}' must begin with /`);
  if (!/^[2-4]\d\d(-[2-4]\d\d|(,[2-4]\d\d)*)$/.test(check.codes)) {
    throw validationError(`Health check matcher HTTP code '${check.codes}' must be within 200-499`);
  }
  checkBetween('Health check interval', check.intervalSeconds, 5, 300);
  checkBetween('Health check timeout', check.timeoutSeconds, 2, 120);
  checkBetween('Healthy threshold count', check.healthyThreshold, 2, 10);
  checkBetween('Unhealthy threshold count', check.unhealthyThreshold, 2, 10);
  if (check.timeoutSeconds >= check.intervalSeconds) {
    throw validationError(
      `Health check timeout '${check.timeoutSeconds}' must be smaller than the interval '${check.intervalSeconds}'`,
    );
  }
  return check;
}

function checkBetween(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw validationError(`${what} '${value}' must be between ${least} and ${most}`);
  }
}

/** @throws ServiceError InvalidTarget */
export function targetOf(world: World, group: TargetGroup, { Id = '', Port }: TargetDescription) {
  if (!world.instances.has(Id)) {
    throw new ServiceError(
      'InvalidTarget',
      `The following targets are not in a running state and cannot be registered: '${Id}'`,
    );
  }
  return { instanceId: Id, port: Port === undefined ? group.port : portOf('Target port', Port) };
}

/**
 * One action that the rehearsal has.
 *
 * @param loadBalancerArn  whose listener it is for: a target group is one load balancer's
 * @throws ServiceError ValidationError | TargetGroupNotFound | TargetGroupAssociationLimit
 */
export function actionOf(
  all: LoadBalancers,
  loadBalancerArn: string,
  actions: readonly Action[] | undefined,
): ActionConfiguration {
  const [action, ...others] = actions ?? [];
  if (action === undefined || others.length > 0) {
    throw validationError(`A listener or rule has exactly one action in the rehearsal, not ${actions?.length ?? 0}`);
  }
  switch (action.Type) {
    case 'forward':
      return forwardOf(all, loadBalancerArn, action);
    case 'redirect':
      return redirectOf(action);
    case 'fixed-response':
      return fixedResponseOf(action);
    default:
      throw validationError(`Actions of type '${action.Type}' are not in the rehearsal`);
  }
}

function forwardOf(all: LoadBalancers, loadBalancerArn: string, action: Action): ActionConfiguration {
  const { TargetGroups = [], TargetGroupStickinessConfig } = action.ForwardConfig ?? {};
  if (TargetGroupStickinessConfig?.Enabled === true || TargetGroups.length > 1) {
    throw validationError('A rule that forwards to several target groups is not in the rehearsal');
  }
  const arn = action.TargetGroupArn ?? TargetGroups[0]?.TargetGroupArn;
  const group = all.targetGroup(arn);
  const user = all.userOf(group.arn);
  if (user !== undefined && user.arn !== loadBalancerArn) {
    throw new ServiceError(
      'TargetGroupAssociationLimit',
      `The following target groups cannot be associated with more than one load balancer: ${group.arn}`,
    );
  }
  return { type: 'forward', targetGroupArn: group.arn };
}

/** Defaults keep what the request has. Source: API reference, RedirectActionConfig. */
function redirectOf({ RedirectConfig: given }: Action): ActionConfiguration {
  const { Protocol, Host, Port, Path, Query, StatusCode } = given ?? {};
  const redirect = {
    type: 'redirect',
    protocol: Protocol ?? '#{protocol}',
    host: Host ?? '#{host}',
    port: Port ?? '#{port}',
    path: Path ?? '/#{path}',
    query: Query ?? '#{query}',
    statusCode: StatusCode === 'HTTP_301' ? 301 : 302,
  } as const;
  if (!/^HTTP_30[12]$/.test(StatusCode ?? ''))
    throw validationError(`Redirect status code '${StatusCode}' is not valid`);
  if (!/^(HTTPS?|#\{protocol\})$/.test(redirect.protocol)) {
    throw validationError(`Redirect protocol '${redirect.protocol}' is not valid`);
  }
  if (!/^(\d{1,5}|#\{port\})$/.test(redirect.port))
    throw validationError(`Redirect port '${redirect.port}' is not valid`);
  checkOneLine('Redirect', redirect.host + redirect.path + redirect.query);
  if (!redirect.path.startsWith('/')) throw validationError(`Redirect path '${redirect.path}' must begin with /`);
  const isSame =
    redirect.protocol === '#{protocol}' &&
    redirect.host === '#{host}' &&
    redirect.port === '#{port}' &&
    redirect.path === '/#{path}';
  if (isSame) {
    throw new ServiceError('InvalidLoadBalancerAction', 'The redirect configuration would create a loop');
  }
  return redirect;
}

/** Source: API reference, FixedResponseActionConfig. */
const CONTENT_TYPES = ['text/plain', 'text/css', 'text/html', 'application/javascript', 'application/json'];

/** HAProxy's configuration has no way to write more in a word. */
function checkOneLine(what: string, value: string): void {
  if (/[\r\n]/.test(value)) throw validationError(`${what} with a line break is not in the rehearsal`);
}

function fixedResponseOf({ FixedResponseConfig: given }: Action): ActionConfiguration {
  const { StatusCode = '', ContentType = 'text/plain', MessageBody = '' } = given ?? {};
  if (!/^[245]\d\d$/.test(StatusCode)) throw validationError(`Fixed response status code '${StatusCode}' is not valid`);
  if (!CONTENT_TYPES.includes(ContentType)) throw validationError(`Content type '${ContentType}' is not valid`);
  if (MessageBody.length > 1024) throw validationError('Fixed response message body must be at most 1024 characters');
  checkOneLine('Fixed response message body', MessageBody);
  return { type: 'fixed-response', statusCode: Number(StatusCode), contentType: ContentType, body: MessageBody };
}

/** @throws ServiceError ValidationError */
export function conditionsOf(conditions: readonly RuleCondition[] | undefined): readonly ConditionConfiguration[] {
  if (conditions === undefined || conditions.length === 0) throw validationError('A condition must be specified');
  return conditions.map((condition): ConditionConfiguration => {
    refuseOthers(condition, ['Field', 'Values', 'HostHeaderConfig', 'PathPatternConfig', 'SourceIpConfig']);
    const { Field, Values, HostHeaderConfig, PathPatternConfig, SourceIpConfig } = condition;
    const values = Values ?? HostHeaderConfig?.Values ?? PathPatternConfig?.Values ?? SourceIpConfig?.Values ?? [];
    if (Field !== 'path-pattern' && Field !== 'host-header' && Field !== 'source-ip') {
      throw validationError(`Conditions on '${Field}' are not in the rehearsal`);
    }
    if (values.length === 0) throw validationError(`Condition field '${Field}' needs a value`);
    const fits = Field === 'source-ip' ? /^\d+(\.\d+){3}\/\d+$/ : /^[A-Za-z0-9_.\-$/~"'@:+*?&()!,;=]{1,128}$/;
    for (const value of values) {
      if (!fits.test(value)) throw validationError(`Condition value '${value}' is not valid for '${Field}'`);
    }
    return { field: Field, values };
  });
}

/** @throws ServiceError PriorityInUse | ValidationError */
export function checkPriority(listener: Listener, priority: number | undefined, ownArn?: string): number {
  if (priority === undefined || !Number.isInteger(priority) || priority < 1 || priority > 50_000) {
    throw validationError(`Priority '${priority}' must be between 1 and 50000`);
  }
  for (const rule of listener.rules.values()) {
    if (rule.priority === priority && rule.arn !== ownArn) {
      throw new ServiceError('PriorityInUse', `Priority '${priority}' is currently in use`);
    }
  }
  return priority;
}

/** @throws ServiceError ValidationError | CertificateNotFound | SSLPolicyNotFound */
export function tlsOf(
  protocol: Protocol,
  certificates: readonly Certificate[] | undefined,
  sslPolicy: string | undefined,
): Pick<Listener, 'certificateArn' | 'sslPolicy'> {
  const [certificate, ...others] = certificates ?? [];
  if (protocol === 'HTTP') {
    if (certificate !== undefined) throw validationError('Certificates cannot be specified for HTTP listeners');
    if (sslPolicy !== undefined) throw validationError('SSL policy cannot be specified for HTTP listeners');
    return { certificateArn: undefined, sslPolicy: undefined };
  }
  if (certificate === undefined || others.length > 0) {
    throw validationError('Exactly one certificate must be specified for HTTPS listeners');
  }
  if (!/^arn:aws[a-z-]*:(acm|iam):/.test(certificate.CertificateArn ?? '')) {
    throw new ServiceError('CertificateNotFound', `Certificate '${certificate.CertificateArn}' not found`);
  }
  // The default of the API; the console proposes a newer one. Source: guide, "Security policies".
  const policy = sslPolicy ?? 'ELBSecurityPolicy-2016-08';
  if (!policy.startsWith('ELBSecurityPolicy-')) {
    throw new ServiceError('SSLPolicyNotFound', `SSL policy '${policy}' not found`);
  }
  return { certificateArn: certificate.CertificateArn, sslPolicy: policy };
}

/** @throws ServiceError DuplicateListener */
export function checkPortIsFree(all: LoadBalancers, loadBalancerArn: string, port: number, ownArn?: string): void {
  for (const listener of all.listenersOf(loadBalancerArn)) {
    if (listener.port === port && listener.arn !== ownArn) {
      throw new ServiceError(
        'DuplicateListener',
        `A listener already exists on this port for this load balancer '${loadBalancerArn}'`,
      );
    }
  }
}
