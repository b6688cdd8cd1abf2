import { type Manifest, podTemplate, workload } from './manifests.ts';

const object = (apiVersion: string, kind: string, name: string, rest: object): Manifest => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});

const definition = (field: string): Manifest =>
  object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'carts.shop.example', {
    spec: {
      group: 'shop.example',
      names: { kind: 'Cart', plural: 'carts' },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: { type: 'object', properties: { size: { type: 'integer' }, [field]: { type: 'string' } } },
              },
            },
          },
        },
      ],
    },
  });

/** A Deployment that reads a ConfigMap. */
const reader = (image: string): Manifest =>
  workload('Deployment', 'api', image, {
    template: {
      metadata: { labels: { app: 'api' } },
      spec: {
        containers: [
          {
            name: 'app',
            image,
            envFrom: [{ configMapRef: { name: 'settings' } }],
            resources: { requests: { cpu: '100m' } },
          },
        ],
      },
    },
  });

/** The autoscaler wants one pod of `api` with either, as its pods use half of what they request. */
const autoscaler = (maxReplicas: number, averageUtilization: number): Manifest =>
  object('autoscaling/v2', 'HorizontalPodAutoscaler', 'api', {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' },
      minReplicas: 1,
      maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }],
    },
  });

const budget = (limit: object): Manifest =>
  object('policy/v1', 'PodDisruptionBudget', 'db', { spec: { ...limit, selector: { matchLabels: { app: 'db' } } } });

/** The objects of a service before a release that changes all of them; the password of the Secret is `PASSWORD`. */
export const BEFORE: readonly Manifest[] = [
  object('v1', 'ConfigMap', 'settings', { data: { mode: 'old', color: 'red' } }),
  object('v1', 'Secret', 'login', { stringData: { password: 'PASSWORD' } }),
  definition('color'),
  object('shop.example/v1', 'Cart', 'one', { spec: { size: 1, color: 'red' } }),
  object('v1', 'Service', 'api', { spec: { selector: { app: 'api' }, ports: [{ port: 80, targetPort: 8080 }] } }),
  reader('api:1'),
  workload('StatefulSet', 'db', 'db:1', { replicas: 2 }),
  workload('DaemonSet', 'agent', 'agent:1'),
  autoscaler(3, 200),
  budget({ minAvailable: 1 }),
  object('networking.k8s.io/v1', 'Ingress', 'front', {
    spec: { defaultBackend: { service: { name: 'api', port: { number: 80 } } } },
  }),
];
/** The same after the release, which has no Ingress and a CronJob. */
export const AFTER: readonly Manifest[] = [
  object('v1', 'ConfigMap', 'settings', { data: { mode: 'new' } }),
  object('v1', 'Secret', 'login', { stringData: { password: 'PASSWORD', user: 'ada' } }),
  definition('shade'),
  object('shop.example/v1', 'Cart', 'one', { spec: { size: 2, shade: 'blue' } }),
  object('v1', 'Service', 'api', { spec: { selector: { app: 'api' }, ports: [{ port: 8000, targetPort: 8080 }] } }),
  reader('api:2'),
  workload('StatefulSet', 'db', 'db:2', { replicas: 2 }),
  workload('DaemonSet', 'agent', 'agent:2'),
  autoscaler(4, 190),
  budget({ maxUnavailable: 1 }),
  object('batch/v1', 'CronJob', 'report', {
    spec: {
      schedule: '0 0 1 1 *',
      jobTemplate: { spec: { template: podTemplate('report', 'report:1', { restartPolicy: 'Never' }) } },
    },
  }),
];
/** Names of their kinds in the audit log. */
export const RESOURCES: Readonly<Record<string, string>> = {
  ConfigMap: 'configmaps',
  Secret: 'secrets',
  CustomResourceDefinition: 'customresourcedefinitions.apiextensions.k8s.io',
  Cart: 'carts.shop.example',
  Service: 'services',
  Deployment: 'deployments.apps',
  StatefulSet: 'statefulsets.apps',
  DaemonSet: 'daemonsets.apps',
  HorizontalPodAutoscaler: 'horizontalpodautoscalers.autoscaling',
  PodDisruptionBudget: 'poddisruptionbudgets.policy',
  Ingress: 'ingresses.networking.k8s.io',
  CronJob: 'cronjobs.batch',
};
