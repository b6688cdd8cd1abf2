import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { loadConfig } from '../../../activities/shared/config.ts';
import { findOnPath, runProgram } from '../../../platform/program.ts';
import { cachedServer } from '../../../stack/server-cache.ts';

/** Timeout of the first test on a machine, which builds the cluster and kubectl. */
export const CLUSTER_BUILD_MS = 2_400_000;

/** The version of Kubernetes in the cluster's go.mod; its programs do not start without one. */
const KUBERNETES = { major: 1, minor: 33, version: 'v1.33.13' };
const SOURCES = fileURLToPath(new URL('./cluster/', import.meta.url));

/** The path of the cluster's program, which Go builds once into the user's cache for its sources and this Go. */
export function clusterProgram(): Promise<string> {
  return build('test-cluster', 'cluster', '.');
}

/**
 * The path of a kubectl that may be used with the cluster: the one on PATH unless its version differs by more than one,
 * which Kubernetes does not support; otherwise the cluster's own version, which Go builds once into the user's cache.
 */
export async function kubectlProgram(): Promise<string> {
  const found = await findOnPath('kubectl', process.env);
  if (found !== null) {
    const { stdout } = await execa(found, ['version', '--client', '--output=json'], { reject: false });
    const minor = /"minor": *"(\d+)/.exec(stdout)?.[1];
    if (minor !== undefined && Math.abs(Number(minor) - KUBERNETES.minor) <= 1) return found;
  }
  return build('kubectl', 'kubectl', 'k8s.io/kubernetes/cmd/kubectl');
}

async function build(name: string, program: string, source: string): Promise<string> {
  const env = { ...process.env, CGO_ENABLED: '0', GOAMD64: 'v1', GOFLAGS: '-buildvcs=false', GOTOOLCHAIN: 'local' };
  const go = await findOnPath('go', env);
  if (go === null) throw new Error('Go is needed to build the cluster of the tests and is not on PATH: install Go.');
  const make = async (folder: string): Promise<void> => {
    process.stderr.write(`${name}: building ${KUBERNETES.version} with Go, once: some minutes\n`);
    const built = await runProgram(go, [...buildArguments(), '-o', join(folder, program), source], {
      env,
      cwd: SOURCES,
    });
    if (built.code !== 0) throw new Error(`${name} could not be built in ${SOURCES}: ${built.stderr}`);
  };
  return cachedServer(
    { name, version: `${KUBERNETES.version}-${await digest(go, env)}`, program, make },
    {
      cacheDir: loadConfig({ env: process.env }).cacheDir,
      env: process.env,
      onProgress: ({ about, message, passing }) => void (passing || process.stderr.write(`${about}: ${message}\n`)),
    },
  );
}

function buildArguments(): string[] {
  const { major, minor, version } = KUBERNETES;
  const values = [`gitVersion=${version}`, `gitMajor=${major}`, `gitMinor=${minor}`, 'gitTreeState=clean'];
  const flags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((of) =>
    values.map((value) => `-X ${of}.${value}`),
  );
  // the build is long, the runs are short: nothing is optimized
  const compiler = 'all=-N -l -dwarf=false';
  return [
    'build',
    '-p',
    '2',
    '-mod=readonly',
    '-trimpath',
    '-gcflags',
    compiler,
    '-ldflags',
    `-s -w ${flags.join(' ')}`,
  ];
}

/** What decides what Go builds: the sources and the version of Go. */
async function digest(go: string, env: NodeJS.ProcessEnv): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await readdir(SOURCES)).sort()) hash.update(await readFile(join(SOURCES, file)));
  const { stdout } = await execa(go, ['version'], { env });
  return hash
    .update(`${stdout}${buildArguments().join(' ')}`)
    .digest('hex')
    .slice(0, 16);
}
