import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { hasCode } from './stack-error.js';
/** The secret kept in `file`, made at random at the first call; only the owner can read the file. */
export function keptSecret(file) {
    return readSecret(file) ?? newSecret(file);
}
/** The secret kept in `file`; null when there is none. */
export function readSecret(file) {
    try {
        const secret = readFileSync(file, 'utf8').trim();
        return secret === '' ? null : secret;
    }
    catch (error) {
        if (hasCode(error, 'ENOENT'))
            return null;
        throw error;
    }
}
function newSecret(file) {
    const secret = randomBytes(32).toString('base64url');
    writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    return secret;
}
//# sourceMappingURL=secret.js.map