/** Where repositories can be, as types of providers that `longhaul init` writes. */
export const SOURCES = ['github', 'gitlab', 'gitea', 'azure-devops', 'bitbucket', 'local'] as const;
