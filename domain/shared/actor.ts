/** A person or program that acts, and how it was proved who it is. */
export interface Actor {
  readonly name: string;
  /** `unauthenticated`: a name that nothing proves. */
  readonly authenticatedBy: 'api-key' | 'oidc' | 'unauthenticated';
}
