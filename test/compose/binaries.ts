import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { cachedServer } from '../../stack/server-cache.ts';
import { findOnPath } from '../../platform/program.ts';
import type { Surroundings } from './surroundings.ts';
import { Unavailable } from './unavailable.ts';

interface GoPrograms {
  /** Name of the entry in the cache and of its first program. */
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** File name of each program, and its package in the module. */
  readonly programs: Readonly<Record<string, string>>;
  /** Further files of the module for the cache entry: their name there, and their path in the module. */
  readonly files?: Readonly<Record<string, string>>;
  readonly ldflags?: string;
}

/**
 * Docker Compose, for machines whose distribution has no version that supports our files. Returns the program's path.
 */
export function fetchCompose(surroundings: Surroundings): Promise<string> {
  const version = '2.40.3';
  const module = 'github.com/docker/compose/v2';
  return fetchPrograms(
    {
      name: 'docker-compose',
      module,
      version,
      programs: { 'docker-compose': './cmd' },
      ldflags: `-X ${module}/internal.Version=v${version}`,
    },
    surroundings,
  );
}

/** Folder with `temporal-server`, `temporal-sql-tool`, `schema` and `entrypoint.sh` of one version of Temporal. */
export async function fetchTemporalServer(version: string, surroundings: Surroundings): Promise<string> {
  const program = await fetchPrograms(
    {
      name: 'temporal-server',
      module: 'go.temporal.io/server',
      version,
      programs: { 'temporal-server': './cmd/server', 'temporal-sql-tool': './cmd/tools/sql' },
      files: { schema: 'schema', 'entrypoint.sh': 'docker/scripts/sh/entrypoint.sh' },
    },
    surroundings,
  );
  return path.dirname(program);
}

/** Folder with `temporal-ui-server`, `config.yaml` and `entrypoint.sh` of one version of Temporal's UI. */
export async function fetchTemporalUi(version: string, surroundings: Surroundings): Promise<string> {
  const program = await fetchPrograms(
    {
      name: 'temporal-ui-server',
      module: 'github.com/temporalio/ui-server/v2',
      version,
      programs: { 'temporal-ui-server': './cmd/server' },
      files: { 'config.yaml': 'config/docker.yaml', 'entrypoint.sh': 'docker/start-ui-server.sh' },
    },
    surroundings,
  );
  return path.dirname(program);
}

/** Builds with Go in the module from the proxy, checked by its own go.sum; once, then from the cache. */
function fetchPrograms(wanted: GoPrograms, { cacheFolder, say, signal }: Surroundings): Promise<string> {
  const { name, module, version, programs, files = {}, ldflags = '' } = wanted;
  return cachedServer(
    {
      name,
      version,
      program: name,
      async make(folder) {
        if ((await findOnPath('go', process.env)) === null) {
          throw new Unavailable(`Go is needed to build ${name} ${version} and is not on PATH`);
        }
        say(`building ${name} ${version} with Go, once: some minutes`);
        const how = { env: { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' }, cancelSignal: signal };
        const download = await execa('go', ['mod', 'download', '-json', `${module}@v${version}`], {
          ...how,
          cwd: folder,
        });
        const { Dir: source } = JSON.parse(download.stdout) as { Dir: string };
        for (const [program, main] of Object.entries(programs)) {
          const flags = ['-p', '2', '-trimpath', '-ldflags', `-s -w ${ldflags}`];
          await execa('go', ['build', ...flags, '-o', path.join(folder, program), main], { ...how, cwd: source });
        }
        for (const [file, place] of Object.entries(files)) {
          await cp(path.join(source, place), path.join(folder, file), { recursive: true });
        }
        await writeFile(path.join(folder, 'MODULE'), `${module}@v${version}\n`);
      },
    },
    { cacheDir: cacheFolder, env: process.env, onProgress: ({ message }) => say(message), signal },
  );
}
