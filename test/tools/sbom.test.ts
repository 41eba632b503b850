import { describe, expect, test } from '@jest/globals';
import { packageDirectories, requireKnownLicences } from '../../tools/build-sbom.mjs';

describe('what is in a bundle', () => {
  test('is what has a byte in its output, of whatever depth, each once', () => {
    const inputs = {
      'functions/a/index.ts': { bytesInOutput: 10 },
      'node_modules/ws/lib/a.js': { bytesInOutput: 10 },
      'node_modules/ws/lib/b.js': { bytesInOutput: 10 },
      'node_modules/@smithy/core/dist-es/x.js': { bytesInOutput: 1 },
      'node_modules/a/node_modules/@b/c/d.js': { bytesInOutput: 1 },
      'node_modules/shaken-off/index.js': { bytesInOutput: 0 },
    };

    expect(packageDirectories({ outputs: { 'out.js': { inputs }, 'out.js.map': { inputs: {} } } })).toEqual([
      'node_modules/@smithy/core',
      'node_modules/a/node_modules/@b/c',
      'node_modules/ws',
    ]);
  });
});

describe('a licence', () => {
  test('that is known will do', () => {
    expect(() => requireKnownLicences([{ name: 'ws', version: '8.0.0', license: 'MIT' }])).not.toThrow();
  });

  test.each(['GPL-3.0-only', 'SEE LICENSE IN x', '(MIT OR WTFPL)', undefined])(
    '%s stops the build by name',
    (license) => {
      const packages = [
        { name: 'ws', version: '8.0.0', license: 'MIT' },
        { name: 'odd', version: '1.0.0', ...(license !== undefined && { license }) },
      ];
      expect(() => requireKnownLicences(packages)).toThrow(`odd 1.0.0: ${license ?? 'none'}`);
    },
  );
});
