import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BalancedSequencer } from './test/support/balanced-sequencer.ts';

/** All files share one stack of real servers; each process has its own namespace in it. */
const real = {
  globalSetup: ['test/support/global-setup.ts'],
  isolate: false,
  // against tests that hang: other files run in parallel
  testTimeout: 300_000,
  hookTimeout: 300_000,
} satisfies TestProjectInlineConfiguration['test'];

/** What each project is for: docs/testing.md. */
export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    pool: 'forks',
    sequence: { sequencer: BalancedSequencer },
    // files that wait for servers need no processor: two more workers than processors
    maxWorkers: availableParallelism() + 2,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        // a process of its own for each file would load the same modules a hundred times
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          isolate: false,
          // as above: the 10 seconds that a hook has by default are too few on a busy machine
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { extends: true, test: { ...real, name: 'real', include: ['test/real/**/*.test.ts'] } },
      { extends: true, test: { ...real, name: 'durable', include: ['test/durable/**/*.test.ts'] } },
      { extends: true, test: { name: 'compose', include: ['test/compose/**/*.test.ts'] } },
      ...(process.env['RECORD_HISTORIES']
        ? [{ extends: true as const, test: { ...real, name: 'record', include: ['test/record/**/*.test.ts'] } }]
        : []),
    ],
  },
});
