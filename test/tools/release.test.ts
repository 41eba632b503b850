import { describe, expect, test } from '@jest/globals';
import { requireEntries, withoutContents, withRelease } from '../../tools/release.mjs';

describe('the changelog of a release', () => {
  test('has what was unreleased below the number, and room for what comes', () => {
    const before = '# Changes\n\n## [Unreleased]\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- The first.\n';

    expect(withRelease(before, '0.2.0', '2026-12-24')).toBe(
      '# Changes\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-24\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\n- The first.\n',
    );
  });

  test.each([
    ['# Changes\n\n## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n- The first.\n', 'tells nothing'],
    ['# Changes\n', 'has no line "## [Unreleased]"'],
  ])('is not made of nothing: %j', (changelog, words) => expect(() => requireEntries(changelog)).toThrow(words));

  test('is made of something', () => {
    expect(() => requireEntries('## [Unreleased]\n\n- A thing.\n')).not.toThrow();
  });
});

test('the templates of a release are kept without the documents’ contents', () => {
  const template = {
    Parameters: { A: {} },
    Resources: {
      Document: { Type: 'AWS::SSM::Document', Properties: { Name: 'n', Content: { long: 'text' } } },
      Other: { Type: 'AWS::X::Y', Properties: { Content: 'x' } },
      Bare: { Type: 'AWS::X::Y' },
    },
  };

  expect(withoutContents(template)).toEqual({
    ...template,
    Resources: {
      ...template.Resources,
      Document: { Type: 'AWS::SSM::Document', Properties: { Name: 'n', Content: 'as released' } },
    },
  });
});
