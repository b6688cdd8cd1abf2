import { LonghaulError } from '../failures.js';
const ALLOWED = /^[A-Za-z0-9*?/\-_. ]+$/;
/**
 * Reads a pattern. `providers` are the names of the configured providers: a pattern of three or four segments that begins
 * with one of them means that provider. Throws `InvalidInput`.
 */
export function parsePattern(text, providers = []) {
    const segments = text.toLowerCase().split('/');
    const [first = ''] = segments;
    const named = segments.length >= 3 && providers.some((name) => name.toLowerCase() === first);
    const ofId = named || (segments.length === 4 && !hasWildcard(first));
    if (!ALLOWED.test(text) || segments.some((segment) => segment.trim() === '') || segments.length > (ofId ? 4 : 3)) {
        throw new LonghaulError('InvalidInput', `The pattern ${JSON.stringify(text.slice(0, 200))} is not organization/project/repository: use one to three segments ` +
            'of letters, digits, dot, dash, underscore, space and the wildcards * and ?, or the id of a repository.');
    }
    if (ofId) {
        const [organization = '', project, repository] = segments.slice(1);
        return repository === undefined
            ? { text, provider: first, organization, project: hasWildcard(text) ? '*' : null, repository: project ?? '' }
            : { text, provider: first, organization, project: project ?? '', repository };
    }
    const [repository = '', second, third] = segments.toReversed().map(orPrefix);
    return {
        text,
        provider: null,
        organization: third ?? second ?? '*',
        project: third ? (second ?? '*') : '*',
        repository,
    };
}
/** True when the pattern means the repository with this id. */
export function matchesPattern(pattern, id) {
    const lower = id.toLowerCase();
    if (pattern.text.toLowerCase() === lower)
        return true;
    const [provider = '', organization = '', ...rest] = lower.split('/');
    const project = rest.length > 1 ? (rest[0] ?? null) : null;
    return ((pattern.provider === null || pattern.provider === provider) &&
        matchesWildcards(pattern.organization, organization) &&
        matchesProject(pattern, project) &&
        matchesWildcards(pattern.repository, rest.at(-1) ?? ''));
}
/** True when at least one of the patterns means the repository with this id. */
export function matchesAny(patterns, id) {
    return patterns.some((pattern) => matchesPattern(pattern, id));
}
/** True when a segment of a pattern stands for more than itself. */
export function hasWildcard(segment) {
    return /[*?]/.test(segment);
}
function orPrefix(segment) {
    return hasWildcard(segment) ? segment : `${segment}*`;
}
/** Forges without projects ignore the segment, except in an id. */
function matchesProject(pattern, project) {
    if (project === null)
        return pattern.provider === null || pattern.project === null || pattern.project === '*';
    return pattern.project !== null && matchesWildcards(pattern.project, project);
}
/** `*` is any characters and `?` is one. Looks back to the last `*` only, so no expression makes it slow. */
function matchesWildcards(expression, text) {
    const wanted = Array.from(expression);
    const given = Array.from(text);
    let star = -1;
    let resume = 0;
    let w = 0;
    for (let g = 0; g < given.length;) {
        if (wanted[w] === '*') {
            star = w++;
            resume = g;
        }
        else if (w < wanted.length && (wanted[w] === '?' || wanted[w] === given[g])) {
            w++;
            g++;
        }
        else if (star >= 0) {
            w = star + 1;
            g = ++resume;
        }
        else {
            return false;
        }
    }
    return wanted.slice(w).every((character) => character === '*');
}
//# sourceMappingURL=pattern.js.map