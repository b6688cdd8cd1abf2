import type { MissingPart } from '../evolutions/describe.ts';
/** A file of a release, whose content is in the blob store. */
export interface ReleaseAsset {
  readonly name: string;
  /** SHA-256 of its content. */
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
}

/** What the policies of a repository want to be in a release, and where it is. */
export interface WantedAssets {
  /** Paths and patterns of artifacts. */
  readonly patterns: readonly string[];
  /** Digests of the archives with the artifacts of the runs on the tree that is released. */
  readonly archives: readonly string[];
}

/** The files of a release, or why they cannot be collected, a sentence each. */
export interface CollectedAssets {
  readonly assets: readonly ReleaseAsset[];
  readonly problems: readonly string[];
}

/** What is published after a promotion: a file of the release, or an announcement to a channel. */
export type ReleasePart =
  | ({ readonly kind: 'asset' } & ReleaseAsset)
  | {
      readonly kind: 'announcement';
      /** The channel. */
      readonly name: string;
    };

/** A part of a release that is not published yet. */
export type DuePart = ReleasePart & {
  /** Earlier attempts. */
  readonly attempts: number;
};

/** A refusal that a repetition does not change: type and sentence. */
export interface PartRefusal {
  readonly type: string;
  readonly message: string;
}

/** The release at the forge. A refusal is a result: what does not need it is published all the same. */
export interface PublishedRelease {
  /** Null when there is none. */
  readonly url: string | null;
  readonly refusal: PartRefusal | null;
}

/** How an attempt to publish a {@link ReleasePart} ended. A refusal is a result, as that of a release. */
export interface PartEnd {
  /** `kept`: the provider has no releases. */
  readonly status: 'pending' | 'published' | 'kept';
  readonly attempts: number;
  /** Address at the forge; null for none. */
  readonly url: string | null;
  /** Null when it was published. */
  readonly refusal: PartRefusal | null;
}

/** A line for people about a part and its end; `end`: null for an announcement that goes on in a flow of its own. */
export function describePart(
  part: Pick<DuePart, 'kind' | 'name'> & { readonly digest?: string },
  end: PartEnd | null,
): string {
  const what = part.kind === 'asset' ? `asset ${part.name}` : `announcement to ${part.name}`;
  if (end === null) return `${what}: goes on until the channel takes it`;
  const { status, url, refusal } = end;
  if (refusal !== null) return `${what}: missing (${refusal.message})`;
  if (status === 'kept' && part.kind === 'asset') return `${what}: blob ${part.digest}`;
  return `${what}: ${url ?? 'sent'}`;
}

/** Files that a release may have. */
export const MOST_ASSETS = 100;

/** Names that no forge changes. */
export const ASSET_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,98}[A-Za-z0-9_-]$|^[A-Za-z0-9_]$/;

/**
 * The release and the offers of a hotfix that the lines of a publication call missing. Files and announcements are left
 * out: the ledger has rows of them.
 */
export function missingIn(version: string, published: readonly string[]): MissingPart[] {
  return published.flatMap((line): MissingPart[] => {
    const [, what = '', problem = ''] = /^(.+?): (?:missing|not offered) \((.*)\)$/s.exec(line) ?? [];
    if (what === '' || /^(?:asset|announcement to) /.test(what)) return [];
    return [what === 'release' ? { kind: 'release', name: version, problem } : { kind: 'offer', name: what, problem }];
  });
}
