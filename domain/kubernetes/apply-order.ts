import { groupOf, type KubernetesObject } from './object.ts';

/**
 * The steps in which objects are applied, in their order. An object needs only what an earlier step makes: the namespace
 * that it is in, the definition of its kind, the account that it runs as, the configuration that it reads, the service
 * that it is found by. Routes come when there is something to route to, and scalers when there is something to scale.
 */
export const APPLY_STEPS = [
  'namespaces',
  'definitions',
  'access',
  'configuration',
  'services',
  'workloads',
  'routes',
  'scaling',
] as const;

/** A step of {@link APPLY_STEPS}. */
export type ApplyStep = (typeof APPLY_STEPS)[number];

/** Kinds by `Kind.group`, or `Kind` for those of the core. */
const STEP_OF_KIND: Readonly<Record<string, ApplyStep>> = {
  Namespace: 'namespaces',
  'CustomResourceDefinition.apiextensions.k8s.io': 'definitions',
  ServiceAccount: 'access',
  'Role.rbac.authorization.k8s.io': 'access',
  'RoleBinding.rbac.authorization.k8s.io': 'access',
  'ClusterRole.rbac.authorization.k8s.io': 'access',
  'ClusterRoleBinding.rbac.authorization.k8s.io': 'access',
  ConfigMap: 'configuration',
  Secret: 'configuration',
  PersistentVolume: 'configuration',
  PersistentVolumeClaim: 'configuration',
  'StorageClass.storage.k8s.io': 'configuration',
  'PriorityClass.scheduling.k8s.io': 'configuration',
  LimitRange: 'configuration',
  ResourceQuota: 'configuration',
  'NetworkPolicy.networking.k8s.io': 'configuration',
  Service: 'services',
  Endpoints: 'services',
  'EndpointSlice.discovery.k8s.io': 'services',
  'Ingress.networking.k8s.io': 'routes',
  'IngressClass.networking.k8s.io': 'routes',
  'Gateway.gateway.networking.k8s.io': 'routes',
  'HTTPRoute.gateway.networking.k8s.io': 'routes',
  'GRPCRoute.gateway.networking.k8s.io': 'routes',
  'APIService.apiregistration.k8s.io': 'routes',
  'ValidatingWebhookConfiguration.admissionregistration.k8s.io': 'routes',
  'MutatingWebhookConfiguration.admissionregistration.k8s.io': 'routes',
  'HorizontalPodAutoscaler.autoscaling': 'scaling',
  'PodDisruptionBudget.policy': 'scaling',
};

/** The step in which an object is applied. Objects of other kinds, also of custom ones, are applied with the workloads. */
export function applyStepOf({ apiVersion, kind }: Pick<KubernetesObject, 'apiVersion' | 'kind'>): ApplyStep {
  const group = groupOf(apiVersion);
  return STEP_OF_KIND[group === '' ? kind : `${kind}.${group}`] ?? 'workloads';
}

/** The objects in the order in which they are applied; those of one step stay in their given order. */
export function inApplyOrder<Given extends Pick<KubernetesObject, 'apiVersion' | 'kind'>>(
  objects: readonly Given[],
): readonly Given[] {
  const place = (object: Given): number => APPLY_STEPS.indexOf(applyStepOf(object));
  return objects.toSorted((one, other) => place(one) - place(other));
}
