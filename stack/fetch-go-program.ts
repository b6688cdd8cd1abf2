import { basename, join } from 'node:path';
import { findOnPath, runProgram } from '../platform/program.ts';
import { sha256OfFile } from '../platform/sha256.ts';
import { cachedServer } from './server-cache.ts';
import type { FetchOptions } from './server-cache.ts';
import { StackError } from './stack-error.ts';

/** A server that Go builds from a module. */
export interface GoProgram {
  /** Name of its cache entry, and the subject of progress messages. */
  readonly name: string;
  /** Its name in messages. */
  readonly title: string;
  readonly module: string;
  /** The module's folder with the program, which has the folder's name. */
  readonly package: string;
  /** Without the `v`. */
  readonly version: string;
  /** The module's checksum as Go writes it: `h1:…`. */
  readonly sum: string;
  /** SHA-256 of the executable, by the Go version and system that built it: `go1.26.8 linux/amd64`. */
  readonly binaries: Readonly<Record<string, string>>;
  /** The alternative when it cannot be built: the end of a sentence. */
  readonly otherwise: string;
}

/**
 * The pinned server, built by Go from its module. The module's checksum is compared with the pin, and Go checks its
 * dependencies against its checksum database. The build is reproducible; its checksum is verified where the Go version
 * and the system are known. Built once into the cache; returns the full path. Throws {@link StackError} without Go.
 */
export function fetchGoProgram(program: GoProgram, options: FetchOptions): Promise<string> {
  const { name, version } = program;
  const entry = { name, version, program: basename(program.package) };
  return cachedServer({ ...entry, make: (folder) => makeProgram(program, folder, options) }, options);
}

async function makeProgram(program: GoProgram, folder: string, options: FetchOptions): Promise<void> {
  const { name, title, module, version, otherwise } = program;
  const go = await findOnPath('go', options.env);
  if (go === null) {
    throw new StackError(`Go is needed to build ${title} and is not on PATH: install Go, ${otherwise}.`);
  }
  const env: NodeJS.ProcessEnv = {
    ...options.env,
    CGO_ENABLED: '0',
    GOAMD64: 'v1',
    GOBIN: folder,
    GOEXPERIMENT: '',
    GOFLAGS: '-buildvcs=false',
    GOTOOLCHAIN: 'local',
  };
  options.onProgress({ about: name, message: `building ${version} with Go, once: some minutes`, passing: false });
  await checkModule(program, go, env, options);

  const progress = watchBuild(name, options);
  const built = await runProgram(
    go,
    ['install', '-v', '-p', '2', '-trimpath', '-ldflags', '-s -w', `${module}/${program.package}@v${version}`],
    { cwd: folder, env, signal: options.signal, onLine: progress.line },
  ).finally(progress.stop);
  if (built.code !== 0) {
    throw new StackError(
      `${title} ${version} could not be built: ${lastWords(built.stderr)}. ` +
        `Check the connection and the version of Go and try again, ${otherwise}.`,
    );
  }
  await checkBinary(program, go, env, folder, options);
}

/** Downloads the module (not yet its dependencies) and refuses it when it is not the pinned one. */
async function checkModule(
  { title, module, version, sum, otherwise }: GoProgram,
  go: string,
  env: NodeJS.ProcessEnv,
  options: FetchOptions,
): Promise<void> {
  const result = await runProgram(go, ['mod', 'download', '-json', `${module}@v${version}`], {
    env,
    signal: options.signal,
  });
  const answer = result.stdout === '' ? {} : (JSON.parse(result.stdout) as { Sum?: string; Error?: string });
  if (answer.Sum === undefined) {
    throw new StackError(
      `The source of ${title} ${version} could not be downloaded: ${answer.Error ?? lastWords(result.stderr)}. ` +
        `Check the connection and try again, ${otherwise}.`,
    );
  }
  if (answer.Sum !== sum) {
    throw new StackError(`The source of ${title} ${version} has the checksum ${answer.Sum}, not the pinned ${sum}.`);
  }
}

async function checkBinary(
  program: GoProgram,
  go: string,
  env: NodeJS.ProcessEnv,
  folder: string,
  options: FetchOptions,
): Promise<void> {
  const { name, title, version, otherwise } = program;
  const { stdout } = await runProgram(go, ['version'], { env, signal: options.signal });
  const builder = stdout.trim().replace('go version ', '');
  const expected = program.binaries[builder];
  if (expected === undefined) {
    const message = `${version} built from the pinned source; no checksum is known for ${builder}`;
    options.onProgress({ about: name, message, passing: false });
    return;
  }
  const actual = await sha256OfFile(join(folder, basename(program.package)));
  if (actual !== expected) {
    throw new StackError(
      `${title} ${version} built by ${builder} has the checksum ${actual}, not the pinned ${expected}: ` +
        `use an unmodified Go, ${otherwise}.`,
    );
  }
  options.onProgress({ about: name, message: `${version} built, checksum verified`, passing: false });
}

/** Counts the lines of `go install -v`: one per downloaded module, then one per compiled package. */
function watchBuild(about: string, options: FetchOptions): { line: (line: string) => void; stop: () => void } {
  const started = Date.now();
  let modules = 0;
  let packages = 0;
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000);
    const message = `building: ${modules} modules downloaded, ${packages} packages compiled, ${seconds} s`;
    options.onProgress({ about, message, passing: true });
  }, 1000);
  return {
    line: (line) => {
      if (line.startsWith('go: downloading')) modules++;
      else if (!line.startsWith('go: ')) packages++;
    },
    stop: () => clearInterval(timer),
  };
}

function lastWords(stderr: string): string {
  return stderr.trim().split('\n').slice(-3).join('; ');
}
