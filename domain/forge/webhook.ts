import { isRepositoryId } from '../git/repository.ts';
import { ignored, type RepositoryChange, type WebhookAction } from './webhook/action.ts';
import { azureDevopsAction } from './webhook/azure-devops.ts';
import { bitbucketAction } from './webhook/bitbucket.ts';
import { githubAction } from './webhook/github.ts';
import { gitlabAction } from './webhook/gitlab.ts';

/** The forges whose webhooks are understood; each has its own address, `/webhooks/<forge>`. */
export const FORGES = ['github', 'gitlab', 'gitea', 'bitbucket', 'azure-devops'] as const;
/** One of {@link FORGES}. */
export type Forge = (typeof FORGES)[number];

/**
 * What a webhook means to the index: every event of every forge, known or not. `event` is what the forge's header says;
 * `payload` is any JSON at all, and nothing in it is trusted to be there.
 */
export function webhookAction(forge: Forge, event: string, payload: unknown): WebhookAction {
  switch (forge) {
    case 'github':
    case 'gitea':
      return githubAction(event, payload);
    case 'gitlab':
      return gitlabAction(payload);
    case 'bitbucket':
      return bitbucketAction(event, payload);
    case 'azure-devops':
      return azureDevopsAction(payload);
    default:
      return ignored('no such forge');
  }
}

/** The id of the repository that a change is about, or the pattern of an organization's; null when a provider has no such name. */
export function idOfChange(provider: string, name: RepositoryChange['name']): string | null {
  const id = [provider, ...name].join('/');
  const [organization, ...rest] = name;
  const isPattern = rest.length === 1 && rest[0] === '*';
  return isRepositoryId(id) && isPlain(organization) && (isPattern || rest.every(isPlain)) ? id : null;
}

function isPlain(segment = ''): boolean {
  return !/[*?]/.test(segment);
}

/** The forge whose webhooks providers of a type get; null when the type does not say. */
export function forgeOf(type: string): Forge | null {
  return FORGES.find((forge) => forge === type) ?? null;
}
