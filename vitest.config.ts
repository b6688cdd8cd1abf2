import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Shares one stack of real servers; every process has a namespace of its own there. */
const real = {
  globalSetup: ['test/support/global-setup.ts'],
  isolate: false,
  // for what hangs: others run beside it
  testTimeout: 300_000,
  hookTimeout: 300_000,
} satisfies TestProjectInlineConfiguration['test'];

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    pool: 'forks',
    // what a file waits for costs no processor: one more than there are
    maxWorkers: availableParallelism() + 1,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      { extends: true, test: { ...real, name: 'real', include: ['test/real/**/*.test.ts'] } },
      { extends: true, test: { ...real, name: 'durable', include: ['test/durable/**/*.test.ts'] } },
      { extends: true, test: { name: 'compose', include: ['test/compose/**/*.test.ts'] } },
      // what measures time has the machine to itself, after all others
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/alone/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 30_000,
        },
      },
      ...(process.env['RECORD_HISTORIES']
        ? [{ extends: true as const, test: { ...real, name: 'record', include: ['test/record/**/*.test.ts'] } }]
        : []),
    ],
  },
});
