import type { KubernetesObject } from './object.ts';

type Fields = Readonly<Record<string, unknown>>;

interface OwnerEntry {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsV1?: Fields;
}

/**
 * The fields of an object that a manager owns by applying: applied again by it, they change nothing. Lists are whole.
 */
export function appliedFields(object: KubernetesObject, manager: string): KubernetesObject {
  const { name, namespace, managedFields = [] } = object.metadata;
  const entry = (managedFields as readonly OwnerEntry[]).find(
    (each) => each.manager === manager && each.operation === 'Apply',
  );
  const { metadata, ...rest } = pick(entry?.fieldsV1 ?? {}, object);
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...(metadata as object | undefined), name, ...(namespace === undefined ? {} : { namespace }) },
  };
}

/** `fields`: in the form of `managedFields`, where `f:name` is the field `name`. */
function pick(fields: Fields, value: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([field, inner]): [string, unknown][] => {
      const name = field.slice(2);
      const part = value[name];
      if (!field.startsWith('f:') || part === undefined) return [];
      const isWhole = !isObject(part) || !isObject(inner) || !Object.keys(inner).some((each) => each.startsWith('f:'));
      return [[name, isWhole ? part : pick(inner, part)]];
    }),
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
