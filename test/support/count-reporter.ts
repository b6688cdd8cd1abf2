import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import type { SerializedError } from 'vitest';

/** Prints `N passed, N failed` as the very last line, with `, N skipped` when a test was skipped. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    let passed = 0;
    let failed = errors.length;
    let skipped = 0;
    for (const m of modules) {
      let bad = 0;
      for (const t of m.children.allTests()) {
        const { state } = t.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') bad++;
        else skipped++;
      }
      // a file that failed to load, or whose hook failed, has no failed test of its own
      failed += bad === 0 && m.state() === 'failed' ? 1 : bad;
    }
    const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
    process.once('exit', () => writeSync(1, line));
  }
}
