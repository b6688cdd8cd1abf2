import { expect, test } from 'vitest';
import { longhaul } from '../support/command.ts';

test('longhaul helps at once', async () => {
  const env = { PATH: process.env['PATH'] ?? '' };
  let fastest = Infinity;
  // again as long as it is slow: the machine may have other work
  for (let run = 0; run < 20 && fastest >= 300; run++) {
    const started = performance.now();
    const { exitCode, stdout } = await longhaul(env, ['--help']);
    fastest = Math.min(fastest, performance.now() - started);
    expect({ exitCode, lists: stdout.includes('search') }).toEqual({ exitCode: 0, lists: true });
  }
  expect(fastest).toBeLessThan(300);
});
