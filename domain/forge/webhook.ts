import { isRepositoryId } from '../git/repository.ts';
import { ignored, type RepositoryChange, type WebhookAction, type WebhookPlace } from './webhook/action.ts';
import { azureDevopsAction } from './webhook/azure-devops.ts';
import { bitbucketAction } from './webhook/bitbucket.ts';
import { githubAction } from './webhook/github.ts';
import { gitlabAction } from './webhook/gitlab.ts';

/** The forges whose webhooks are supported; each has its own address, `/webhooks/<forge>`. */
export const FORGES = ['github', 'gitlab', 'gitea', 'bitbucket', 'azure-devops'] as const;
/** One of {@link FORGES}. */
export type Forge = (typeof FORGES)[number];

/**
 * Maps any event of any forge, known or not, to an action on the index. `event` is the value of the forge's header;
 * `payload` is unchecked JSON; `place` is the provider that sent it.
 */
export function webhookAction(forge: Forge, event: string, payload: unknown, place: WebhookPlace): WebhookAction {
  switch (forge) {
    case 'github':
    case 'gitea':
      return githubAction(event, payload);
    case 'gitlab':
      return gitlabAction(payload);
    case 'bitbucket':
      return bitbucketAction(event, payload);
    case 'azure-devops':
      return azureDevopsAction(payload, place);
    default:
      return ignored('other-event');
  }
}

/**
 * The id of the changed repository, or the pattern of an organization's ids; null when the provider cannot have such a
 * name.
 */
export function idOfChange(provider: string, name: RepositoryChange['name']): string | null {
  const id = [provider, ...name].join('/');
  const [organization, ...rest] = name;
  const isPattern = rest.length === 1 && rest[0] === '*';
  return isRepositoryId(id) && isPlain(organization) && (isPattern || rest.every(isPlain)) ? id : null;
}

function isPlain(segment = ''): boolean {
  return !/[*?]/.test(segment);
}

/** The forge that sends webhooks for providers of a type; null when the type does not determine it. */
export function forgeOf(type: string): Forge | null {
  return FORGES.find((forge) => forge === type) ?? null;
}
