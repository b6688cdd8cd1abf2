import { SHORTEST_SECRET } from '../shared/known-secrets.ts';
import type { KubernetesObject } from './object.ts';

/** Where kubectl keeps what was applied by the client, values of secrets included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * An object as it may be shown and recorded: the values of a Secret are replaced by the first digits of their digest, so
 * that a difference can be seen without the value. `digestOf` returns hexadecimal digits, and must be keyed: the digest
 * of a short value can be guessed.
 */
export function masked(object: KubernetesObject, digestOf: (value: string) => string): KubernetesObject {
  if (!isSecret(object)) return object;
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

/**
 * A message about objects, without the values of the Secrets among them, also encoded: the server quotes a value that it
 * does not accept. Texts that are shorter than {@link SHORTEST_SECRET} are left.
 */
export function withoutValues(message: string, objects: readonly KubernetesObject[]): string {
  const values = objects
    .filter(isSecret)
    .flatMap(({ data, stringData }) => [
      ...leavesOf(data).flatMap((each) => [each, decoded(each)]),
      ...leavesOf(stringData),
    ]);
  // one that contains another is replaced as a whole
  return [...new Set(values.flatMap(formsOfValue))]
    .toSorted((one, other) => other.length - one.length)
    .reduce((left, form) => left.replaceAll(form, '(secret)'), message);
}

function isSecret({ kind, apiVersion }: KubernetesObject): boolean {
  return kind === 'Secret' && apiVersion === 'v1';
}

/** The texts and numbers in a value: a manifest may have anything where a text belongs. */
function leavesOf(value: unknown): readonly string[] {
  if (isRecord(value)) return Object.values(value).flatMap(leavesOf);
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}

/** What a value in base64 stands for; empty for another one. */
function decoded(value: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(value), (byte) => byte.codePointAt(0) ?? 0));
  } catch {
    return '';
  }
}

/** Half of a character: it has no percent-encoding. */
const LONE = /\p{Surrogate}/gu;

/** A value and each of its lines: as they are, escaped as Go and JSON do, percent-encoded, and in base64. */
function formsOfValue(value: string): readonly string[] {
  const isNumber = /^[\d.+e-]{4,}$/u.test(value);
  return [value, ...value.split('\n')]
    .filter(({ length }) => isNumber || length >= SHORTEST_SECRET)
    .flatMap((part) => {
      const base64 = btoa(String.fromCodePoint(...new TextEncoder().encode(part)));
      return [part, JSON.stringify(part).slice(1, -1), encodeURIComponent(part.replaceAll(LONE, '\ufffd')), base64];
    });
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
