/** The Temporal namespace of the n-th test process (from 1): the flows of concurrent files have the same ids. */
export function namespaceOf(process: number): string {
  return `test-${process}`;
}

/** The namespace of this process. */
export const NAMESPACE = namespaceOf(Number(process.env['VITEST_POOL_ID']));
