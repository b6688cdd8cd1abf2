import type { PublishedPackage } from '../bench/judged.schema.ts';

/** A repository of published packages that need those of others. */
export interface LinkedRepository {
  /** Its path, as on GitHub: `remarkjs/remark`. */
  readonly path: string;
  /** What it publishes. One package is the repository; several are below `packages/`. */
  readonly packages: readonly PublishedPackage[];
}

type Pin = readonly [name: string, version: string, sha256: string];

function from(registry: PublishedPackage['registry'], path: string, ...pins: readonly Pin[]): LinkedRepository {
  return { path, packages: pins.map(([name, version, sha256]) => ({ registry, name, version, sha256 })) };
}

/**
 * Repositories whose packages depend on one another, in versions that fit: 24 of the unified family, 10 of HashiCorp in Go,
 * 4 crates. Published packages never change, so these pins make the same commits on every machine.
 */
export const LINKED_REPOSITORIES: readonly LinkedRepository[] = [
  from(
    'npm',
    'micromark/micromark',
    ['micromark', '4.0.3', '2f3f1e4dfc15279ffd246cb739200dd7ce823d047d9648938c3e3ee50be5ee02'],
    ['micromark-core-commonmark', '2.0.4', '84979e673035ced9448b39f2c6eabc9d6d543b53ec211d1be77fedf72564a5eb'],
    ['micromark-factory-destination', '2.0.1', 'b4acd1721e4756a61f2482c3424344b8b01bdbf79180cf6e411ed491887bd8db'],
    ['micromark-factory-label', '2.0.1', 'c65fb436893844fb5be29814dc2528a596236423c4c7e5b1130cd49b5bae8c1d'],
    ['micromark-factory-space', '2.1.0', '5218d07cfd00f867e94f4197c9aac409fb8ea17c26ab38a124f9dd79ba8b8a3d'],
    ['micromark-factory-title', '2.0.1', '2e247f3d7ddef39cde036ee828a66ec410059b3963ce3e376160e48011f257b0'],
    ['micromark-factory-whitespace', '2.0.1', '57dc50841f76fac5cf46e093b8325397079e10406febebb6c58a58e1528a4fec'],
    ['micromark-util-character', '2.1.1', 'bacefea968d21cedf290ec319ec92e2bc20e4f7b02f62cb4ad1e7b07c5a45185'],
    ['micromark-util-chunked', '2.0.1', 'a7b753059876eda10e9e14c024d1cf6eb3a2eb2021c79ef59fb483d72cda754a'],
    ['micromark-util-classify-character', '2.0.1', 'ae1040e3100c019e183e474cb7f174eb436d856013169a0c8783a52519bacced'],
    ['micromark-util-combine-extensions', '2.0.1', '717cb91921ff540a2c776317f31ad005c3c45ec0ae1c188f1b99de621521b4b5'],
    [
      'micromark-util-decode-numeric-character-reference',
      '2.0.2',
      'cd26a08f068727f3cc892e8f2549b85065362bd920506649386c791fe349db98',
    ],
    ['micromark-util-decode-string', '2.0.1', '09ab2cda2d2f4fec4e3b829042866fa3d619d4c48c895233495a4ac49f325059'],
    ['micromark-util-edit-map', '1.0.0', 'da60526f11a9853fdc86c18ceaa8eb7b5058c2537433e66b6ba7cf9d24cac334'],
    ['micromark-util-encode', '2.0.1', 'c553824f256f5f99f8f8b172d25caa7b2270ece5a00774cd1dbbc8bf9cd9090a'],
    ['micromark-util-html-tag-name', '2.0.1', '9d56df2779bb23785d208136430484ccedca4378bd36976c4793ace4c1cae077'],
    [
      'micromark-util-normalize-identifier',
      '2.0.1',
      '6687cbaaa6a420bad0e5ca2ea0dfaea409ba8dc9e13ca03059291da8b68ceb2d',
    ],
    ['micromark-util-resolve-all', '2.0.1', 'f7c8f03bdbdb16113879dadabc7091aa4277a1c106f202e05af164a917964555'],
    ['micromark-util-sanitize-uri', '2.0.1', '8fcf4cf2900f807194fc89fb3e4dd5e5b28143cb44e55955a9f31d764264547e'],
    ['micromark-util-subtokenize', '2.1.0', '10aca3d9ae4d1776f029fa6dbf5d9706291cbafc55ff39ba88141e65b7c59a8b'],
    ['micromark-util-symbol', '2.0.1', 'd8d698fae34d4e5bcdc5caf552449dea8aa46709dc76caea815c931cbd61e222'],
    ['micromark-util-types', '2.0.3', '766abb7b986c167f5d00feb235344b491241bb6299a04fe83f027e13239862f9'],
  ),
  from(
    'npm',
    'micromark/micromark-extension-mdx-expression',
    ['micromark-extension-mdx-expression', '3.0.1', '389dbd68db8764cbb075ea499112ff641aa47038554276091145879d0ab2650a'],
    ['micromark-factory-mdx-expression', '2.0.3', '0da4ea8778e8366209ba0c8ea48fe498366fccebc95462feca809b860da498dc'],
    ['micromark-util-events-to-acorn', '2.0.3', '4eb181e24aa4e9552862215c0dc9b512da2a7bd61b5b46864904dc94a6f3ded4'],
  ),
  from('npm', 'micromark/micromark-extension-mdxjs-esm', [
    'micromark-extension-mdxjs-esm',
    '3.0.0',
    '75e9a0e6e0dcdcd315ddfcc373ad51e33181ba3b4f9e81f5b5b26c809b06d5a0',
  ]),
  from('npm', 'remarkjs/react-markdown', [
    'react-markdown',
    '10.1.0',
    '205f5c607c68e1e42b8d7a036326bdb3a105ae55e6469ecfcaf998004609d5f7',
  ]),
  from(
    'npm',
    'remarkjs/remark',
    ['remark', '15.0.1', '803cf4fdbae094322ea37b7286294307f0cc72e99ce6b7e2de984027cf3dead9'],
    ['remark-parse', '11.0.0', '381d16667f0d394ac045dad61cea875d680a49eae0cbe88a87b0259dc4b2dd33'],
    ['remark-stringify', '11.0.0', 'b2190b6baf1b5e6e1b36f23c24c1658f2dab1a4315370435530cd8f78c390175'],
  ),
  from('npm', 'remarkjs/remark-rehype', [
    'remark-rehype',
    '11.1.2',
    '7bb4ca02a6fe89bbfa5e56485bb5086e2cfa13bbbf7455cd29faac20a6eeaa82',
  ]),
  from('npm', 'syntax-tree/hast-util-to-jsx-runtime', [
    'hast-util-to-jsx-runtime',
    '2.3.7',
    '8ad3f8b27948a58878e2a7798159d57cf91f7630ed933aafd4602b65b1ce5da3',
  ]),
  from('npm', 'syntax-tree/mdast-util-from-markdown', [
    'mdast-util-from-markdown',
    '2.1.0',
    'cd8c31a2d16c256c340322f19ad6673353ef2cd498ba0fca6dead0a310e90ced',
  ]),
  from('npm', 'syntax-tree/mdast-util-mdx', [
    'mdast-util-mdx',
    '3.0.0',
    '4809428758bf3ed9e87c869786c216717e23df4242ad19d11f54bd12c0466941',
  ]),
  from('npm', 'syntax-tree/mdast-util-mdx-expression', [
    'mdast-util-mdx-expression',
    '2.0.1',
    'e63aaa9cf6caedaf03662caa66ac1d93943b9c6ff8b7484dcb0d1f03e8382d7b',
  ]),
  from('npm', 'syntax-tree/mdast-util-mdx-jsx', [
    'mdast-util-mdx-jsx',
    '3.2.1',
    '84d7848a796b1d1a8e9976df7f6a22018cb1a6e78012bef750d8b6a6fe0ea8e2',
  ]),
  from('npm', 'syntax-tree/mdast-util-mdxjs-esm', [
    'mdast-util-mdxjs-esm',
    '2.0.1',
    'f62f301b48a383c8b6ff03e2a7091cfa96925af18de733cd59c1dad124dc7606',
  ]),
  from('npm', 'syntax-tree/mdast-util-to-hast', [
    'mdast-util-to-hast',
    '13.2.2',
    '68c085b8ccaa82fd55898a7920ed168c991d4c75eeeb7313d43d57817867b956',
  ]),
  from('npm', 'syntax-tree/mdast-util-to-markdown', [
    'mdast-util-to-markdown',
    '2.2.3',
    '1ec833bfbe44b947fc24dbc026f54760e22c06c1421cb3b0e2061c277da21b49',
  ]),
  from('npm', 'syntax-tree/unist-util-stringify-position', [
    'unist-util-stringify-position',
    '4.0.0',
    '8692d2396f091680fe342c344acc4594534a9a811b0a9cbcfae7d71c694168b4',
  ]),
  from('npm', 'syntax-tree/unist-util-visit', [
    'unist-util-visit',
    '5.2.0',
    'd11174ce27d62827bd8e1f573756ff4e8b601d466041ddaa693755a37ac917fc',
  ]),
  from('npm', 'unifiedjs/unified', [
    'unified',
    '11.0.5',
    'bc6d6d9e336d7d775f3c369f0a29462523ae75254d4a6e4888b95eba44c4aa78',
  ]),
  from('npm', 'unifiedjs/unified-engine', [
    'unified-engine',
    '11.2.2',
    '78c5583afa33354f9b50602dec4f0390ad4e14f3e4a6c981795002bc9014f0d7',
  ]),
  from('npm', 'unifiedjs/unified-message-control', [
    'unified-message-control',
    '5.0.0',
    'e882cf8f74c2d06edc3f45182b8e5ab760b709f49c06411f2eadb80a1cd53257',
  ]),
  from('npm', 'vfile/vfile', ['vfile', '6.0.3', 'a0dbad2fd8dcc9ae9f652dee6ba49a1db5db2843a8ec2ceb9190ccdba0e0df0c']),
  from('npm', 'vfile/vfile-message', [
    'vfile-message',
    '4.0.4',
    'f4a82ce6b4d2b70b26e69b5e3e63ddec1944fbee25c505229884a06eca6c5311',
  ]),
  from('npm', 'vfile/vfile-reporter', [
    'vfile-reporter',
    '8.1.1',
    'd493a5164dc18bdbe67720832d207a11670ddcf8f9d1674799477fdc013abe84',
  ]),
  from('npm', 'vfile/vfile-statistics', [
    'vfile-statistics',
    '3.0.0',
    '90ae753b4c6de52c689cde40eadeb0afa26e4a7e5c8b920e3c37bb9182dc11ad',
  ]),
  from('npm', 'wooorm/devlop', ['devlop', '1.1.0', 'aed0b5ba97cc3aba851946766b1e4804e92a0d3b2051e047eed4e8bf508ecd5f']),
  from('go', 'hashicorp/errwrap', [
    'github.com/hashicorp/errwrap',
    'v1.1.0',
    '209ae99bc039443e28e4d6bb66517d1756d9468b7578d31f1b63a28103d8e18c',
  ]),
  from('go', 'hashicorp/go-multierror', [
    'github.com/hashicorp/go-multierror',
    'v1.1.1',
    '972cd841ee51fdeac69c5a301e57f8ea27aebf15fddd7f621d5c240f28c3000c',
  ]),
  from('go', 'hashicorp/golang-lru', [
    'github.com/hashicorp/golang-lru',
    'v1.0.2',
    '175d78ffe7391f3f6369cf58ddb87fc51016ba61f2de25bf4ea3962a0b4a0fac',
  ]),
  from('go', 'hashicorp/go-immutable-radix', [
    'github.com/hashicorp/go-immutable-radix',
    'v1.3.1',
    '47f3d79b57082d5db3f966547ad4de2a00544dfb362790fbf2cef1a161b4de3f',
  ]),
  from('go', 'hashicorp/go-sockaddr', [
    'github.com/hashicorp/go-sockaddr',
    'v1.0.5',
    '6facffdf8055397320a27b28d19e8e4a0ba15facb8cfab4e557953d6c29d4343',
  ]),
  from('go', 'hashicorp/go-metrics', [
    'github.com/hashicorp/go-metrics',
    'v0.5.4',
    'e6df1555bcb6020800e0aabd2ae5443d438a4418aa35667f769b554701fba56f',
  ]),
  from('go', 'hashicorp/go-msgpack', [
    'github.com/hashicorp/go-msgpack/v2',
    'v2.1.2',
    'd6eff1902986ec8e7313df27928bc808891a76f944510ffe108c182f10ada4cd',
  ]),
  from('go', 'hashicorp/memberlist', [
    'github.com/hashicorp/memberlist',
    'v0.5.2',
    '65e016cd92ae6e8fc1062f86e120f6df29f151a4b7aff2954d679f7a919a286a',
  ]),
  from('go', 'hashicorp/raft', [
    'github.com/hashicorp/raft',
    'v1.7.3',
    'b3236ef64f853703c64421558c96b755640dc30554598f91994dbef8691d26cd',
  ]),
  from('go', 'hashicorp/serf', [
    'github.com/hashicorp/serf',
    'v0.10.2',
    '117a872dd3c7cadc26c40ea09dfbef6100545514ae658df38187c3069de3e358',
  ]),
  from('crates', 'tokio-rs/bytes', [
    'bytes',
    '1.10.1',
    'd71b6127be86fdcfddb610f7182ac57211d4b18a3e9c82eb2d17662f2227ad6a',
  ]),
  from('crates', 'tokio-rs/tokio', [
    'tokio',
    '1.45.1',
    '75ef51a33ef1da925cea3e4eb122833cb377c61439ca401b770f54902b806779',
  ]),
  from('crates', 'hyperium/http', [
    'http',
    '1.3.1',
    'f4a85d31aea989eead29a3aaf9e1115a180df8282431156e533de47660892565',
  ]),
  from('crates', 'hyperium/h2', ['h2', '0.4.10', 'a9421a676d1b147b16b82c9225157dc629087ef8ec4d5e2960f9437a90dac0a5']),
];
