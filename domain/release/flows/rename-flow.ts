import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from '../contracts/version.ts';
import { releaseAttributes } from './attributes.ts';
import { digest, personName, type RequestFields, requestId } from '../../shared/request.ts';
import { replacedContracts } from './inputs.ts';

/** Input of `renameGeneration`. */
export interface RenameGenerationInput extends RequestFields {
  readonly repository: string;
  /** Version of the generation: `v1.5.0`. */
  readonly version: string;
  /** Its new version. */
  readonly to: string;
  /** Digest of the contracts with the file of the new version, in the blob store. */
  readonly contracts: string;
  /** As of `startEvolution`. @default none */
  readonly replaces?: readonly string[];
}

/** Gives a draft without evolutions another version. */
export const renameGenerationFlow = defineFlow<RenameGenerationInput, { readonly version: string }>()({
  type: 'renameGeneration',
  act: { event: 'generation', resource: 'generation', action: 'rename', named: ['version'] },
  input: (z) =>
    z.strictObject({
      repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
      version: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
      to: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
      contracts: digest(z),
      replaces: replacedContracts(z),
      by: personName(z),
      requestId: requestId(z),
    }),
  does: 'gives a draft [generation](release.md#promotion) without evolutions another version in the ledger, as `longhaul generation rename` does in its file',
  examples: [{ repository: 'work/acme/api', version: 'v1.5.0', to: 'v1.6.0', contracts: '0'.repeat(64) }],
  startedBy: ['people', 'services'],
  // the lock of the promotion: the two never run together
  id: ({ repository, version }) => `generation/${repository}/${version}`,
  whenRunning: 'refuse',
  busy: ({ version }) => ({ type: 'PipelineBusy', message: `${version} is being promoted, withdrawn or renamed.` }),
  summary: ({ repository, version, to }) => `rename ${version} of ${repositoryName(repository)} to ${to}`.slice(0, 200),
  searchAttributes: releaseAttributes,
  person: 'by',
  isRequested: true,
});
