import { v5 } from 'uuid';
import { DEFAULT_REF } from '../../domain/catalog/receipt.js';
/** The namespace of all UUIDs that Longhaul makes: UUIDv5 of the URL namespace and `https://longhaul.dev/object`. */
const NAMESPACE = v5('https://longhaul.dev/object', v5.URL);
/** Ids of the objects of one file: one for each chunk, in order. Writing the same file twice writes the same objects. */
export function objectIds({ digest, repository, path, blob }, chunks) {
    const prefix = `${digest}\0${repository}\0${path}\0${blob}\0`;
    return Array.from({ length: chunks }, (_, ordinal) => v5(`${prefix}${ordinal}`, NAMESPACE));
}
/** Id of the receipt of a repository at a ref. */
export function receiptId(repository, ref = DEFAULT_REF) {
    return v5(`receipt\0${repository}\0${ref}`, NAMESPACE);
}
//# sourceMappingURL=object-id.js.map