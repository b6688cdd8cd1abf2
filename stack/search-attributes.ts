import type { Connection } from '@temporalio/client';
import { messageOf } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';

/**
 * The search attributes that flows set, all of type Keyword, six at most: the workflow's repository, its stage, the kind
 * of the gate at which it waits, and the version that it releases.
 */
export const SEARCH_ATTRIBUTES = ['LonghaulRepository', 'LonghaulStage', 'LonghaulGate', 'LonghaulGeneration'] as const;

/** Maximum number of attributes of this type on an SQL database; on Elasticsearch there is no such limit. */
export const SQL_KEYWORD_SLOTS = 10;

/** The Keyword search attributes of a namespace. */
export interface KeywordSlots {
  readonly used: number;
  /** Those of {@link SEARCH_ATTRIBUTES} that are not registered. */
  readonly missing: readonly string[];
}

/** Counts the registered Keyword attributes of a namespace. */
export async function keywordSlots(connection: Connection, namespace: string): Promise<KeywordSlots> {
  const keyword = await keywordType();
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const keywords = Object.keys(customAttributes).filter((name) => Number(customAttributes[name]) === keyword);
  return { used: keywords.length, missing: SEARCH_ATTRIBUTES.filter((name) => !keywords.includes(name)) };
}

/**
 * Registers those of {@link SEARCH_ATTRIBUTES} that are missing, on the embedded server or the user's own. Idempotent.
 * Throws {@link StackError} when the server has no room for them or refuses.
 */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const keyword = await keywordType();
  const { missing } = await keywordSlots(connection, namespace);
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    });
  } catch (error) {
    // Another process may have registered them between our check and our call.
    if ((await keywordSlots(connection, namespace)).missing.length === 0) return;
    throw registrationFailed(missing, namespace, error);
  }
}

function registrationFailed(missing: readonly string[], namespace: string, error: unknown): StackError {
  const names = missing.join(' and ');
  const details = error instanceof Error && 'details' in error ? String(error.details) : messageOf(error);
  const remedy = /more than|exceed|limit/i.test(details)
    ? 'remove an unused one (`temporal operator search-attribute remove`) or use another server'
    : "add them as Keyword with that server's own tools";
  return new StackError(
    `The search attributes ${names} could not be registered in the namespace ${namespace} (${details}): ${remedy}.`,
    { cause: error },
  );
}

async function keywordType(): Promise<number> {
  const { default: proto } = await import('@temporalio/proto');
  return proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
}
