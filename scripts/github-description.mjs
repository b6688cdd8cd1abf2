// Writes the cut of GitHub's OpenAPI description that tests check requests and answers against:
//   npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-23.0.2.tgz && node scripts/github-description.mjs package
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = '/repos/{owner}/{repo}';
const OPERATIONS = [
  'get /user',
  ...[
    'get /pulls',
    'post /pulls',
    'patch /pulls/{pull_number}',
    'get /issues/{issue_number}/comments',
    'post /issues/{issue_number}/comments',
    'patch /issues/comments/{comment_id}',
    'get /labels',
    'post /labels',
    'get /issues/{issue_number}/labels',
    'post /issues/{issue_number}/labels',
    'delete /issues/{issue_number}/labels/{name}',
    'get /commits/{ref}/statuses',
    'post /statuses/{sha}',
    'get /git/ref/{ref}',
    'get /releases/tags/{tag}',
    'post /releases',
    'patch /releases/{release_id}',
    'get /releases/{release_id}/assets',
    'post /releases/{release_id}/assets',
    'delete /releases/assets/{asset_id}',
  ].map((operation) => operation.replace(' ', ` ${REPOSITORY}`)),
];

const [folder = ''] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const text = readFileSync(join(folder, 'generated', 'api.github.com.deref.json'));
const { paths, info } = JSON.parse(text.toString());

/** A schema without what does not restrict values. Answers may leave fields out: the tests' forge has only those in use. */
function reduced(schema, isAnswer) {
  if (Array.isArray(schema)) return schema.map((entry) => reduced(entry, isAnswer));
  if (typeof schema !== 'object' || schema === null) return schema;
  const left = {};
  for (const [key, value] of Object.entries(schema)) {
    if (
      ['description', 'example', 'examples', 'title', 'default', 'deprecated', 'format', 'x-multi-segment'].includes(
        key,
      )
    )
      continue;
    if (key === 'required' && isAnswer && Array.isArray(value)) continue;
    if (key === 'oneOf' && isAnswer) {
      // without required fields several can match
      left.anyOf = reduced(value, isAnswer);
      continue;
    }
    if (key === 'properties') {
      left[key] = Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, reduced(entry, isAnswer)]));
    } else left[key] = reduced(value, isAnswer);
  }
  if (left.nullable === true && typeof left.type === 'string') left.type = [left.type, 'null'];
  delete left.nullable;
  return left;
}

/** The first two levels of an answer: deeper ones are not in use. */
function shallow(schema, depth = 2) {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema.items) return { ...schema, items: shallow(schema.items, depth) };
  if (schema.allOf || schema.anyOf || schema.oneOf) return depth === 2 ? schema : {};
  if (!schema.properties) return schema;
  if (depth === 0) return { type: schema.type };
  return {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(schema.properties).map(([name, entry]) => [name, shallow(entry, depth - 1)]),
    ),
  };
}

const operations = Object.fromEntries(
  OPERATIONS.map((operation) => {
    const [method = '', path = ''] = operation.split(' ');
    const { parameters = [], requestBody, responses } = paths[path][method];
    const query = parameters
      .filter((entry) => entry.in === 'query')
      .map(({ name, required = false, schema }) => ({ name, required, schema: reduced(schema, false) }));
    const body = requestBody?.content?.['application/json']?.schema;
    const [[status, answer] = ['', {}]] = Object.entries(responses).filter(([code]) => code.startsWith('2'));
    const schema = answer.content?.['application/json']?.schema;
    return [
      operation,
      {
        query,
        ...(body === undefined ? {} : { body: reduced(body, false) }),
        status: Number(status),
        ...(schema === undefined ? {} : { answer: shallow(reduced(schema, true)) }),
        refusals: Object.keys(responses)
          .filter((code) => Number(code) >= 400)
          .map(Number),
      },
    ];
  }),
);
const cut = {
  source: {
    package: `@octokit/openapi@${version}`,
    file: 'generated/api.github.com.deref.json',
    version: info.version,
    sha256: createHash('sha256').update(text).digest('hex'),
    license: 'MIT',
  },
  operations,
};
writeFileSync('test/support/forges/github-description.json', `${JSON.stringify(cut, null, 1)}\n`);
