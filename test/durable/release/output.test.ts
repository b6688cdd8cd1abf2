import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import type { MeasuredJob } from '../../support/release/measured-job.ts';

const TOKEN = 'correct horse/battery+staple';
const BYTES = 200_000_000;
const MOST_GROWN = 64 * 1_024 * 1_024;

/** Runs the job `big` in a process of its own. */
async function measured(jobs: string): Promise<MeasuredJob> {
  const child = fork(fileURLToPath(new URL('../../support/release/measured-job.ts', import.meta.url)), [jobs], {
    env: { PATH: process.env['PATH'], TOKEN_OF_CI: TOKEN },
    execArgv: [],
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    if (child.connected) child.send('close');
    await ended;
  });
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [MeasuredJob | number | null];
  if (answer === null || typeof answer === 'number') throw new Error(`The process of the job ended with ${answer}.`);
  return answer;
}

test('a job that prints 200 MB with secrets: memory stays flat, and the log has what the job saw itself print', async () => {
  const { result, log, idle, most } = await measured(`
  idle:
    secrets: [TOKEN]
    steps: [{name: quiet, command: 'true'}]
  big:
    secrets: [TOKEN]
    outputs: [SUM, LINES]
    steps:
      - name: print
        command: |
          print() { seq 1 1000000000 | sed "s|00\\$|& the token is $TOKEN, and goes on|" | head -c ${BYTES} || true; }
          print
          hidden() { print | sed "s|$TOKEN|[redacted]|g"; }
          echo "SUM=$(hidden | sha256sum | cut -d ' ' -f 1)" >>"$LONGHAUL_OUTPUT"
          echo "LINES=$(hidden | grep -cF '[redacted]')" >>"$LONGHAUL_OUTPUT"
`);
  expect(result).toMatchObject({ status: 'passed', problem: null, sandbox: 'bubblewrap' });
  const shell = async (script: string): Promise<string> =>
    (await execa('bash', ['-o', 'pipefail', '-c', script], { env: { LOG: log, TOKEN } })).stdout.trim();
  // the first line is Longhaul's own
  expect(await shell('head -n 1 "$LOG"')).toBe('== print ==');
  expect(await shell('tail -n +2 "$LOG" | sha256sum | cut -d " " -f 1')).toBe(result.outputs['SUM']);
  expect(await shell('sha256sum <"$LOG" | cut -d " " -f 1')).toBe(result.log.digest);
  const lines = Number(result.outputs['LINES']);
  expect(lines).toBeGreaterThan(100_000);
  expect(await shell('grep -acF "[redacted]" "$LOG"')).toBe(String(lines));
  expect(await shell('grep -acF -e "$TOKEN" -e "${TOKEN:0:14}" -e "${TOKEN:14}" "$LOG" || test $? = 1')).toBe('0');
  expect(result.log.size).toBeGreaterThan(BYTES - lines * TOKEN.length);
  process.stderr.write(
    `the worker grew by ${((most - idle) / 1_048_576).toFixed(1)} MiB from ${(idle / 1_048_576).toFixed(0)}\n`,
  );
  expect(most - idle).toBeLessThanOrEqual(MOST_GROWN);
});
