import { join } from 'node:path';
import pLimit from 'p-limit';
import { matchesAny, parsePattern } from '../../domain/catalog/pattern.js';
import { LonghaulError } from '../../domain/failures.js';
import { parseRemote } from './clone-url.js';
import { createContentSpool } from './content-spool.js';
import { differentiate } from './differential.js';
import { createGit } from './git.js';
import { createGithubProvider } from './providers/github.js';
import { createLocalProvider } from './providers/local.js';
import { createMgitProvider } from './providers/mgit.js';
import { findSnapshot } from './snapshot.js';
import { resolveHead } from './open-source.js';
export { diffLines } from './diff-lines.js';
/** Opens mgit. Nothing is touched before it is used. */
export function createMgit(options) {
    const { cacheDir, maxFileBytes, env = process.env } = options;
    const git = createGit(cacheDir, env);
    const providers = options.providers.map((config) => createProvider(config, env));
    const names = providers.map(({ name }) => name);
    const tools = { git, cacheDir, maxFileBytes };
    function access({ id, cloneUrl }, signal) {
        const provider = providers.find(({ name }) => id.startsWith(`${name}/`));
        return {
            id,
            remote: parseRemote(cloneUrl),
            credentials: () => provider?.credentials() ?? Promise.resolve([]),
            signal,
        };
    }
    return {
        async list(texts, { signal } = {}) {
            const patterns = texts.map((text) => parsePattern(text, names));
            const found = await Promise.all(providers.map(async (provider) => {
                const own = patterns.filter(({ provider: name }) => name === null || name === provider.name.toLowerCase());
                return own.length === 0 ? [] : provider.list(own, signal);
            }));
            const matching = found.flat().filter(({ id }) => matchesAny(patterns, id));
            const unique = new Map(matching.map((repository) => [repository.id, repository]));
            return [...unique.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
        },
        async find(id, { signal } = {}) {
            const [name, organization = '', ...rest] = id.split('/');
            const provider = providers.find((candidate) => candidate.name === name);
            if (provider === undefined) {
                throw new LonghaulError('RepositoryNotFound', `No provider ${name} is configured, so ${id} cannot be found.`);
            }
            const [project, repository] = rest.length === 2 ? rest : [null, rest.join('/')];
            const found = await provider.find({ organization, project: project ?? null, repository: repository ?? '' }, signal);
            if (found === null)
                throw new LonghaulError('RepositoryNotFound', `Provider ${name} has no repository ${id}.`);
            return found;
        },
        async heads(repositories, { concurrency = 16, signal } = {}) {
            const limit = pLimit(concurrency);
            const heads = await limit.map(repositories, async (repository) => {
                signal?.throwIfAborted();
                try {
                    return [repository.id, await resolveHead(git, access(repository, signal))];
                }
                catch (error) {
                    if (error instanceof LonghaulError)
                        return [repository.id, error];
                    throw error;
                }
            });
            return new Map(heads);
        },
        diff: async (repository, since, { signal, ...rest } = {}) => differentiate(tools, access(repository, signal), since, rest),
        snapshot: async (repository, commit, { signal } = {}) => findSnapshot(git, cacheDir, access(repository, signal), commit),
        spool: createContentSpool(join(cacheDir, 'spool')),
    };
}
function createProvider(config, env) {
    switch (config.type) {
        case 'github':
            return createGithubProvider(config, env);
        case 'local':
            return createLocalProvider(config);
        case 'mgit':
            return createMgitProvider(config, env);
    }
}
//# sourceMappingURL=index.js.map