/** Who else writes the policies, as a person reads it in a finding's cause. */
import { describe, expect, test } from '@jest/globals';
import { whoWrites } from '../../../functions/drift-check/controllers.ts';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import { loadBalancer } from './situations.ts';

describe('whoWrites', () => {
  test.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    ['nobody that shows', [POLICY_NAME, 'theirs'], { Name: 'web' }, ''],
    [
      'Kubernetes, by its policy',
      [POLICY_NAME, 'k8s-proxyprotocol-enabled'],
      {},
      'Kubernetes (policy k8s-proxyprotocol-enabled)',
    ],
    ['Terraform', ['TFEnableProxyProtocol'], {}, 'Terraform (policy TFEnableProxyProtocol)'],
    ['Ansible', ['ProxyProtocol-policy'], {}, 'Ansible (policy ProxyProtocol-policy)'],
    ['Elastic Beanstalk', ['EnableProxyProtocol'], {}, 'Elastic Beanstalk (policy EnableProxyProtocol)'],
    [
      'a reader of the guide',
      ['my-ProxyProtocol-policy'],
      {},
      'somebody by the AWS guide (policy my-ProxyProtocol-policy)',
    ],
    [
      'Kubernetes, by a tag among others',
      [],
      { Name: 'web', 'kubernetes.io/cluster/a': 'owned' },
      'perhaps Kubernetes (tag kubernetes.io/cluster/a=owned)',
    ],
    ['Kubernetes, by its older tag', [], { KubernetesCluster: 'a' }, 'perhaps Kubernetes (tag KubernetesCluster=a)'],
    [
      'Elastic Beanstalk, by a tag',
      [],
      { 'elasticbeanstalk:environment-name': 'web-1' },
      'perhaps Elastic Beanstalk (tag elasticbeanstalk:environment-name=web-1)',
    ],
    [
      'CloudFormation',
      [],
      { 'aws:cloudformation:stack-name': 'web', 'aws:cloudformation:logical-id': 'Elb' },
      'perhaps CloudFormation (tag aws:cloudformation:stack-name=web)',
    ],
    [
      'who has a policy there before who has a tag',
      ['TFEnableProxyProtocol'],
      { KubernetesCluster: 'a' },
      'Terraform (policy TFEnableProxyProtocol)',
    ],
    [
      'none by a tag that only looks like it',
      [],
      { 'my.kubernetes.io/a': '1', KubernetesClusters: '2', 'aws:cloudformation:stack-name-2': '3' },
      '',
    ],
  ])('names %s', (_who, policies, tags, words) => {
    expect(whoWrites(loadBalancer({ 81: policies }, { tags: new Map(Object.entries(tags)) }))).toBe(words);
  });
});
