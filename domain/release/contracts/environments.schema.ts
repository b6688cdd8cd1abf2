import { z } from 'zod';
import { isRepositoryId, NOT_A_REPOSITORY_ID } from '../../git/repository.ts';
import { spanOfTime } from '../../shared/span.schema.ts';
import { line, programName, variableName } from './names.schema.ts';
import { isOneProgram, ONE_PROGRAM, program } from './pipeline.schema.ts';
import { promotionSection } from './promotion.schema.ts';

/** A name of Kubernetes (RFC 1123): of a namespace, a service, a workload. */
const kubernetesName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'use small letters, digits and dash, at most 63, as Kubernetes does');

/** A name of an object of Kubernetes (RFC 1123, a subdomain). */
const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, 'use small letters, digits, dash and dot, as Kubernetes does');

/** A path in the repository. */
const path = z
  .string()
  .min(1)
  .max(300)
  .refine((text) => !text.startsWith('/') && !text.split('/').includes('..'), 'must be a path inside the repository');

const address = z
  .string()
  .max(2_000)
  .regex(/^https?:\/\/[^\s@]+$/, 'must be an address such as http://api.shop.svc/health, without user and password')
  .refine((text) => URL.canParse(text), 'must be an address such as http://api.shop.svc/health');

const manifests = z
  .strictObject({
    /** A folder with YAML or JSON files, which are applied as they are. */
    folder: path.optional(),
    /** A folder with a `kustomization.yaml`, for `kubectl kustomize`. */
    kustomize: path.optional(),
    ...program,
    /** Whether the program may reach the network. */
    network: z.boolean().default(false),
  })
  .refine(({ folder, kustomize, command, run }) => [folder, kustomize, command, run].filter(Boolean).length === 1, {
    message: 'give one of folder, kustomize, command and run',
  });

const hook = z
  .strictObject({
    name: programName,
    ...program,
    /** What takes the hook back. Without it the deployment cannot be undone. */
    down: z.strictObject(program).refine(isOneProgram, ONE_PROGRAM).optional(),
    timeout: spanOfTime('24h').default(600),
    network: z.boolean().default(true),
    /** Names of secrets: their values are variables of the program, if the configuration of the worker allows it. */
    secrets: z.array(variableName).max(50).default([]),
  })
  .refine(isOneProgram, ONE_PROGRAM);

const hooks = z
  .array(hook)
  .max(50)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'two hooks have the same name')
  .default([]);

const healthCheck = z
  .strictObject({
    name: line,
    /** An address that must answer with a status from 200 to 299. */
    http: address.optional(),
    ...program,
    /** Whether the program may reach the network. */
    network: z.boolean().default(true),
    /** Names of secrets of the program, as those of a hook. */
    secrets: z.array(variableName).max(50).default([]),
    interval: spanOfTime('1h').default(10),
    timeout: spanOfTime('10m').default(5),
  })
  .refine(({ http, command, run }) => [http, command, run].filter((each) => each !== undefined).length === 1, {
    message: 'give one of http, command and run',
  })
  .refine(({ http, secrets }) => http === undefined || secrets.length === 0, {
    path: ['secrets'],
    message: 'only a program has secrets: give command or run',
  });

/** A query in the language of Prometheus that has one number as its result. */
const query = z.string().min(1).max(4_000);

const metrics = z.strictObject({
  /** Base address of the Prometheus. */
  prometheus: address,
  interval: spanOfTime('1h').default(15),
  /** How many requests there were; fewer than `least` say nothing. */
  requests: z.strictObject({ query, least: z.int().min(0).max(1_000_000).default(20) }),
  errors: z
    .strictObject({
      /** The share of requests that failed, 0 to 1, in the last five minutes. */
      query,
      /** More than this share rolls back. */
      above: z.number().min(0).max(1).default(0.05),
    })
    .optional(),
  latency: z
    .strictObject({
      /** How long requests take; its value before the first change is the baseline. */
      query,
      /** More than this many times the baseline rolls back. */
      times: z.number().min(1).max(1_000).default(2),
    })
    .optional(),
});

const percent = z
  .string()
  .regex(/^[1-9][0-9]?%$/, 'give a percentage from 1% to 99%')
  .transform((text) => Number.parseInt(text, 10));

/** Steps in which the Deployments of a service get a new release. */
const canary = z.strictObject({
  /** Pods with the new release, in percent of those that a Deployment has: `[10%, 50%]`. */
  steps: z
    .array(percent)
    .min(1)
    .max(20)
    .refine(
      (steps) => steps.every((step, at) => at === 0 || step > (steps[at - 1] ?? 0)),
      'each step must be larger than the one before',
    ),
  /** How long each step is watched. */
  every: spanOfTime('7d').default(300),
  /** An HTTPRoute of the manifests of the service, which sends the canary its share of the requests at each step. */
  route: objectName.optional(),
});

const service = z.strictObject({
  /** A context of its own, for an environment in several clusters. */
  context: line.optional(),
  /** A namespace of its own. */
  namespace: kubernetesName.optional(),
  manifests,
  /** Images in the manifests by name, and the output of a job of the proving run that has the image to deploy. */
  images: z.record(z.string().min(1).max(300), z.strictObject({ job: programName, output: variableName })).default({}),
  /** Services that must be ready before. */
  needs: z.array(kubernetesName).max(100).default([]),
  hooks: z.strictObject({ before: hooks, after: hooks }).prefault({}),
  health: z.array(healthCheck).max(50).default([]),
  canary: canary.optional(),
  /** How long its objects may take to become ready. */
  ready: spanOfTime('6h').default(600),
});

const environment = z
  .strictObject({
    name: kubernetesName,
    /** A context of the kubeconfig that the workers of the role `deploy` have. */
    context: line,
    namespace: kubernetesName,
    services: z
      .record(kubernetesName, service)
      .refine((services) => Object.keys(services).length > 0, 'give at least one service'),
    metrics: metrics.optional(),
    /** How long a deployment is watched after it is ready. */
    watch: spanOfTime('7d').default(600),
    /** So many failed health checks in a row roll back. */
    failed_checks: z.int().min(1).max(100).default(3),
    /** How long a release stays here before the next environment gets it. */
    soak: spanOfTime('90d').optional(),
    approvals: promotionSection.shape.approvals,
    freeze: promotionSection.shape.freeze,
    /** What a deployment does that finds another one at work here. */
    concurrency: z.enum(['wait', 'replace', 'refuse']).default('wait'),
    /** What happens to a plan with a change that cannot be undone. */
    irreversible: z.enum(['refuse', 'gate']).default('refuse'),
    /** What an alert does that begins after a deployment: asks people whether to go back, goes back, or nothing. */
    alerts: z.enum(['ask', 'rollback', 'ignore']).default('ask'),
  })
  .superRefine(({ services }, context) => {
    for (const [name, { needs }] of Object.entries(services)) {
      for (const needed of needs.filter((each) => !Object.hasOwn(services, each))) {
        const at = ['services', name, 'needs'];
        context.addIssue({ code: 'custom', path: at, message: `there is no service "${needed}" in this environment` });
      }
    }
  });

/** A file of another repository that has the environments. */
const sharedFile = z.strictObject({
  /** Id of a repository that the configuration knows; the head of its default branch counts when a deployment is planned. */
  repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
  path: path.refine((text) => /\.ya?ml$/.test(text), 'must end in .yaml or .yml'),
});

/**
 * `environments.yaml` (docs/deploy.md): where releases are deployed, the first environment first, or the file of another
 * repository that says so. Unknown keys are refused.
 */
export const environmentsFile = z
  .strictObject({
    environments: z
      .array(environment)
      .min(1, 'give at least one environment')
      .max(50)
      .refine(
        (list) => new Set(list.map(({ name }) => name)).size === list.length,
        'two environments have the same name',
      )
      .optional(),
    from: sharedFile.optional(),
  })
  .refine(({ environments, from }) => (environments === undefined) !== (from === undefined), {
    message: 'give environments, or from',
  })
  .transform(({ environments = [], from = null }) => ({ environments, from }));

/** The environments of a repository, in their order. */
export type Environments = z.output<typeof environmentsFile>['environments'];
/** One of {@link Environments}. */
export type Environment = Environments[number];
/** A service of an {@link Environment}. */
export type EnvironmentService = Environment['services'][string];
