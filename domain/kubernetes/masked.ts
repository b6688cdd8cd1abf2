import type { KubernetesObject } from './object.ts';

/** Where kubectl keeps what was applied by the client, values of secrets included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * An object as it may be shown and recorded: the values of a Secret are replaced by the first digits of their digest, so
 * that a difference can be seen without the value. `digestOf` returns hexadecimal digits, and must be keyed: the digest
 * of a short value can be guessed.
 */
export function masked(object: KubernetesObject, digestOf: (value: string) => string): KubernetesObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const { annotations } = object.metadata;
  const maskValues = (values: unknown): Readonly<Record<string, string>> =>
    Object.fromEntries(
      Object.entries(values as object).map(([name, value]) => [
        name,
        `(secret ${digestOf(String(value)).slice(0, 8)})`,
      ]),
    );
  return {
    ...object,
    ...(isRecord(object['data']) ? { data: maskValues(object['data']) } : {}),
    ...(isRecord(object['stringData']) ? { stringData: maskValues(object['stringData']) } : {}),
    metadata: {
      ...object.metadata,
      ...(annotations?.[LAST_APPLIED] === undefined
        ? {}
        : { annotations: { ...annotations, [LAST_APPLIED]: '(secret)' } }),
    },
  };
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
