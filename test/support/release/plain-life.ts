import type { DeployedLife } from './deployed-lives.ts';

/** A stage of {@link PLAIN_LIFE}. */
export type PlainStage = 'deploy' | 'fail' | 'go back';

/**
 * The life of an environment with two services in a cluster with the context `test`: the next release is deployed and
 * stays, one that is not healthy is put back, and people go back to the first release.
 */
export const PLAIN_LIFE: DeployedLife<PlainStage> = {
  stages: {
    deploy: { version: 'v1.1.0' },
    fail: { version: 'v1.2.0', isUndone: true },
    'go back': { version: 'v1.0.0', goBack: true },
  },
  releases: ({ name }) => ({
    'v1.0.0': {
      '.longhaul/environments.yaml': environments(name),
      'k8s/api/all.yaml': service('api', 'app:1', 'one'),
      'k8s/web/all.yaml': service('web', 'web:1', 'one') + only('before'),
    },
    'v1.1.0': {
      'k8s/api/all.yaml': service('api', 'app:2', 'two'),
      'k8s/web/all.yaml': service('web', 'web:2', 'two') + only('now'),
    },
    'v1.2.0': {
      'k8s/api/all.yaml': service('api', 'app:3', 'three') + only('then'),
      'k8s/web/all.yaml': service('web', 'web:3-crash', 'three'),
    },
  }),
};

function environments(namespace: string): string {
  return `
environments:
  - name: staging
    context: test
    namespace: ${namespace}
    watch: 2s
    services:
      api:
        manifests: {folder: k8s/api}
        hooks:
          before: [{name: migrate, run: ['true'], down: {run: ['true']}, network: false}]
        ready: 120s
      web: {manifests: {folder: k8s/web}, ready: 120s, needs: [api]}
`;
}

function service(name: string, image: string, mode: string): string {
  return `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}-settings}
data: {mode: ${mode}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: app, image: "${image}"}]}
`;
}

/** An object of one release only: the next one deletes it, or creates it. */
const only = (name: string): string => `---
apiVersion: v1
kind: Secret
metadata: {name: ${name}}
stringData: {password: of-${name}}
`;
