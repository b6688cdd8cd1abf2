import { declaredFor } from '../../domain/catalog/attributes.js';
import { skipByContent } from '../../domain/catalog/skip.js';
import { LonghaulError } from '../../domain/failures.js';
import { openObjectReader } from './cat-file.js';
import { compareCommits, compareTrees, emptyTree, formatOf, hasCommit, isNullOid, listCommit, } from './diff.js';
import { skipByConvention } from './linguist.js';
import { resolveHead, withSource } from './open-source.js';
import { findAttributes, isAttributesFile, readAttributes } from './tree-attributes.js';
/** Finds out what changed; reads no content yet. */
export async function differentiate(tools, access, since, { target, full }) {
    const { git, cacheDir } = tools;
    if (target) {
        const found = await towards(tools, access, since, target, full ?? null);
        if (found)
            return found;
    }
    const reason = full ?? (target ? 'interrupted-run' : null);
    const head = await resolveHead(git, access);
    if (since !== null && reason === null && head.commit === since.commit)
        return unchanged(since, head.branch);
    return withSource(git, cacheDir, access, formatFor(head, since), async (source) => {
        if (!isNullOid(head.commit))
            await source.fetchHead(head.commit);
        return between(tools, access, source, since, head, reason);
    });
}
/** The differential to exactly `target`; null when its commit cannot be had any more. */
async function towards(tools, access, since, target, full) {
    if (since !== null && full === null && target.commit === since.commit)
        return unchanged(since, target.branch);
    if (formatOf(target.commit) === null)
        return null;
    return withSource(tools.git, tools.cacheDir, access, formatFor(target, since), async (source) => {
        const held = isNullOid(target.commit) ||
            (await hasCommit(tools.git, source.store, target.commit, aboutOf(access))) ||
            (await source.fetchCommit(target.commit));
        return held ? between(tools, access, source, since, target, full) : null;
    });
}
async function between(tools, access, source, since, goal, asked) {
    let full = asked ?? (since === null ? 'first-sync' : null);
    if (since !== null && full === null) {
        const found = await compare(tools.git, access, source, since, goal);
        if (found === null)
            full = 'receipt-tree-gone';
        else if (found.entries.some(touchesAttributes))
            full = 'attributes-changed';
        else
            return differential(tools, access, source, { ...found, from: snapshotOf(since), goal, full: null });
    }
    const { store } = source;
    const found = isNullOid(goal.commit)
        ? { tree: emptyTree(store.format), timestamp: null, entries: [] }
        : await listCommit(tools.git, store, goal.commit, aboutOf(access));
    return differential(tools, access, source, { ...found, from: null, goal, full });
}
/** Null when what `since` held cannot be had any more. */
async function compare(git, access, source, since, goal) {
    const about = aboutOf(access);
    const { store } = source;
    const nothing = emptyTree(store.format);
    if (formatOf(since.commit) !== store.format)
        return null;
    if (isNullOid(since.commit)) {
        if (isNullOid(goal.commit))
            return { tree: nothing, timestamp: null, entries: [] };
        return listCommit(git, store, goal.commit, about);
    }
    const attempt = async () => isNullOid(goal.commit)
        ? { tree: nothing, timestamp: null, entries: await compareTrees(git, store, since.commit, nothing, about) }
        : compareCommits(git, store, since.commit, goal.commit, about);
    try {
        return await attempt();
    }
    catch (error) {
        access.signal?.throwIfAborted();
        if (await hasCommit(git, store, since.commit, about))
            throw error;
        return (await source.fetchCommit(since.commit)) ? attempt() : null;
    }
}
function differential(tools, access, source, found) {
    const { entries, from, full, goal, tree, timestamp } = found;
    return {
        from,
        to: { commit: goal.commit, tree, branch: goal.branch, timestamp },
        full,
        files: entries.length,
        changes: () => readChanges(tools, access, source, { tree, entries, isListing: full !== null }),
        readOld: (oids) => readOld(tools, access, source, oids),
    };
}
function unchanged(since, branch) {
    const from = snapshotOf(since);
    return {
        from,
        to: { ...from, branch },
        full: null,
        files: 0,
        async *changes() { },
        async *readOld() { },
    };
}
async function* readChanges(tools, access, source, { tree, entries, isListing }) {
    if (entries.length === 0)
        return;
    const { git, maxFileBytes } = tools;
    const reader = await openObjectReader(git, source.store, aboutOf(access));
    try {
        const found = isListing ? listedAttributes(entries) : await findAttributes(reader, tree, pathsOf(entries));
        await fetchMissing(access, source, reader, found.values());
        const attributes = await readAttributes(reader, found);
        const skips = entries.map(({ status, mode, file }) => (status === 'D' ? null : skipEntry(file, mode, attributes)));
        const wanted = entries.filter(({ status }, at) => status !== 'D' && skips[at] === null).map(({ oid }) => oid);
        await fetchMissing(access, source, reader, wanted);
        const contents = reader.read(wanted, maxFileBytes);
        for (const [at, entry] of entries.entries()) {
            const skip = skips[at] ?? null;
            const object = entry.status === 'D' || skip !== null ? null : await nextObject(contents, access, source, entry);
            yield changeOf(entry, object, skip, attributes);
        }
    }
    finally {
        reader.close();
    }
}
async function nextObject(contents, { id }, source, { oid, file }) {
    const { value } = await contents.next();
    if (value && value.type !== null)
        return value;
    await source.discard();
    throw new LonghaulError('GitFailed', `${id} does not have the content ${oid} of ${file.path}: the repository is incomplete.`);
}
async function* readOld({ git, maxFileBytes }, access, source, oids) {
    const unique = [...new Set(oids)];
    if (unique.length === 0)
        return;
    const reader = await openObjectReader(git, source.store, aboutOf(access));
    try {
        const missing = await reader.missing(unique);
        if (missing.length > 0)
            await source.fetchBlobs(missing);
        for await (const { oid, content } of reader.read(unique, maxFileBytes))
            yield { oid, content };
    }
    finally {
        reader.close();
    }
}
/** Fetches what is not there, with one request, and never one by one while reading. */
async function fetchMissing({ id, remote }, source, reader, oids) {
    if (remote.path !== null)
        return;
    const unique = [...new Set(oids)];
    const missing = source.isBlank ? unique : await reader.missing(unique);
    if (missing.length === 0 || (await source.fetchBlobs(missing)))
        return;
    throw new LonghaulError('GitFailed', `The remote of ${id} does not give the files of its own HEAD: try again.`);
}
function changeOf(entry, object, declaredSkip, attributes) {
    const { status, file, oid, mode } = entry;
    const old = status === 'A' ? {} : { old: oldFile(entry, attributes) };
    if (status === 'D')
        return { op: 'delete', ...file, ...old };
    const skip = declaredSkip ?? skipObject(file, object, attributes);
    const blob = { oid, mode };
    const content = skip === null ? (object?.content ?? null) : null;
    const op = status === 'A' ? 'add' : status === 'R' ? 'rename' : 'modify';
    return { op, ...file, blob, ...old, size: object?.size ?? 0, content, ...(skip === null ? {} : { skip }) };
}
function oldFile({ file, oldFile: moved, oldOid, oldMode }, attributes) {
    const path = moved ?? file;
    const skip = skipEntry(path, oldMode, attributes);
    return { ...path, oid: oldOid, mode: oldMode, ...(skip === null ? {} : { skip }) };
}
function skipObject({ path }, object, attributes) {
    if (!object?.content)
        return 'too-large';
    return skipByContent(path, object.content, declaredFor(path, attributes));
}
function skipEntry({ path }, mode, attributes) {
    if (mode === '160000')
        return 'submodule';
    if (mode === '120000')
        return 'symlink';
    return skipByConvention(path, declaredFor(path, attributes));
}
function listedAttributes(entries) {
    const files = entries.filter(({ file, mode }) => isAttributesFile(file.path) && mode.startsWith('100'));
    return new Map(files.map(({ file: { path }, oid }) => [path.slice(0, Math.max(path.lastIndexOf('/'), 0)), oid]));
}
function touchesAttributes({ file, oldFile: moved }) {
    return isAttributesFile(file.path) || (moved !== null && isAttributesFile(moved.path));
}
function* pathsOf(entries) {
    for (const { file, oldFile: moved } of entries) {
        yield file.path;
        if (moved)
            yield moved.path;
    }
}
/** A repository without a commit does not say how it names objects: what was there before does. */
function formatFor(goal, since) {
    const known = isNullOid(goal.commit) ? (since?.commit ?? goal.commit) : goal.commit;
    return formatOf(known) ?? 'sha1';
}
function snapshotOf({ commit, tree, branch, timestamp }) {
    return { commit, tree, branch, timestamp };
}
function aboutOf({ id, signal }) {
    return { about: id, signal };
}
//# sourceMappingURL=differential.js.map