import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import type { AnyFlow, CheckedOf, DigestId } from '../../domain/shared/flow.ts';
import { FLOWS_QUEUE } from '../../domain/shared/queues.ts';
import { sha256 } from '../../platform/sha256.ts';

/** What Temporal needs to start a declared flow, in the form that all kinds of starts accept. */
export interface DeclaredStart<Checked> {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly args: [Checked];
  /** `asked`: the digest of the question, by which a later start recognises the same question. */
  readonly memo: { readonly asked: string };
  readonly staticSummary: string;
  /** Only for flows that declare search attributes. */
  readonly typedSearchAttributes?: SearchAttributePair[];
}

/** The options of a start, from the declaration of the flow. The input has its defaults filled in. */
export function startOptions<Declared extends AnyFlow>(
  flow: Declared,
  input: CheckedOf<Declared>,
): DeclaredStart<CheckedOf<Declared>> {
  const attributes = Object.entries(flow.searchAttributes(input)).map(([name, value]) => ({
    key: defineSearchAttributeKey(name, 'KEYWORD'),
    value,
  }));
  return {
    workflowId: idText(flow.id(input)),
    taskQueue: FLOWS_QUEUE,
    args: [input],
    memo: { asked: digestOf(flow.question(input)) },
    staticSummary: flow.summary(input),
    ...(attributes.length === 0 ? {} : { typedSearchAttributes: attributes }),
  };
}

/** Digest of a question: SHA-256 of its JSON with sorted keys. */
export function digestOf(question: unknown): string {
  return sha256(JSON.stringify(question, sortedKeys) ?? '');
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function idText(id: string | DigestId): string {
  return typeof id === 'string' ? id : `${id.prefix}${sha256(id.of).slice(0, 12)}`;
}
