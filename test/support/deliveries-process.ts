import { createHmac, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * `node deliveries-process.ts URL SECRET COUNT PER_SECOND REPOSITORY…`: sends signed pushes at a steady rate,
 * regardless of the answers, alternating between the repositories, and prints the number of answers with 202 and the
 * milliseconds that each answer took. A separate process, so that the times do not include work of the test.
 */
const [url = '', secret = '', count, perSecond, ...repositories] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });

function deliver(name: string): Promise<{ status: number; ms: number }> {
  const [login, repository] = name.split('/');
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    repository: { name: repository, owner: { login }, default_branch: 'main' },
  });
  const sent = performance.now();
  return new Promise((resolve, reject) => {
    request(
      `${url}/webhooks/github`,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'x-github-event': 'push',
          'x-github-delivery': randomUUID(),
          'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
        },
      },
      (answer) => {
        answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, ms: performance.now() - sent }));
      },
    )
      .on('error', reject)
      .end(body);
  });
}

const answers: Promise<{ status: number; ms: number }>[] = [];
const begin = performance.now();
for (let n = 0; n < Number(count); n++) {
  await sleep(Math.max(0, begin + (n * 1_000) / Number(perSecond) - performance.now()));
  answers.push(deliver(repositories[n % repositories.length] ?? ''));
}
const answered = await Promise.all(answers);
const accepted = answered.filter(({ status }) => status === 202).length;
const took = answered.map(({ ms }) => ms).sort((a, b) => a - b);
process.stdout.write(JSON.stringify({ accepted, took, seconds: (performance.now() - begin) / 1_000 }));
agent.destroy();
