/** A person or program that acts, and how it was proved who it is. */
export interface Actor {
  readonly name: string;
  /** `unauthenticated` for a name that only the one who acts gave. */
  readonly authenticatedBy: 'api-key' | 'oidc' | 'unauthenticated';
}
