import { isScalar, LineCounter, parseAllDocuments, type Tags, visit, type YAMLMap } from 'yaml';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { kubernetesKeyOf, objectName } from '../../../domain/kubernetes/object.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';

/** The objects of one service, from its rendered manifests. */
export interface Manifests {
  readonly objects: readonly KubernetesObject[];
  /** Everything that is wrong, a sentence each with the number of the line; empty when all is well. */
  readonly problems: readonly string[];
}

/** Aliases of one stream, and values that they may stand for: more are an attack. */
const MOST_ALIASES = 100;
const MOST_OBJECTS = 5_000;
const API_VERSION = /^(?:[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?\/)?v[a-z0-9]{1,30}$/;
const KIND = /^[A-Za-z][A-Za-z0-9]{0,62}$/;

/**
 * Reads a stream of YAML or JSON documents as kubectl does: YAML 1.1 without its times, so that `yes` is a boolean and
 * `12:30` a text. Lists are taken apart. Objects without a namespace get `namespace`, whether or not their kind has one:
 * only the cluster knows that. Reports all problems at once.
 */
export function readManifests(text: string, namespace: string, about: string): Manifests {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.1',
    customTags: withoutTimes,
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    merge: true,
    // it compares each key with all before it: see `hasRepeatedKey`
    uniqueKeys: false,
  });
  if (!Array.isArray(documents)) return { objects: [], problems: [] };
  const problems: string[] = [];
  const found: { readonly object: KubernetesObject; readonly line: number }[] = [];
  let aliases = 0;
  for (const document of documents) {
    const line = lines.linePos(document.contents?.range?.[0] ?? document.range[0]).line;
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) {
      problems.push(`${about}:${lines.linePos(error.pos[0]).line}: ${withoutSource(error.message)}`);
      continue;
    }
    const repeated: YAMLMap[] = [];
    visit(document, {
      Alias: () => void aliases++,
      Map: (_at, map) => void (hasRepeatedKey(map) && repeated.push(map)),
    });
    if (aliases > MOST_ALIASES) {
      return { objects: [], problems: [`${about}: there are more than ${MOST_ALIASES} aliases.`] };
    }
    if (repeated.length > 0) {
      for (const { range } of repeated) {
        problems.push(`${about}:${lines.linePos(range?.[0] ?? 0).line}: a key is there twice in one mapping.`);
      }
      continue;
    }
    const value = valueOf(document, `${about}:${line}`, problems);
    for (const item of itemsOf(value)) {
      const problem = problemOf(item);
      if (problem === null) found.push({ object: inNamespace(item as KubernetesObject, namespace), line });
      else problems.push(`${about}:${line}: ${problem}`);
    }
  }
  if (found.length > MOST_OBJECTS) problems.push(`${about}: there are more than ${MOST_OBJECTS} objects.`);
  const names = new Set<string>();
  for (const { object, line } of found) {
    const name = objectName(kubernetesKeyOf(object));
    if (names.has(name)) problems.push(`${about}:${line}: ${name} is there twice.`);
    names.add(name);
  }
  return { objects: found.map(({ object }) => object), problems };
}

/** What is wrong with a document, without the piece of it that the parser quotes: that may be of a Secret. */
function withoutSource(message: string): string {
  return message.replace(/(?:: |\n|(?<=escape sequence) )[^]*$/u, '');
}

/**
 * The objects with images by digest. `images` has the reference to deploy by the image's name without tag; each must be
 * used by an object, and be a digest: a tag can be moved. Throws `InvalidConfiguration`.
 */
export function withImages(
  objects: readonly KubernetesObject[],
  images: Readonly<Record<string, string>>,
  about: string,
): readonly KubernetesObject[] {
  for (const [name, reference] of Object.entries(images)) {
    if (/@sha256:[0-9a-f]{64}$/.test(reference) && nameOfImage(reference) === name) continue;
    throw new LonghaulError(
      'InvalidConfiguration',
      `${about}: the image to deploy for ${name} is "${reference}": the job must hand over ${name}@sha256:… with the digest that it pushed.`,
    );
  }
  const used = new Set<string>();
  const replace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([field, inner]) => {
        if (field !== 'image' || typeof inner !== 'string') return [field, replace(inner)];
        const name = nameOfImage(inner);
        const reference = images[name];
        if (reference === undefined) return [field, inner];
        used.add(name);
        return [field, reference];
      }),
    );
  };
  const replaced = objects.map((object) => ({ ...object, ...(replace({ ...object }) as KubernetesObject) }));
  const unused = Object.keys(images).filter((name) => !used.has(name));
  if (unused.length > 0) {
    throw new LonghaulError('InvalidConfiguration', `${about}: no object has the image ${unused.join(', ')}.`);
  }
  return replaced;
}

/** Images of containers that are not given by digest, each once: a tag can be moved. */
export function imagesByTag(objects: readonly KubernetesObject[]): readonly string[] {
  const images = (value: unknown): readonly string[] => {
    if (Array.isArray(value)) return value.flatMap(images);
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([field, inner]) => [
      ...(CONTAINERS.has(field) && Array.isArray(inner) ? inner.flatMap(imageOf) : []),
      ...images(inner),
    ]);
  };
  return [...new Set(objects.flatMap(images))].filter((image) => !image.includes('@')).toSorted();
}

const CONTAINERS: ReadonlySet<string> = new Set(['containers', 'initContainers']);

function imageOf(container: unknown): readonly string[] {
  const { image } = (container ?? {}) as { readonly image?: unknown };
  return typeof image === 'string' ? [image] : [];
}

/** `ghcr.io/acme/api` in `ghcr.io/acme/api:1.2@sha256:…`. */
export function nameOfImage(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}

/** Whether a key is there twice. A merge key may be. */
function hasRepeatedKey({ items }: YAMLMap): boolean {
  const seen = new Set<unknown>();
  for (const { key } of items) {
    const value = isScalar(key) ? key.value : key;
    if (value !== '<<' && seen.has(value)) return true;
    seen.add(value);
  }
  return false;
}

function withoutTimes(tags: Tags): Tags {
  return tags.filter(
    (tag) => typeof tag !== 'object' || !(tag.tag === 'tag:yaml.org,2002:timestamp' || tag.format === 'TIME'),
  );
}

function valueOf(document: ReturnType<typeof parseAllDocuments>[number], where: string, problems: string[]): unknown {
  try {
    return document?.toJS({ maxAliasCount: MOST_ALIASES }) as unknown;
  } catch (error) {
    problems.push(`${where}: ${withoutSource(error instanceof Error ? error.message : String(error))}`);
    return null;
  }
}

function itemsOf(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return [];
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : [value];
}

/** What an item lacks to be an object with a name. */
function problemOf(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return 'it is no object of Kubernetes.';
  const { apiVersion, kind, metadata } = item as Partial<KubernetesObject>;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return 'apiVersion or kind is missing.';
  // both become a part of an address at the server
  if (!API_VERSION.test(apiVersion)) return `apiVersion ${JSON.stringify(apiVersion)} is none, such as v1 or apps/v1.`;
  if (!KIND.test(kind)) return `kind ${JSON.stringify(kind)} is none, such as Deployment.`;
  const { name, generateName } = (metadata ?? {}) as { readonly name?: unknown; readonly generateName?: unknown };
  if (typeof name === 'string' && name !== '') return null;
  return generateName === undefined
    ? `the ${kind} has no name.`
    : `the ${kind} has generateName: give it a name, or every deployment makes another one.`;
}

function inNamespace(object: KubernetesObject, namespace: string): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace } };
}
