import { foldersOf, parseAttributes } from '../../domain/catalog/attributes.js';
import { filePath } from './file-path.js';
const NAME = '.gitattributes';
const LARGEST_TREE = 50_000_000;
const LARGEST_FILE = 1_000_000;
/** True for a path whose file changes what is said of other files. */
export function isAttributesFile(path) {
    return path === NAME || path.endsWith(`/${NAME}`);
}
/** Finds the `.gitattributes` files above these paths, folder by folder, and gives their object names by folder. */
export async function findAttributes(reader, tree, paths) {
    const wanted = new Set();
    for (const path of paths)
        for (const folder of foldersOf(path))
            wanted.add(folder);
    const found = new Map();
    let level = new Map([['', tree]]);
    while (level.size > 0) {
        const folders = [...level.keys()];
        const below = new Map();
        let at = 0;
        for await (const { content } of reader.read(level.values(), LARGEST_TREE)) {
            const folder = folders[at++] ?? '';
            for (const { mode, name, oid } of parseTree(content ?? new Uint8Array(), tree.length / 2)) {
                const path = folder === '' ? name : `${folder}/${name}`;
                if (name === NAME && mode.startsWith('100'))
                    found.set(folder, oid);
                else if (mode === '40000' && wanted.has(path))
                    below.set(path, oid);
            }
        }
        level = below;
    }
    return found;
}
/** Reads the files that {@link findAttributes} found. They must be in the store. */
export async function readAttributes(reader, found) {
    const folders = [...found.keys()];
    const attributes = new Map();
    let at = 0;
    for await (const { content } of reader.read(found.values(), LARGEST_FILE)) {
        const rules = parseAttributes(new TextDecoder().decode(content ?? new Uint8Array()));
        const folder = folders[at++] ?? '';
        if (rules.length > 0)
            attributes.set(folder, rules);
    }
    return attributes;
}
function* parseTree(content, oidLength) {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    for (let at = 0; at < bytes.length;) {
        const space = bytes.indexOf(0x20, at);
        const end = bytes.indexOf(0, space);
        const mode = bytes.toString('latin1', at, space);
        const { path: name } = filePath(bytes.subarray(space + 1, end));
        at = end + 1 + oidLength;
        yield { mode, name, oid: bytes.toString('hex', end + 1, at) };
    }
}
//# sourceMappingURL=tree-attributes.js.map