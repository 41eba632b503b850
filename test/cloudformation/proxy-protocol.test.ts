import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readTemplate, type Template } from './template.ts';

describe('cloudformation/proxy-protocol.yaml', () => {
  let template: Template;
  let folder: string;
  beforeAll(() => {
    template = readTemplate();
    folder = mkdtempSync(join(tmpdir(), 'proxyflip-template-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('AWS’s own validator has nothing to say, warnings included', () => {
    const path = join(folder, 'template.json');
    writeFileSync(path, JSON.stringify(template));
    const engine = new RegoEngine();
    try {
      const { diagnostics } = engine.validateStandard(new TemplateFile(path));
      expect(
        diagnostics
          .filter((each) => each.severity !== 'INFO')
          .map((each) => `${each.severity} ${each.ruleId} ${each.message}`),
      ).toEqual([]);
    } finally {
      engine.free();
    }
  });
});
