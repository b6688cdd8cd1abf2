import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createClusters } from '../../../activities/kubernetes/cluster.ts';
import { createKubectl, type Kubectl } from '../../../activities/kubernetes/kubectl.ts';
import { conflictsIn } from '../../../domain/kubernetes/conflicts.ts';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';

const KINDS = { resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true }] };

/** The end of the message with which kubectl 1.33 refuses to take fields from others. */
const HELP = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
`;

describe('kubectl', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-kubectl-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A program in the place of kubectl. */
  function program(name: string, script: string): Kubectl {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    return createKubectl({ program: path, kubeconfig: null, env: { PATH: process.env['PATH'] } });
  }

  const settings: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'shop', uid: 'u' },
  };

  test('names all owners of many fields, which it prints before a text of help', async () => {
    const fields = Array.from({ length: 400 }, (_each, at) => ({ field: `.data.key${at}`, manager: 'helm' }));
    const list = fields.map(({ field }) => `- ${field}`).join('\n');
    const message = `error: Apply failed with 400 conflicts: conflicts with "helm" using v1:\n${list}\n${HELP}`;
    writeFileSync(join(folder, 'message'), message);
    const kubectl = program('conflicts', `cat '${join(folder, 'message')}' >&2; exit 1`);
    const failure = await createClusters(kubectl)('staging')
      .apply([settings])
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'DriftDetected' });
    expect(conflictsIn((failure as Error).message)).toEqual(fields);
  });

  test('limits the time of each request, also of those for a path', async () => {
    const calls = join(folder, 'calls');
    const kubectl = { ...program('paths', `echo "$@" >> '${calls}'`), ask: () => Promise.resolve(KINDS) };
    const cluster = createClusters(kubectl)('staging');
    await cluster.apply([settings]);
    expect(await cluster.remove(settings)).toBe(true);
    const made = readFileSync(calls, 'utf8').trim().split('\n');
    expect(made).toEqual([
      '--request-timeout=30s --context=staging apply --server-side --field-manager=longhaul -o name -f -',
      '--request-timeout=30s --context=staging delete --raw /api/v1/namespaces/shop/configmaps/settings -f -',
    ]);
  });

  test('is asked about before each command that writes, and about no other', async () => {
    const calls = join(folder, 'commands');
    const script = `echo "$3 $4" >> '${calls}'; echo '${JSON.stringify(settings)}'`;
    const ask: Kubectl['ask'] = (_context, { method, path }) => {
      if (method === 'POST') return Promise.resolve({ status: { allowed: true } });
      return Promise.resolve(path === '/api/v1' ? KINDS : { ...settings, metadata: settings.metadata, items: [] });
    };
    const kubectl = { ...program('writes', script), ask };
    const asked: string[] = [];
    let answer = (): Promise<void> => Promise.resolve();
    const beforeWrite = (): Promise<void> => {
      asked.push(existsSync(calls) ? (readFileSync(calls, 'utf8').trim().split('\n').at(-1) ?? '') : 'nothing');
      return answer();
    };
    const cluster = createClusters(kubectl)('staging', { beforeWrite });
    await cluster.read([settings]);
    await cluster.list('configmaps', 'shop', '');
    await cluster.preview(settings);
    await cluster.may([{ verb: 'get', resource: 'pods', namespace: 'shop' }]);
    expect(asked).toEqual([]);
    const writes = [
      () => cluster.apply([settings]),
      () => cluster.replace(settings),
      () => cluster.setOwners(settings, []),
      () => cluster.create(settings),
      () => cluster.remove(settings),
    ];
    for (const write of writes) await write();
    expect(asked).toEqual([
      'nothing',
      'apply --server-side',
      'replace --field-manager=longhaul',
      'replace --field-manager=longhaul',
      'create --field-manager=longhaul',
    ]);
    const made = readFileSync(calls, 'utf8');
    expect(made).toMatch(/delete --raw\n$/u);
    answer = () => Promise.reject(new Error('not any more'));
    for (const write of writes) await expect(write()).rejects.toThrow('not any more');
    expect(readFileSync(calls, 'utf8')).toBe(made);
  });
});
