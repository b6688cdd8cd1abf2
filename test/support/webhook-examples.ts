import examples from '@octokit/webhooks-examples' with { type: 'json' };

/** Every example message of GitHub, by event. The package declares a module although it is JSON. */
export const WEBHOOK_EXAMPLES = examples as unknown as readonly {
  readonly name: string;
  readonly examples: readonly object[];
}[];
