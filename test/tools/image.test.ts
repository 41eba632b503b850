import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

test('npm run image takes no arguments, and says so before it does anything', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/image.mjs', '--tag', 'v1'], {
    encoding: 'utf8',
  });

  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain('proxyflip: ERR_IMAGE: ');
  expect(stderr).toContain('--tag v1');
});
