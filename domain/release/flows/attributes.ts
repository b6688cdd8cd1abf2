import { repositoryName } from '../../git/repository.ts';
/** A generation of a repository, by id and version. */
interface GenerationKey {
  readonly repository: string;
  /** `v1.5.0` */
  readonly version: string;
}

/** The search attribute with the generation that a run is about. */
export const GENERATION_ATTRIBUTE = 'LonghaulGeneration';

/** The value of {@link GENERATION_ATTRIBUTE}: `work/acme/api@v1.5.0`. */
export function generationKey({ repository, version }: GenerationKey): string {
  return `${repository}@${version}`;
}

/** The search attributes of a run about a repository, and about one of its generations where that is known. */
export function releaseAttributes({
  repository,
  version,
}: Pick<GenerationKey, 'repository'> & Partial<GenerationKey>): Readonly<Record<string, string>> {
  return {
    LonghaulRepository: repositoryName(repository),
    ...(version === undefined ? {} : { [GENERATION_ATTRIBUTE]: generationKey({ repository, version }) }),
  };
}

/** The version of the generation that an evolution belongs to, from its tag: `v1.5.0` of `v1.5.0-rc.1`. */
export function versionOfTag(tag: string): string {
  return tag.replace(/-rc\.\d+$/, '');
}
