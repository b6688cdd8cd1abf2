import { messageOf, StackError } from './stack-error.js';
/** The search attributes that flows set, all of type Keyword: what a workflow is about, and where it stands. */
export const SEARCH_ATTRIBUTES = ['LonghaulRepository', 'LonghaulStage'];
/** What a server on an SQL database has room for, by type; a server on Elasticsearch has no such limits. */
export const SQL_KEYWORD_SLOTS = 10;
/** Counts the registered Keyword attributes of a namespace. */
export async function keywordSlots(connection, namespace) {
    const keyword = await keywordType();
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const keywords = Object.keys(customAttributes).filter((name) => Number(customAttributes[name]) === keyword);
    return { used: keywords.length, missing: SEARCH_ATTRIBUTES.filter((name) => !keywords.includes(name)) };
}
/**
 * Registers what is missing of {@link SEARCH_ATTRIBUTES}, as often as you like; on the embedded server or the user's own.
 * Throws {@link StackError} when the server has no room for them or does not let us.
 */
export async function registerSearchAttributes(connection, namespace) {
    const keyword = await keywordType();
    const { missing } = await keywordSlots(connection, namespace);
    if (missing.length === 0)
        return;
    try {
        await connection.operatorService.addSearchAttributes({
            namespace,
            searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
        });
    }
    catch (error) {
        // Another process may have registered them between our look and our call.
        if ((await keywordSlots(connection, namespace)).missing.length === 0)
            return;
        throw registrationFailed(missing, namespace, error);
    }
}
function registrationFailed(missing, namespace, error) {
    const names = missing.join(' and ');
    const details = error instanceof Error && 'details' in error ? String(error.details) : messageOf(error);
    const remedy = /more than|exceed|limit/i.test(details)
        ? 'remove one that nobody uses (`temporal operator search-attribute remove`) or use another server'
        : 'add them as Keyword by the means of that server';
    return new StackError(`The search attributes ${names} could not be registered in the namespace ${namespace} (${details}): ${remedy}.`, { cause: error });
}
async function keywordType() {
    const { default: proto } = await import('@temporalio/proto');
    return proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
}
//# sourceMappingURL=search-attributes.js.map