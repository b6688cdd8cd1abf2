import type { LocalProviderConfig } from '../../../domain/config.schema.ts';
import type { Provider } from './provider.ts';
/**
 * Repositories in a folder, as `org/repo` or `org/project/repo`, bare or not. `repo.git` is named `repo`, unless both are
 * there. Hidden folders and what is inside repositories are not looked at; symlinks are followed within the folder only.
 */
export declare function createLocalProvider({ name, root: given }: LocalProviderConfig): Provider;
