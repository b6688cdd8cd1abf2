import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { LonghaulError } from '../domain/shared/failures.ts';
import type { DeployScene } from './deploy.ts';
import { nodeToolchain, PROVIDER } from './release.ts';
import type { ReleaseScene } from './release.ts';

/** The output of `--help`. */
export const USAGE = `npm start [-- options]

Without options: creates a fleet of real repositories, indexes it, advances it, syncs the index, and searches it.

  --release       releases a version of a real npm package instead: its contract, a proof of each change, the promotion
  --deploy        deploys releases to a Kubernetes cluster on loopback instead: one that stays, one that is undone, and one
                  whose worker is killed in the middle
  --root DIR      your own repositories instead: a folder that holds org/repo or org/project/repo
  --pattern P     your own repositories instead: those of your longhaul.yaml that match, e.g. "org/*"; may be repeated
  --config FILE   that longhaul.yaml (default: LONGHAUL_CONFIG, or longhaul.yaml in this folder)
  --search TEXT   what to search for at the end
  --data DIR      folder for the servers' state (default: .longhaul in this checkout, or the one in longhaul.yaml)
  --once          stop everything and exit after the table`;

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));
const EVERYTHING = '*/*/*';
const NOTHING = { fleet: null, release: null, deploy: null } as const;
const DEMO_QUERY = 'run a command and capture its output';
const OWN_QUERY = 'read the configuration file';

/** The settings of a demo run. */
export interface Scene {
  /** The configuration file. */
  readonly config: string;
  /** The servers' data folder; undefined: the one that the configuration names. */
  readonly dataDir: string | undefined;
  readonly patterns: readonly string[];
  /** The search query at the end. */
  readonly query: string;
  /** Stop everything after the table. */
  readonly once: boolean;
  /** The demo fleet's folders; null when the repositories are the user's own. */
  readonly fleet: { readonly root: string; readonly cacheDir: string } | null;
  /** The folders of a release that is shown; null when an index is. */
  readonly release: ReleaseScene | null;
  /** The folders of deployments that are shown; null when nothing is deployed. */
  readonly deploy: DeployScene | null;
}

/** Parses the command line and writes the configuration for it. Null for `--help`. Throws `InvalidInput`. */
export async function readScene(argv: readonly string[]): Promise<Scene | null> {
  const { help, once = false, pattern, root, config, data, search, release, deploy } = readOptions(argv);
  if (help === true) return null;
  if (release === true || deploy === true) {
    const name = deploy === true ? 'deploy' : 'release';
    if ((pattern ?? root ?? config ?? search) !== undefined || (release === true && deploy === true))
      throw new LonghaulError(
        'InvalidInput',
        `--${name} has a repository of its own: give it alone, or with --data and --once.`,
      );
    const dataDir = resolve(data ?? join(CHECKOUT, '.longhaul', name));
    return deploy === true ? deployScene(dataDir, once) : releaseScene(dataDir, once);
  }
  if (pattern !== undefined) {
    if (root !== undefined) throw new LonghaulError('InvalidInput', 'Give --root or --pattern, not both.');
    const file = resolve(config ?? process.env['LONGHAUL_CONFIG'] ?? 'longhaul.yaml');
    await mustExist(file, '--pattern lists the providers of a longhaul.yaml. Write one, or name it with --config');
    const dataDir = data === undefined ? undefined : resolve(data);
    return { config: file, dataDir, patterns: pattern, query: search ?? OWN_QUERY, once, ...NOTHING };
  }
  if (config !== undefined) throw new LonghaulError('InvalidInput', '--config requires --pattern.');

  if (root !== undefined) await mustExist(resolve(root), '--root must be the folder that holds your repositories');
  const dataDir = resolve(data ?? join(CHECKOUT, '.longhaul', root === undefined ? 'demo' : 'own'));
  await makeFolder(dataDir);
  const scene = { dataDir, patterns: [EVERYTHING], once, ...NOTHING };
  if (root !== undefined) {
    const file = await writeConfig(dataDir, { name: 'local', type: 'local', root: resolve(root) });
    return { ...scene, config: file, query: search ?? OWN_QUERY };
  }
  const fleet = { root: join(dataDir, 'fleet'), cacheDir: join(dataDir, 'packages') };
  await mkdir(fleet.root, { recursive: true });
  const file = await writeConfig(dataDir, { name: 'demo', type: 'local', root: fleet.root });
  return { ...scene, config: file, query: search ?? DEMO_QUERY, fleet };
}

/** Makes the folder for the servers' state. */
async function makeFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (cause) {
    const { message } = cause as Error;
    throw new LonghaulError('InvalidInput', `No folder can be made (${message}): name another one with --data.`, {
      cause,
    });
  }
}

async function releaseScene(dataDir: string, once: boolean): Promise<Scene> {
  const folder = (name: string): string => join(dataDir, name);
  const release = {
    remotes: folder('remotes'),
    clones: folder('clones'),
    published: folder('published'),
    cacheDir: folder('packages'),
  };
  await makeFolder(dataDir);
  await mkdir(release.remotes, { recursive: true });
  const provider = { name: PROVIDER, type: 'local', root: release.remotes } as const;
  const config = await writeConfig(dataDir, provider, { pipelines: { toolchains: await nodeToolchain() } });
  return { config, dataDir, patterns: [], query: '', once, ...NOTHING, release };
}

async function deployScene(dataDir: string, once: boolean): Promise<Scene> {
  const file = (name: string): string => join(dataDir, name);
  const deploy = {
    remotes: file('remotes'),
    clones: file('clones'),
    cluster: file('cluster'),
    kubeconfig: file('kubeconfig'),
    key: file('deploy.key'),
    log: file('deploy-worker.log'),
  };
  await makeFolder(dataDir);
  await mkdir(deploy.remotes, { recursive: true });
  const config = await writeConfig(dataDir, { name: PROVIDER, type: 'local', root: deploy.remotes });
  return { config, dataDir, patterns: [], query: '', once, ...NOTHING, deploy };
}

function readOptions(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean' },
        release: { type: 'boolean' },
        deploy: { type: 'boolean' },
        root: { type: 'string' },
        pattern: { type: 'string', multiple: true },
        config: { type: 'string' },
        data: { type: 'string' },
        search: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (cause) {
    throw new LonghaulError('InvalidInput', `${cause instanceof Error ? cause.message : String(cause)}\n\n${USAGE}`, {
      cause,
    });
  }
}

async function writeConfig(
  base: string,
  provider: { name: string; type: 'local'; root: string },
  more: object = {},
): Promise<string> {
  const file = join(base, 'longhaul.yaml');
  await writeFile(
    `${file}.new`,
    `# Written by npm start.\n${stringify({ providers: [provider], dataDir: base, ...more })}`,
  );
  await rename(`${file}.new`, file);
  return file;
}

async function mustExist(path: string, otherwise: string): Promise<void> {
  await stat(path).catch((cause: unknown) => {
    throw new LonghaulError('InvalidInput', `${otherwise}: ${path} does not exist.`, { cause });
  });
}
