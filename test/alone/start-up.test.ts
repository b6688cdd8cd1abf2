import { expect, test } from 'vitest';
import { longhaul } from '../support/command.ts';

test('longhaul helps at once', async () => {
  const env = { PATH: process.env['PATH'] ?? '' };
  await longhaul(env, ['--help']);
  const times: number[] = [];
  for (let run = 0; run < 5; run++) {
    const started = performance.now();
    const { exitCode, stdout } = await longhaul(env, ['--help']);
    times.push(performance.now() - started);
    expect({ exitCode, lists: stdout.includes('search') }).toEqual({ exitCode: 0, lists: true });
  }
  expect(Math.min(...times)).toBeLessThan(300);
});
