/** The identity of a repository (`docs/architecture.md`): not its basename, so equal names in two places stay apart. */
export function repositoryId(provider, organization, project, repository) {
    return [provider, organization, ...(project ? [project] : []), repository].join('/');
}
/** The id without its provider: `org/project/repo` or `org/repo`, as events and messages name a repository. */
export function repositoryName(id) {
    return id.slice(id.indexOf('/') + 1);
}
/** Why {@link isRepositoryId} said no. */
export const NOT_A_REPOSITORY_ID = 'must be a repository id: provider/org/repo or provider/org/project/repo';
/** True for `provider/org/repo` or `provider/org/project/repo` of plain segments: no empty one, no `..`, no control character. */
export function isRepositoryId(id) {
    const segments = id.split('/');
    return segments.length >= 3 && segments.length <= 4 && id.length <= 300 && segments.every(isPlainSegment);
}
function isPlainSegment(segment) {
    // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not get in
    return segment !== '' && segment !== '.' && segment !== '..' && !/[\u0000-\u001f\u007f\\]/.test(segment);
}
//# sourceMappingURL=repository.js.map