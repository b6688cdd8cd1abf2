import { writeSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestModule } from 'vitest/node';
import type { SerializedError } from 'vitest';

/** Longest line about a failure, in characters. */
const LINE = 300;

/**
 * Prints `N passed, N failed` as the very last line, with `, N skipped` when a test was skipped. Before it is a line for
 * each failure, `FAILED <file> > <test>: <error>`, because logs of a CI are often cut at the front.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    let passed = 0;
    let skipped = 0;
    const failures = errors.map((error) => line('outside of tests', [error]));
    for (const m of modules) {
      const bad: string[] = [];
      for (const t of m.children.allTests()) {
        const { state, errors: found } = t.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') bad.push(line(`${m.relativeModuleId} > ${t.fullName}`, found));
        else skipped++;
      }
      // a file that failed to load, or whose hook failed, has no failed test of its own
      if (bad.length === 0 && m.state() === 'failed') {
        const hooks = [...m.children.allSuites()].flatMap((suite) => suite.errors());
        bad.push(line(m.relativeModuleId, [...m.errors(), ...hooks]));
      }
      failures.push(...bad);
    }
    const count = `${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
    process.once('exit', () => writeSync(1, failures.join('') + count));
  }
}

function line(where: string, [error]: readonly { readonly message: string }[] = []): string {
  const first = stripVTControlCharacters(error?.message ?? 'no error').split('\n', 1)[0] ?? '';
  return `FAILED ${where}: ${first}`.slice(0, LINE) + '\n';
}
