/** Mutation testing of functions/: `npm run test:mutation`. What comes of it stands in docs/mutation.md. */
export default {
  // The clients' time-outs are tested over sockets, for seconds each: test/functions/shared/clients.test.ts.
  mutate: ['functions/**/*.ts', '!functions/shared/clients.ts'],
  plugins: ['./tools/mutation/runner.mjs'],
  testRunner: 'functions',
  coverageAnalysis: 'perTest',
  // What the sandbox holds.
  ignorePatterns: [
    '*',
    '!functions',
    '!functions/**',
    '!test',
    '!test/functions',
    '!test/functions/**',
    '!package.json',
  ],
  reporters: ['clear-text', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: 'dist/mutation/mutation.json' },
  tempDirName: 'dist/mutation/sandbox',
  // What is evaluated when a file is loaded would load all of them anew for each mutant: half of the time for a twentieth of the mutants.
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 10_000,
};
