/**
 * HAProxy's configuration for one node of an Application Load Balancer. Pure: what the node is set to goes in, text comes out.
 *
 *   listener-<port> ─► the first rule that fits ─► redirect, fixed response, or a target group:
 *                        targets-<id>   round robin over those that are healthy, the cookie's target first
 *                        open-<id>      all of them, where none is healthy (fail open)
 *                      health-<id>      checks; the other two follow it (`track`)
 *
 * Everything here is understood by HAProxy 2.6 and 3.0.
 */
import { FILES, globalSection } from '../../nodes/haproxy-process.ts';
import type { CheckedServer, ServerHealth } from '../../nodes/server-state.ts';
import type {
  ActionConfiguration,
  ConditionConfiguration,
  Configuration,
  HealthCheckConfiguration,
  ListenerConfiguration,
  Protocol,
  RuleConfiguration,
  Target,
  TargetGroupConfiguration,
} from '../data-plane.ts';

export const HEALTH_PREFIX = 'health-';
export const listenerName = (port: number) => `listener-${port}`;
export const healthBackend = (targetGroupArn: string) => `${HEALTH_PREFIX}${idOf(targetGroupArn)}`;
const targetsBackend = (targetGroupArn: string) => `targets-${idOf(targetGroupArn)}`;
const openBackend = (targetGroupArn: string) => `open-${idOf(targetGroupArn)}`;
/** In the backends that carry requests, and in the health backend. */
export const serverName = ({ instanceId, port }: Pick<Target, 'instanceId' | 'port'>) => `${instanceId}_${port}`;
/** Those that carry a target group's requests, be its targets healthy or not. */
export const backendsOf = (targetGroupArn: string): readonly string[] => [
  targetsBackend(targetGroupArn),
  openBackend(targetGroupArn),
];

/** An ARN ends in `/<16 hexadecimal digits>`, which is unique in the account. */
const idOf = (arn: string): string => arn.split('/').at(-1) ?? '';

export function haproxyConfig(configuration: Configuration, directory: string): string {
  const { listeners, targetGroups, idleTimeoutSeconds } = configuration;
  return [
    ...globalSection(directory),
    // An Application Load Balancer upgrades HTTP/1.1 connections alone: a client of HTTP/2 is not told that it could.
    '  h2-workaround-bogus-websocket-clients',
    'defaults',
    '  mode http',
    '  log global',
    '  load-server-state-from-file global',
    // One figure for both sides, WebSockets included. Source: guide, "Connection idle timeout".
    ...['client', 'server', 'tunnel', 'http-keep-alive'].map((each) => `  timeout ${each} ${idleTimeoutSeconds}s`),
    '  timeout connect 10s',
    // What a target refuses is the client's failure: no retry hides it.
    '  retries 0',
    // After a reload a client's idle connection gets one more answer and is then closed in order, where HAProxy would cut it.
    '  option idle-close-on-response',
    // Requests of many clients share connections to a target. Source: Elastic Load Balancing user guide, "HTTP connections".
    '  http-reuse always',
    ...listeners.flatMap((listener) => frontend(listener, configuration, directory)),
    ...targetGroups.flatMap((group) => [...health(group), ...targets(group), ...failOpen(group)]),
    '',
  ].join('\n');
}

function frontend(listener: ListenerConfiguration, configuration: Configuration, directory: string): string[] {
  const { port, protocol, rules } = listener;
  const alpn = configuration.isHttp2Enabled ? 'h2,http/1.1' : 'http/1.1';
  return [
    `frontend ${listenerName(port)}`,
    `  bind :${port}${protocol === 'HTTPS' ? ` ssl crt ${directory}/${FILES.certificate} alpn ${alpn}` : ''}`,
    ...rules.flatMap((rule, index) => match(rule, index)),
    ...rules.flatMap(({ action }, index) => answer(action, listener, isRule(index))),
    ...forwardedHeaders(listener, configuration),
    ...rules.flatMap(({ action }, index) => route(action, isRule(index))),
  ];
}

const isRule = (index: number) => `{ var(txn.rule) -m int ${index} }`;

/** The first rule that fits is the one; the number of the rule is remembered, since HAProxy goes on to the next line. */
function match({ conditions }: RuleConfiguration, index: number): string[] {
  const names = conditions.map((_, place) => `rule-${index}-${place}`);
  return [
    ...conditions.map((condition, place) => `  acl ${names[place]} ${test(condition)}`),
    `  http-request set-var(txn.rule) int(${index}) if !{ var(txn.rule) -m found } ${names.join(' ')}`.trimEnd(),
  ];
}

/** Source: guide, "Condition types": host names without case, paths with it, and without the query. */
function test({ field, values }: ConditionConfiguration): string {
  const patterns = values.map(regularExpression).join(' ');
  switch (field) {
    case 'host-header':
      return `req.hdr(host),field(1,:) -m reg -i ${patterns}`;
    case 'path-pattern':
      return `path -m reg ${patterns}`;
    case 'source-ip':
      return `src ${values.join(' ')}`;
    default: {
      const never: never = field;
      throw new Error(`no such condition: ${never}`);
    }
  }
}

function regularExpression(pattern: string): string {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return quoted(`^${escaped}$`);
}

/** For one word of a line: nothing in it is HAProxy's own. */
const quoted = (text: string) => `'${text.replaceAll("'", `'"'"'`)}'`;

function answer(action: ActionConfiguration, listener: ListenerConfiguration, condition: string): string[] {
  if (action.type === 'fixed-response') {
    const body = action.body === '' ? '' : ` content-type ${quoted(action.contentType)} string ${quoted(action.body)}`;
    return [`  http-request return status ${action.statusCode}${body} if ${condition}`];
  }
  if (action.type === 'redirect') {
    const { protocol, host, port, path, query, statusCode } = action;
    const place = `${protocol.toLowerCase()}://${host}:${port}${path}`;
    const withoutQuery = inRequest(place, listener);
    const withQuery = inRequest(`${place}?${query}`, listener);
    // A query that is a mere #{query} may be empty, and then there is no question mark.
    const hasQuery = query === '#{query}' ? ' { query -m len gt 0 }' : '';
    const redirect = (to: string, when: string) =>
      `  http-request redirect code ${statusCode} location "${to}" if ${condition}${when}`;
    if (query === '') return [redirect(withoutQuery, '')];
    return [redirect(withQuery, hasQuery), ...(hasQuery === '' ? [] : [redirect(withoutQuery, '')])];
  }
  return [];
}

/** `#{…}` as HAProxy's own format; `#{path}` is without its slash. Source: guide, "Redirect actions". */
function inRequest(template: string, { port, protocol }: ListenerConfiguration): string {
  return template
    .replace(/[%"\\ $]/g, (each) => (each === '%' ? '%%' : `\\${each}`))
    .replaceAll('/#{path}', '%[path]')
    .replaceAll('#{path}', '%[path,regsub(^/,)]')
    .replaceAll('#{query}', '%[query]')
    .replaceAll('#{host}', '%[req.hdr(host),field(1,:)]')
    .replaceAll('#{port}', String(port))
    .replaceAll('#{protocol}', protocol.toLowerCase());
}

/** Source: guide, "X-Forwarded headers". */
function forwardedHeaders(listener: ListenerConfiguration, configuration: Configuration): string[] {
  const client = configuration.hasClientPort ? '%[src]:%[src_port]' : '%[src]';
  return [
    ...{
      // The client's address is the last word of the one header; where a client has sent several, it is a last one of its own. In this
      // order: none of the lines makes the condition of a later one true.
      append: [
        `  http-request add-header X-Forwarded-For ${client} if { req.fhdr_cnt(x-forwarded-for) gt 1 }`,
        `  http-request set-header X-Forwarded-For "%[req.fhdr(x-forwarded-for)], ${client}" if { req.fhdr_cnt(x-forwarded-for) eq 1 }`,
        `  http-request set-header X-Forwarded-For ${client} if { req.fhdr_cnt(x-forwarded-for) eq 0 }`,
      ],
      preserve: [],
      remove: ['  http-request del-header X-Forwarded-For'],
    }[configuration.forwardedFor],
    `  http-request set-header X-Forwarded-Proto ${listener.protocol.toLowerCase()}`,
    `  http-request set-header X-Forwarded-Port ${listener.port}`,
  ];
}

function route(action: ActionConfiguration, condition: string): string[] {
  if (action.type !== 'forward') return [];
  const { targetGroupArn } = action;
  const healthy = targetsBackend(targetGroupArn);
  return [
    `  use_backend ${healthy} if ${condition} { nbsrv(${healthy}) gt 0 }`,
    `  use_backend ${openBackend(targetGroupArn)} if ${condition}`,
  ];
}

function targets(group: TargetGroupConfiguration): string[] {
  const name = healthBackend(group.arn);
  return [
    `backend ${targetsBackend(group.arn)}`,
    ...stickiness(group),
    ...group.targets.map((target) => `${server(target, group.protocol)} track ${name}/${serverName(target)}`),
  ];
}

/** "If a target group contains only unhealthy registered targets, the load balancer routes requests to all those targets." */
function failOpen(group: TargetGroupConfiguration): string[] {
  return [
    `backend ${openBackend(group.arn)}`,
    ...stickiness(group),
    ...group.targets.map((target) => server(target, group.protocol)),
  ];
}

const server = (target: Target, protocol: Protocol): string =>
  `  server ${serverName(target)} ${target.privateIpAddress}:${target.port}${protocol === 'HTTPS' ? ' ssl verify none' : ''}`;

/**
 * Both cookies with every answer, each good for as long from then on; a target that is not there any more, or is not healthy, is as
 * if there were no cookie. Source: guide, "Sticky sessions". What is in the cookie AWS does not say; here, the target's name.
 */
function stickiness({ stickinessSeconds, targets }: TargetGroupConfiguration): string[] {
  if (stickinessSeconds === undefined) return [];
  const cookie = (name: string, more: string) =>
    `  http-response add-header Set-Cookie "${name}=%[srv_name,base64]; Expires=%[date(${stickinessSeconds}),http_date]; Path=/${more}"`;
  return [
    ...targets.flatMap((target) =>
      ['AWSALB', 'AWSALBCORS'].map(
        (name) => `  use-server ${serverName(target)} if { req.cook(${name}),b64dec -m str ${serverName(target)} }`,
      ),
    ),
    cookie('AWSALB', ''),
    cookie('AWSALBCORS', '; SameSite=None; Secure'),
  ];
}

function health({ arn, targets, healthCheck: check }: TargetGroupConfiguration): string[] {
  return [
    `backend ${healthBackend(arn)}`,
    `  timeout check ${check.timeoutSeconds}s`,
    `  timeout connect ${check.timeoutSeconds}s`,
    '  option httpchk',
    `  http-check send meth GET uri ${quoted(check.path)} ver HTTP/1.1 hdr Host alb hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close`,
    `  http-check expect status ${check.codes}`,
    ...targets.map(
      (target) =>
        `  server ${serverName(target)} ${target.privateIpAddress}:${checkedPort(target, check)} check inter ${check.intervalSeconds}s` +
        ` fall ${check.unhealthyThreshold} rise ${check.healthyThreshold}${check.protocol === 'HTTPS' ? ' check-ssl verify none' : ''}`,
    ),
  ];
}

const checkedPort = (target: Target, check: HealthCheckConfiguration): number => check.port ?? target.port;

/** @param known  by health backend and server, `<backend>/<server>` */
export function checkedServers(
  groups: readonly TargetGroupConfiguration[],
  known: ReadonlyMap<string, ServerHealth>,
): CheckedServer[] {
  return groups.flatMap(({ arn, targets, healthCheck }) =>
    targets.map((target) => {
      const backend = healthBackend(arn);
      const name = serverName(target);
      return {
        backend,
        name,
        address: target.privateIpAddress,
        port: checkedPort(target, healthCheck),
        rise: healthCheck.healthyThreshold,
        fall: healthCheck.unhealthyThreshold,
        // "After your target is registered, it must pass one health check to be considered healthy": all but one are taken as passed.
        health: known.get(`${backend}/${name}`) ?? { isUp: false, count: healthCheck.healthyThreshold - 1 },
      };
    }),
  );
}
