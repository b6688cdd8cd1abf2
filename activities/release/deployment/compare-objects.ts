import canonicalize from 'canonicalize';
import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../../domain/kubernetes/object.ts';
import { masked } from '../../../domain/kubernetes/masked.ts';
import { ownFields } from '../../../domain/kubernetes/restore.ts';
import {
  DEPLOYMENT_ANNOTATION,
  ENVIRONMENT_ANNOTATION,
  RELEASE_ANNOTATION,
  REPOSITORY_ANNOTATION,
} from '../../../domain/release/deployment/deployment.ts';
import { FIELD_MANAGER } from '../../kubernetes/cluster.ts';

/**
 * True when applying would change nothing but the annotations that name the deployment: neither a field, nor whether we
 * own it.
 */
export function wouldStay(before: KubernetesObject, after: KubernetesObject): boolean {
  return (
    canonicalize(ownFields(withoutMarks(before))) === canonicalize(ownFields(withoutMarks(after))) &&
    canonicalize(fieldsOfOurs(before)) === canonicalize(fieldsOfOurs(after))
  );
}

/** What an object says about the deployment that wrote it last. */
export interface ObjectMarks {
  readonly repository: string;
  /** Its name. */
  readonly environment: string;
  readonly version: string;
  readonly deployment: string;
}

const MARKS: readonly string[] = [
  RELEASE_ANNOTATION,
  DEPLOYMENT_ANNOTATION,
  REPOSITORY_ANNOTATION,
  ENVIRONMENT_ANNOTATION,
];

/** The object with the annotations that name the release and the deployment. */
export function withMarks(
  object: KubernetesObject,
  { repository, environment, version, deployment }: ObjectMarks,
): KubernetesObject {
  const annotations = {
    ...object.metadata.annotations,
    [RELEASE_ANNOTATION]: version,
    [DEPLOYMENT_ANNOTATION]: deployment,
    [REPOSITORY_ANNOTATION]: repository,
    [ENVIRONMENT_ANNOTATION]: environment,
  };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** The object without these annotations. */
export function withoutMarks(object: KubernetesObject): KubernetesObject {
  const { annotations, ...metadata } = object.metadata;
  const rest = Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => !MARKS.includes(name)));
  return { ...object, metadata: { ...metadata, ...(Object.keys(rest).length === 0 ? {} : { annotations: rest }) } };
}

/** The fields that we own by applying, without the annotations that name the deployment. */
function fieldsOfOurs({ metadata }: KubernetesObject): unknown {
  const entries = (metadata['managedFields'] ?? []) as readonly {
    readonly manager: string;
    readonly operation: string;
    readonly fieldsV1?: object;
  }[];
  const own = entries.find(({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply');
  return own === undefined ? null : withoutMarkFields(own.fieldsV1 ?? {});
}

const MARK_FIELDS: ReadonlySet<string> = new Set(MARKS.map((name) => `f:${name}`));

function withoutMarkFields(fields: object): object {
  const kept = Object.entries(fields as Readonly<Record<string, unknown>>).flatMap(
    ([name, value]): [string, unknown][] => {
      if (MARK_FIELDS.has(name)) return [];
      const inner = typeof value === 'object' && value !== null ? withoutMarkFields(value) : value;
      const isEmptied = name === 'f:annotations' && Object.keys(inner as object).every((key) => key === '.');
      return isEmptied ? [] : [[name, inner]];
    },
  );
  return Object.fromEntries(kept);
}

/** The difference between an object of this name before and after as text: YAML, values of secrets as the first digits of a keyed digest. */
export function differenceOf(
  name: string,
  before: KubernetesObject | null,
  after: KubernetesObject | null,
  digestOf: (value: string) => string,
): string {
  if (before === null && after === null) return '';
  const text = (object: KubernetesObject | null): string =>
    object === null ? '' : stringify(ownFields(masked(withoutMarks(object), digestOf)), { sortMapEntries: true });
  const is = (object: KubernetesObject | null): string => (object === null ? '/dev/null' : name);
  return createTwoFilesPatch(is(before), is(after), text(before), text(after), '', '', { context: 3 })
    .split('\n')
    .filter((line) => !/^=+$/u.test(line))
    .join('\n');
}
