import { execa } from 'execa';
import { expect, test } from 'vitest';

test('a log line is one JSON object with its time, its level as a word, and no secret', async () => {
  const token = `ghp_${'a1'.repeat(18)}`;
  const program = `
    import { createLogger } from ${JSON.stringify(new URL('../../../activities/shared/logger.ts', import.meta.url).href)};
    import { temporalLogger } from ${JSON.stringify(new URL('../../../workers/logger.ts', import.meta.url).href)};
    const logger = createLogger({});
    const error = Object.assign(new Error('refused: \\u001b[31m${token}\\u001b[0m'), { cmd: 'git -c http.x=${token}' });
    temporalLogger(logger).error('sync_repo_failed', { event: 'sync_repo_failed', repo: 'acme/api', error: 'git fetch of https://me:sesame@host/x failed' });
    logger.warn({ err: error, token: 'sesame', nested: { deep: [JSON.stringify({ token: '${token}' })] } }, 'about ${token}');
  `;
  const { stderr, stdout } = await execa(process.execPath, ['--input-type=module', '-e', program]);
  const [failed, warned, ...more] = stderr.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect({ more, stdout }).toEqual({ more: [], stdout: '' });
  expect(failed).toEqual({
    level: 'error',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    event: 'sync_repo_failed',
    repo: 'acme/api',
    error: 'git fetch of https://[redacted]@host/x failed',
    message: 'sync_repo_failed',
  });
  expect(warned).toMatchObject({ level: 'warn', message: 'about [redacted]', token: '[Redacted]' });
  expect(stderr).not.toMatch(new RegExp(`${token}|sesame`));
});
