/** Three kinds of test; CONTRIBUTING.md has the table. */
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/tools/node24/'],
};

export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.(rehearsal|long|contract)\\.test\\.ts$'],
    },
    {
      ...common,
      displayName: 'rehearsal',
      testMatch: ['<rootDir>/test/**/*.{rehearsal,contract}.test.ts'],
    },
    {
      ...common,
      displayName: 'long',
      testMatch: ['<rootDir>/test/**/*.long.test.ts'],
    },
  ],
};
