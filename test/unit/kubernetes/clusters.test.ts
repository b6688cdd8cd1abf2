import { expect, test } from 'vitest';
import { createClusters } from '../../../activities/kubernetes/cluster.ts';
import { byContext, clustersOf, createAbsences } from '../../../activities/kubernetes/clusters.ts';
import { type Kubectl, kubectlFailure } from '../../../activities/kubernetes/kubectl.ts';

const REFUSED = 'The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?';

/** kubectl that ends as the test says. */
function kubectlThat(says: { stderr: string }): Kubectl {
  const run: Kubectl['run'] = () =>
    Promise.resolve({ code: says.stderr === '' ? 0 : 1, stdout: '{}', stderr: says.stderr });
  return {
    run,
    async inContext(context, args) {
      const { code, stdout, stderr } = await run(args);
      if (code !== 0) throw kubectlFailure(context, args[0] ?? '', stderr);
      return stdout;
    },
    async ask(context) {
      if (says.stderr !== '') throw kubectlFailure(context, 'get', says.stderr);
      return {};
    },
  };
}

test('what is done for each context comes back in the order of the objects', async () => {
  const given = [
    { context: 'us', n: 1 },
    { context: 'eu', n: 2 },
    { context: 'us', n: 3 },
  ];
  const asked: string[] = [];
  const results = await byContext(given, async (context, own) => {
    asked.push(`${context} ${own.length}`);
    return own.map(({ n }) => n * 10);
  });
  expect([results, asked]).toEqual([
    [10, 20, 30],
    ['us 2', 'eu 1'],
  ]);
});

test('a context that may not be used is never opened', () => {
  const clusters = clustersOf(createClusters(kubectlThat({ stderr: '' })), {
    problemOf: (context) => (context === 'eu' ? 'The worker does not let you.' : null),
  });
  expect(() => clusters.of('eu')).toThrow('The worker does not let you.');
  expect(clusters.of('us')).toBe(clusters.of('us'));
});

test('a context is away from the first refused connection until the next answer, whatever it says', async () => {
  let time = 0;
  const says = { stderr: '' };
  const absences = createAbsences(() => time);
  const kubectl = absences.noting(kubectlThat(says));
  const ask = (context: string): Promise<unknown> => kubectl.inContext(context, ['get']).catch(() => undefined);
  says.stderr = REFUSED;
  await ask('eu');
  time = 5_000;
  await ask('eu');
  expect([absences.of('eu'), absences.of('us')]).toEqual([5_000, 0]);
  says.stderr = '';
  await ask('us');
  expect(absences.of('eu')).toBe(5_000);
  await kubectl.ask('eu', { method: 'GET', path: '/version' });
  expect(absences.of('eu')).toBe(0);
  says.stderr = REFUSED;
  await kubectl.ask('eu', { method: 'GET', path: '/version' }).catch(() => undefined);
  time = 6_000;
  expect(absences.of('eu')).toBe(1_000);
  says.stderr = 'Error from server (Forbidden): configmaps is forbidden: no';
  await kubectl.run(['--context=eu', 'delete', '--raw', '/api']);
  time = 9_000;
  expect(absences.of('eu')).toBe(0);
  says.stderr = REFUSED;
  await kubectl.run(['--context=eu', 'delete', '--raw', '/api']);
  time = 10_000;
  expect(absences.of('eu')).toBe(1_000);
});
