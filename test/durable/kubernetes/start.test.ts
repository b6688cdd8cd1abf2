import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BIN } from '../../support/command.ts';
import { CLUSTER_BUILD_MS, clusterProgram } from '../../support/kubernetes/programs.ts';

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

let data: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'longhaul-start-'));
  await clusterProgram();
}, CLUSTER_BUILD_MS);

afterAll(() => rm(data, { recursive: true, force: true }));

test(
  'npm start -- --deploy --once deploys, undoes, and survives the death of its worker; it stops what it started',
  { timeout: 600_000 },
  async () => {
    const args = ['start', '--', '--deploy', '--once', '--data', data];
    const { exitCode, stdout, stderr } = await execa('npm', args, { cwd: PROJECT, reject: false, stdin: 'ignore' });
    expect(stderr).not.toContain('NOT HELD');
    expect(exitCode, stdout.slice(-2_000) + stderr.slice(-2_000)).toBe(0);
    expect(stdout.match(/^held: /gm)).toHaveLength(3);
    expect(stdout).toMatch(/^\$ kill -9 \d+\n\$ longhaul worker --roles deploy$/m);
    const env = { LONGHAUL_CONFIG: join(data, 'longhaul.yaml'), LONGHAUL_DATA_DIR: data };
    const status = await execa(process.execPath, [BIN, 'status', '--json'], { env, reject: false });
    expect(JSON.parse(status.stdout)).toMatchObject({ status: 'stopped', cleared: [] });
    // neither the cluster nor a worker of deployments is left
    const { stdout: running } = await execa('ps', ['-eo', 'args']);
    expect(running.split('\n').filter((line) => line.includes(data))).toEqual([]);
  },
);
