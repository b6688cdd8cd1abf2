import { conflictsIn, type FieldConflict } from '../../domain/kubernetes/conflicts.ts';
import { withoutValues } from '../../domain/kubernetes/masked.ts';
import { groupOf, kubernetesKeyOf, type KubernetesObject, objectName } from '../../domain/kubernetes/object.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type Kubectl, kubectlFailure } from './kubectl.ts';
import { createSharedRun, type SharedRun } from './shared-run.ts';

/** The name under which fields of objects are owned that Longhaul applied. */
export const FIELD_MANAGER = 'longhaul';

/** What names an object to the API of its cluster. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** A kind of objects, as the cluster serves it. */
export interface ServedKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Its name in paths: `deployments`. */
  readonly plural: string;
  readonly isNamespaced: boolean;
}

/** Something that the credentials of a context may do or not. */
export interface Permission {
  /** `patch`. */
  readonly verb: string;
  /** Plural and group: `deployments.apps`. */
  readonly resource: string;
  /** Null for objects of the whole cluster, and for all namespaces. */
  readonly namespace: string | null;
}

/** What the server says an object would become, or why it would refuse it. */
export type Preview =
  | { readonly object: KubernetesObject }
  | { readonly conflicts: readonly FieldConflict[] }
  | { readonly refused: string };

/** One context of the kubeconfig. All writes are made under {@link FIELD_MANAGER}. */
export interface Cluster {
  /** The kinds of an API version; none when the cluster does not serve it. */
  kinds(apiVersion: string): Promise<readonly ServedKind[]>;
  /** Objects as they are, in the given order; null for one that is not there, or whose kind the cluster does not serve. */
  read(references: readonly ObjectReference[]): Promise<readonly (KubernetesObject | null)[]>;
  /** The objects of a resource (`pods`, `replicasets.apps`) that match a selector, empty for all, in a namespace, null for all. */
  list(resource: string, namespace: string | null, selector: string): Promise<readonly KubernetesObject[]>;
  /** What the server would make of an object: the same checks as {@link apply}, without effect. */
  preview(object: KubernetesObject): Promise<Preview>;
  /**
   * Applies objects on the server's side, in the given order, never against the owner of a field. Can be repeated.
   * Throws `DriftDetected` when another owns a field.
   */
  apply(objects: readonly KubernetesObject[]): Promise<void>;
  /** Writes an object as a whole. Throws `ObjectChanged` when it is not the version that `metadata.resourceVersion` names. */
  replace(object: KubernetesObject): Promise<KubernetesObject>;
  /** Sets who owns the fields of an object, which is otherwise left as it is. Throws `ObjectChanged` as {@link replace}. */
  setOwners(object: KubernetesObject, owners: unknown): Promise<void>;
  /** Creates an object. Throws `ObjectChanged` when there is one. */
  create(object: KubernetesObject): Promise<KubernetesObject>;
  /**
   * Deletes the object with exactly this uid; false when it is no longer there. `exactly`: only the version that was read.
   * Throws `ObjectChanged` for another one.
   */
  remove(object: KubernetesObject, options?: { readonly exactly: boolean }): Promise<boolean>;
  /** Whether the credentials have each of these permissions, in the given order. */
  may(permissions: readonly Permission[]): Promise<readonly boolean[]>;
  /** Versions of kubectl and of the cluster: `1.33.2`. */
  versions(): Promise<{ readonly kubectl: string; readonly cluster: string }>;
}

/** Answers of a server about the objects themselves. */
const REFUSALS: ReadonlySet<string> = new Set(['ClusterRejected', 'ClusterForbids', 'KubectlFailed']);

/** How a cluster is opened. */
export interface ClusterOptions {
  /** What is asked of it ends when this is aborted. */
  readonly signal?: AbortSignal;
  /** Clusters of one context and one name here share a kubectl: the id of a deployment. @default with no other */
  readonly sharedBy?: string;
  /** Called directly before each kubectl that writes. What it rejects with is the end of the write, which is not made. @default nothing */
  readonly beforeWrite?: (() => Promise<void>) | undefined;
}

/** Opens a context of the kubeconfig. */
export type OpenCluster = (context: string, options?: ClusterOptions) => Cluster;

/** Clusters through kubectl. What belongs together shares one when it applies objects at the same time. */
export function createClusters(kubectl: Kubectl): OpenCluster {
  const ownKinds = new Map<string, OwnKinds>();
  const shared = new Map<string, SharedApply>();
  return (context, { sharedBy, ...options } = {}) => {
    const kinds = ownKinds.get(context) ?? new Map();
    ownKinds.set(context, kinds);
    if (sharedBy === undefined) {
      return createCluster(kubectl, context, { kinds, apply: sharedApply(kubectl, context) }, options);
    }
    const key = JSON.stringify([context, sharedBy]);
    const apply = shared.get(key) ?? sharedApply(kubectl, context);
    // the latest is the last one
    shared.delete(key);
    shared.set(key, apply);
    for (const oldest of [...shared.keys()].slice(0, -MOST_SHARED)) shared.delete(oldest);
    return createCluster(kubectl, context, { kinds, apply }, options);
  };
}

/** Deployments that are known as sharing a kubectl. */
const MOST_SHARED = 100;

/** The kinds of API versions that a server itself has, and until when they are believed (milliseconds since 1970). */
type OwnKinds = Map<string, { readonly kinds: readonly ServedKind[]; readonly until: number }>;

/** {@link Cluster.apply}, which may be done for several activities at once. */
type SharedApply = SharedRun<KubernetesObject, null>;

/** How long the kinds of the server itself are remembered: they change when it is upgraded. */
const OWN_KINDS_MS = 5 * 60_000;

function sharedApply(kubectl: Kubectl, context: string): SharedApply {
  return createSharedRun(async (objects, signal) => {
    const args = ['apply', '--server-side', `--field-manager=${FIELD_MANAGER}`, '-o', 'name', '-f', '-'];
    const input = JSON.stringify(listOf(objects));
    await withoutSecrets(objects, () => kubectl.inContext(context, args, { input, signal }));
    return objects.map(() => null);
  });
}

function createCluster(
  kubectl: Kubectl,
  context: string,
  shared: { readonly kinds: OwnKinds; readonly apply: SharedApply },
  { signal, beforeWrite }: Omit<ClusterOptions, 'sharedBy'>,
): Cluster {
  const served = new Map<string, Promise<readonly ServedKind[]>>();
  const run = (args: readonly string[], input?: object): Promise<string> =>
    kubectl.inContext(context, args, { signal, ...(input === undefined ? {} : { input: JSON.stringify(input) }) });

  /** {@link run} for what changes an object. */
  const write = async (args: readonly string[], object: KubernetesObject): Promise<string> => {
    await beforeWrite?.();
    return withoutSecrets([object], () => run(args, object));
  };

  const get = (path: string): Promise<unknown> => kubectl.ask(context, { method: 'GET', path, signal });

  async function readKinds(apiVersion: string): Promise<readonly ServedKind[]> {
    const found = (await get(rootOf(apiVersion))) as {
      readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
    } | null;
    return (found?.resources ?? [])
      .filter(({ name }) => !name.includes('/'))
      .map(({ name, kind, namespaced }) => ({ apiVersion, kind, plural: name, isNamespaced: namespaced }));
  }

  async function kinds(apiVersion: string): Promise<readonly ServedKind[]> {
    const own = shared.kinds.get(apiVersion);
    if (own !== undefined && own.until > Date.now()) return own.kinds;
    const known = served.get(apiVersion);
    if (known !== undefined) return known;
    const reading = readKinds(apiVersion);
    served.set(apiVersion, reading);
    const found = await reading.catch((error: unknown) => {
      served.delete(apiVersion);
      throw error;
    });
    // a definition that is applied next adds kinds
    if (found.length === 0) served.delete(apiVersion);
    // the group of a definition has a dot (CustomResourceDefinition, `spec.group`)
    else if (!groupOf(apiVersion).includes('.')) {
      shared.kinds.set(apiVersion, { kinds: found, until: Date.now() + OWN_KINDS_MS });
    }
    return found;
  }

  async function kindOf({
    apiVersion,
    kind,
  }: Pick<ObjectReference, 'apiVersion' | 'kind'>): Promise<ServedKind | null> {
    return (await kinds(apiVersion)).find((each) => each.kind === kind) ?? null;
  }

  async function pathOf(object: ObjectReference): Promise<string> {
    const kind = await kindOf(object);
    if (kind === null) {
      throw new LonghaulError(
        'ClusterRejected',
        `The cluster of the context ${context} has no kind ${object.kind} of ${object.apiVersion}.`,
      );
    }
    const { namespace, name } = object.metadata;
    return `${placeOf(kind, namespace ?? 'default')}/${encodeURIComponent(name)}`;
  }

  async function read(references: readonly ObjectReference[]): Promise<readonly (KubernetesObject | null)[]> {
    return Promise.all(
      references.map(async (reference) => {
        if ((await kindOf(reference)) === null) return null;
        const found = (await get(await pathOf(reference))) as KubernetesObject | null;
        return found === null ? null : inOrder(found);
      }),
    );
  }

  /** The kind of a resource, in the version of its group that the server prefers and that has it. */
  async function kindOfResource(resource: string): Promise<ServedKind> {
    const [plural = '', ...parts] = resource.split('.');
    const group = parts.join('.');
    const found = group === '' ? null : ((await get(`/apis/${group}`)) as ServedGroup | null);
    const versions =
      group === '' ? ['v1'] : [found?.preferredVersion, ...(found?.versions ?? [])].map((each) => each?.groupVersion);
    for (const version of new Set(versions)) {
      const kind = version === undefined ? undefined : (await kinds(version)).find((each) => each.plural === plural);
      if (kind !== undefined) return kind;
    }
    throw new LonghaulError('KubectlFailed', `The cluster of the context ${context} does not serve ${resource}.`);
  }

  async function list(
    resource: string,
    namespace: string | null,
    selector: string,
  ): Promise<readonly KubernetesObject[]> {
    const kind = await kindOfResource(resource);
    const place = placeOf(kind, namespace);
    const objects: KubernetesObject[] = [];
    let next = '';
    do {
      const query = new URLSearchParams({ limit: LIST_LIMIT, labelSelector: selector, continue: next });
      const page = (await get(`${place}?${query.toString()}`)) as ListPage | null;
      // items of a list do not say what they are
      for (const item of page?.items ?? []) objects.push({ ...item, apiVersion: kind.apiVersion, kind: kind.kind });
      next = page?.metadata.continue ?? '';
    } while (next !== '');
    return objects;
  }

  async function replace(object: KubernetesObject): Promise<KubernetesObject> {
    const args = ['replace', `--field-manager=${FIELD_MANAGER}`, '-o', 'json', '--show-managed-fields', '-f', '-'];
    return only(objectsIn(await write(args, object)), object);
  }

  async function preview(object: KubernetesObject): Promise<Preview> {
    try {
      const query = new URLSearchParams({ dryRun: 'All', fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' });
      const path = `${await pathOf(object)}?${query.toString()}`;
      const body = { type: 'application/apply-patch+yaml', text: JSON.stringify(object) };
      const after = await withoutSecrets([object], () => kubectl.ask(context, { method: 'PATCH', path, body, signal }));
      return { object: inOrder(after as KubernetesObject) };
    } catch (error) {
      if (!(error instanceof LonghaulError)) throw error;
      if (error.type === 'DriftDetected') return { conflicts: conflictsIn(error.message) };
      if (REFUSALS.has(error.type)) return { refused: error.message };
      throw error;
    }
  }

  return {
    kinds,
    read,
    preview,
    list,
    async apply(objects) {
      if (objects.length === 0) return;
      await shared.apply(objects, { signal, beforeRun: beforeWrite });
    },
    replace,
    async setOwners(object, owners) {
      // a write that changes nothing else makes no new owner
      await replace({ ...object, metadata: { ...object.metadata, managedFields: owners } });
    },
    async create(object) {
      const args = ['create', `--field-manager=${FIELD_MANAGER}`, '-o', 'json', '--show-managed-fields', '-f', '-'];
      try {
        return only(objectsIn(await write(args, object)), object);
      } catch (error) {
        if (!(error instanceof LonghaulError && /AlreadyExists|already exists/u.test(error.message))) throw error;
        throw new LonghaulError('ObjectChanged', error.message, { cause: error });
      }
    },
    async remove(object, { exactly } = { exactly: false }) {
      const path = await pathOf(object);
      const { uid, resourceVersion } = object.metadata;
      const options = {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        preconditions: { uid, ...(exactly ? { resourceVersion } : {}) },
        propagationPolicy: 'Background',
      };
      await beforeWrite?.();
      const { code, stderr } = await kubectl.run([`--context=${context}`, 'delete', '--raw', path, '-f', '-'], {
        signal,
        input: JSON.stringify(options),
      });
      if (code === 0) return true;
      if (/NotFound|not found|could not find/u.test(stderr)) return false;
      throw kubectlFailure(context, 'delete', stderr);
    },
    async may(permissions) {
      return Promise.all(
        permissions.map(async (permission) => {
          const text = JSON.stringify(accessReviewOf(permission));
          const body = { type: 'application/json', text };
          const answer = await kubectl.ask(context, { method: 'POST', path: ACCESS_REVIEWS, body, signal });
          return (answer as { readonly status: { readonly allowed: boolean } }).status.allowed;
        }),
      );
    },
    async versions() {
      const { clientVersion, serverVersion } = JSON.parse(await run(['version', '-o', 'json'])) as {
        readonly clientVersion: { readonly gitVersion: string };
        readonly serverVersion: { readonly gitVersion: string };
      };
      return { kubectl: plainVersion(clientVersion), cluster: plainVersion(serverVersion) };
    },
  };
}

/** Fails without the values of Secrets among the objects that were sent. */
async function withoutSecrets<Result>(
  objects: readonly KubernetesObject[],
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LonghaulError)) throw error;
    // not as its cause: that has them
    throw new LonghaulError(error.type, withoutValues(error.message, objects));
  }
}

/** How many objects of a list are asked for at once, as by kubectl. */
const LIST_LIMIT = '500';

interface ListPage {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly KubernetesObject[];
}

/** A group of APIs, as `/apis/GROUP` has it. */
interface ServedGroup {
  readonly preferredVersion?: { readonly groupVersion: string };
  readonly versions?: readonly { readonly groupVersion: string }[];
}

/** The path of the kinds of an API version. */
function rootOf(apiVersion: string): string {
  return groupOf(apiVersion) === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
}

/** The path of the objects of a kind: in a namespace, or, for null, in all. */
function placeOf({ apiVersion, plural, isNamespaced }: ServedKind, namespace: string | null): string {
  const scope = isNamespaced && namespace !== null ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${rootOf(apiVersion)}${scope}/${plural}`;
}

/** An object as people read it: what it is comes first, whatever the order of the server. */
function inOrder({ apiVersion, kind, metadata, ...rest }: KubernetesObject): KubernetesObject {
  return { apiVersion, kind, metadata, ...rest };
}

const ACCESS_REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** The question about a permission as an object, which the server answers and does not store. */
function accessReviewOf({ verb, resource: name, namespace }: Permission): object {
  const [resource = '', ...group] = name.split('.');
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: {
      resourceAttributes: { verb, resource, group: group.join('.'), ...(namespace === null ? {} : { namespace }) },
    },
  };
}

/** `1.33.2` of `v1.33.2-gke.100`: what a vendor adds says nothing here. */
function plainVersion({ gitVersion }: { readonly gitVersion: string }): string {
  return gitVersion.replace(/^v|[-+].*$/gu, '');
}

function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', items };
}

/** The objects that kubectl printed as JSON: none, one, or a list. */
function objectsIn(printed: string): readonly KubernetesObject[] {
  if (printed.trim() === '') return [];
  const value = JSON.parse(printed) as KubernetesObject & { readonly items?: readonly KubernetesObject[] };
  return value.kind === 'List' ? (value.items ?? []) : [value];
}

function only(objects: readonly KubernetesObject[], asked: KubernetesObject): KubernetesObject {
  const [object] = objects;
  if (object !== undefined) return object;
  throw new LonghaulError('KubectlFailed', `kubectl printed no object for ${objectName(kubernetesKeyOf(asked))}.`);
}
