import { describe, expect, test } from '@jest/globals';
import { BUDGET, bundleFunction, FUNCTIONS } from '../../tools/build-functions.mjs';
import { packageDirectories } from '../../tools/build-sbom.mjs';

test('the functions are found', () =>
  expect(FUNCTIONS).toEqual(expect.arrayContaining(['load-balancer', 'proxy-protocol'])));

describe.each(FUNCTIONS)('the bundle of functions/%s', (name) => {
  test('is within its budget', async () => {
    const { code } = await bundleFunction(name);
    expect(code.length).toBeLessThanOrEqual(BUDGET);
  });

  test('looks for credentials in the environment alone, where Lambda puts them', async () => {
    const { metafile } = await bundleFunction(name);
    const providers = packageDirectories(metafile).filter((directory) => directory.includes('credential-provider'));
    expect(providers).toEqual(['node_modules/@aws-sdk/credential-provider-env']);
  });
});
