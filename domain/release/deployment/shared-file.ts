/** Names the file of another repository that has the environments of this one. */
export interface SharedFile {
  /** Id of the other repository. */
  readonly repository: string;
  /** Path in it. */
  readonly path: string;
}

/** A file of another repository at a commit: what a deployment was planned with. */
export interface SharedSource extends SharedFile {
  /** Full oid. */
  readonly commit: string;
}

/** A {@link SharedSource}, and its content in the blob store. */
export interface SharedText extends SharedSource {
  /** SHA-256. */
  readonly text: string;
}

/** `shop.yaml of work/acme/environments at 0123456789ab` */
export function describeShared({ repository, path, commit }: SharedSource): string {
  return `${path} of ${repository} at ${commit.slice(0, 12)}`;
}
