/**
 * The resource's physical id: the load balancer's ARN, and nothing else goes into it.
 *
 * CloudFormation sends a Delete for every id that an Update leaves behind. An id that changed for any other reason than another load
 * balancer would have that Delete switch off what the Update has just switched on.
 */
export function physicalResourceId(stackId: string, loadBalancerName: string): string {
  // arn:<partition>:cloudformation:<region>:<account>:stack/<name>/<uuid>
  const [, partition, , region, account] = stackId.split(':');
  return `arn:${partition}:elasticloadbalancing:${region}:${account}:loadbalancer/${loadBalancerName}`;
}
