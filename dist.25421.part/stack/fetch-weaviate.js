import { basename, join } from 'node:path';
import pins from './pins.json' with { type: 'json' };
import { findOnPath, runProgram } from './program.js';
import { cachedServer, sha256 } from './server-cache.js';
import { StackError } from './stack-error.js';
/** The cache entry that {@link fetchWeaviate} makes. */
export const PINNED_WEAVIATE = {
    name: 'weaviate',
    version: pins.weaviate.version,
    program: basename(pins.weaviate.package),
};
const OTHERWISE = 'or put `weaviate` on PATH, or give the address of a server in WEAVIATE_URL';
const binaries = pins.weaviate.binaries;
/**
 * The pinned Weaviate server, built by Go from its module, whose checksum is compared with the pin here and whose
 * dependencies Go compares with its checksum database. The build is reproducible, and so is its checksum where the Go
 * version and the system are known. Made once into the cache; returns the full path. Throws {@link StackError} without Go.
 */
export function fetchWeaviate(options) {
    return cachedServer({ ...PINNED_WEAVIATE, make: (folder) => makeWeaviate(folder, options) }, options);
}
async function makeWeaviate(folder, options) {
    const go = await findOnPath('go', options.env);
    if (go === null) {
        throw new StackError(`Go is needed to build the Weaviate server and is not on PATH: install Go, ${OTHERWISE}.`);
    }
    const { module, version } = pins.weaviate;
    const env = {
        ...options.env,
        CGO_ENABLED: '0',
        GOAMD64: 'v1',
        GOBIN: folder,
        GOEXPERIMENT: '',
        GOFLAGS: '-buildvcs=false',
        GOTOOLCHAIN: 'local',
    };
    options.onProgress({ about: 'weaviate', message: `building ${version} with Go, once: some minutes`, passing: false });
    await checkModule(go, env, options);
    const stopTelling = tellBuild(options);
    const built = await runProgram(go, ['install', '-v', '-p', '2', '-trimpath', '-ldflags', '-s -w', `${module}/${pins.weaviate.package}@v${version}`], { cwd: folder, env, signal: options.signal, onLine: stopTelling.line }).finally(stopTelling.stop);
    if (built.code !== 0) {
        throw new StackError(`Weaviate ${version} could not be built: ${lastWords(built.stderr)}. ` +
            `Check the connection and the version of Go and try again, ${OTHERWISE}.`);
    }
    await checkBinary(go, env, folder, options);
}
/** Downloads the module (not yet its dependencies) and refuses it when it is not the pinned one. */
async function checkModule(go, env, options) {
    const { module, version, sum } = pins.weaviate;
    const result = await runProgram(go, ['mod', 'download', '-json', `${module}@v${version}`], {
        env,
        signal: options.signal,
    });
    const answer = result.stdout === '' ? {} : JSON.parse(result.stdout);
    if (answer.Sum === undefined) {
        throw new StackError(`The source of Weaviate ${version} could not be downloaded: ${answer.Error ?? lastWords(result.stderr)}. ` +
            `Check the connection and try again, ${OTHERWISE}.`);
    }
    if (answer.Sum !== sum) {
        throw new StackError(`The source of Weaviate ${version} has the checksum ${answer.Sum}, not the pinned ${sum}.`);
    }
}
async function checkBinary(go, env, folder, options) {
    const { stdout } = await runProgram(go, ['version'], { env, signal: options.signal });
    const builder = stdout.trim().replace('go version ', '');
    const expected = binaries[builder];
    if (expected === undefined) {
        const message = `${pins.weaviate.version} built from the pinned source; no checksum is known for ${builder}`;
        options.onProgress({ about: 'weaviate', message, passing: false });
        return;
    }
    const actual = await sha256(join(folder, PINNED_WEAVIATE.program));
    if (actual !== expected) {
        throw new StackError(`Weaviate ${pins.weaviate.version} built by ${builder} has the checksum ${actual}, not the pinned ${expected}: ` +
            `use an unmodified Go, ${OTHERWISE}.`);
    }
    options.onProgress({ about: 'weaviate', message: `${pins.weaviate.version} built, checksum right`, passing: false });
}
/** Counts what `go install -v` says: a line per downloaded module, then a line per compiled package. */
function tellBuild(options) {
    const started = Date.now();
    let modules = 0;
    let packages = 0;
    const timer = setInterval(() => {
        const seconds = Math.round((Date.now() - started) / 1000);
        const message = `building: ${modules} modules downloaded, ${packages} packages compiled, ${seconds} s`;
        options.onProgress({ about: 'weaviate', message, passing: true });
    }, 1000);
    return {
        line: (line) => {
            if (line.startsWith('go: downloading'))
                modules++;
            else if (!line.startsWith('go: '))
                packages++;
        },
        stop: () => clearInterval(timer),
    };
}
function lastWords(stderr) {
    return stderr.trim().split('\n').slice(-3).join('; ');
}
//# sourceMappingURL=fetch-weaviate.js.map