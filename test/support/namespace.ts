/** The Temporal namespace of the n-th process of tests (from 1): the flows of files that run beside each other have the same names. */
export function namespaceOf(process: number): string {
  return `test-${process}`;
}

/** The namespace of this process. */
export const NAMESPACE = namespaceOf(Number(process.env['VITEST_POOL_ID']));
