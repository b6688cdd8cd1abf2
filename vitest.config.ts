import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Shares one stack of real servers; the queues are the product's own, so one file runs at a time. */
const real = {
  globalSetup: ['test/support/global-setup.ts'],
  isolate: false,
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
} satisfies TestProjectInlineConfiguration['test'];

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    pool: 'forks',
    expect: { poll: { timeout: 60_000 } },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      { extends: true, test: { ...real, name: 'real', include: ['test/real/**/*.test.ts'] } },
      { extends: true, test: { name: 'compose', include: ['test/compose/**/*.test.ts'] } },
      ...(process.env['RECORD_HISTORIES']
        ? [{ extends: true as const, test: { ...real, name: 'record', include: ['test/record/**/*.test.ts'] } }]
        : []),
    ],
  },
});
