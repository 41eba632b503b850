import { describe, expect, test } from '@jest/globals';
import { withNames } from '../../tools/build-artifacts.mjs';

const ARTIFACTS = [
  { name: 'functions/load-balancer.zip', key: 'functions/load-balancer-abc.zip', sha256: 'abc' },
  { name: 'chat-artifact/chat-arm64.tar.gz', key: 'chat-artifact/chat-arm64-def.tar.gz', sha256: 'def' },
];

describe('the name of an artifact in a template', () => {
  test.each([
    ['Fn::Sub: $Prefix/functions/load-balancer.zip', 'Fn::Sub: $Prefix/functions/load-balancer-abc.zip'],
    ['- chat-artifact/chat-arm64.tar.gz', '- chat-artifact/chat-arm64-def.tar.gz'],
    ['- sha256:chat-artifact/chat-arm64.tar.gz', '- def'],
    // Of an architecture that was not built; npm run package builds both.
    ['- chat-artifact/chat-x86_64.tar.gz', '- chat-artifact/chat-x86_64.tar.gz'],
    ['Description: what is in functions/load-balancer', 'Description: what is in functions/load-balancer'],
  ])('%s', (source, built) => expect(withNames(source, ARTIFACTS)).toBe(built));

  test('that is not built stops the build', () => {
    expect(() => withNames('functions/load-balance.zip', ARTIFACTS)).toThrow(
      'a template names functions/load-balance.zip',
    );
  });

  test('is another one where the code is, so that an update brings it', () => {
    const changed = ARTIFACTS.map((each) => ({ ...each, key: each.key.replace('abc', '123') }));
    const template = 'S3Key: functions/load-balancer.zip';
    expect(withNames(template, changed)).not.toBe(withNames(template, ARTIFACTS));
  });
});
