/** One repository of the demo fleet: consecutive published versions of an npm package, one commit each. */
export interface FleetPackage {
  /** The name on npm. */
  readonly name: string;
  /** The repository's path below the fleet's root: `org/repo` or `org/project/repo`, without `.git`. */
  readonly path: string;
  /** Oldest first. Published versions never change, so these pins make the same commits on every machine. */
  readonly versions: readonly string[];
  /** The version that `main` points to until the fleet is advanced to the newest one. */
  readonly early: string;
}

/**
 * Small packages that publish their sources, chosen for variety: JavaScript (CommonJS and ESM), TypeScript, Python, C,
 * C++, Rust, Go, Swift, Java, Kotlin, Objective-C, Bash, HTML and CSS. Four of them do not change when the fleet
 * advances, so that a sync shows both kinds.
 */
export const FLEET_PACKAGES: readonly FleetPackage[] = [
  {
    name: 'express',
    path: 'expressjs/express',
    versions: ['4.22.1', '5.0.0', '5.0.1', '5.1.0', '5.2.0', '5.2.1'],
    early: '5.0.1',
  },
  {
    name: 'commander',
    path: 'tj/commander.js',
    versions: ['11.0.0', '11.1.0', '12.0.0', '12.1.0', '13.0.0', '13.1.0'],
    early: '12.0.0',
  },
  {
    name: 'execa',
    path: 'sindresorhus/execa',
    versions: ['9.2.0', '9.3.0', '9.3.1', '9.4.0', '9.4.1', '9.5.0'],
    early: '9.3.1',
  },
  {
    name: 'koa',
    path: 'koajs/koa',
    versions: ['2.14.1', '2.14.2', '2.15.0', '2.15.1', '2.15.2', '2.15.3'],
    early: '2.14.2',
  },
  {
    name: 'immer',
    path: 'immerjs/immer',
    versions: ['10.0.1', '10.0.2', '10.0.3', '10.0.4', '10.1.0', '10.1.1'],
    early: '10.0.4',
  },
  {
    name: 'redux',
    path: 'reduxjs/redux',
    versions: ['4.2.1', '5.0.0', '5.0.1'],
    early: '5.0.1',
  },
  {
    name: 'reselect',
    path: 'reduxjs/reselect',
    versions: ['4.1.6', '4.1.7', '4.1.8', '5.0.0', '5.0.1', '5.1.0', '5.1.1'],
    early: '5.0.1',
  },
  {
    name: 'html5-boilerplate',
    path: 'h5bp/html5-boilerplate',
    versions: ['7.1.0', '7.2.0', '7.3.0', '8.0.0', '9.0.0', '9.0.1'],
    early: '8.0.0',
  },
  {
    name: 'bats',
    path: 'bats-core/bats-core',
    versions: ['1.7.0', '1.8.0', '1.8.2', '1.9.0', '1.10.0', '1.11.0'],
    early: '1.8.2',
  },
  {
    name: 'node-gyp',
    path: 'nodejs/addons/node-gyp',
    versions: ['9.4.0', '9.4.1', '10.0.0', '10.0.1', '10.1.0', '10.2.0'],
    early: '10.0.1',
  },
  {
    name: 'node-addon-api',
    path: 'nodejs/addons/node-addon-api',
    versions: ['7.0.0', '7.1.0', '7.1.1', '8.0.0', '8.1.0', '8.2.0'],
    early: '7.1.1',
  },
  {
    name: 'tree-sitter-json',
    path: 'tree-sitter/grammars/tree-sitter-json',
    versions: ['0.24.2', '0.24.3', '0.24.4', '0.24.5', '0.24.7', '0.24.8'],
    early: '0.24.8',
  },
  {
    name: 'react-native-safe-area-context',
    path: 'appandflow/mobile/react-native-safe-area-context',
    versions: ['4.10.6', '4.10.7', '4.10.8', '4.10.9', '4.11.0', '4.11.1'],
    early: '4.10.9',
  },
  {
    name: '@capacitor/preferences',
    path: 'ionic-team/capacitor/preferences',
    versions: ['5.0.7', '5.0.8', '6.0.0', '6.0.1', '6.0.2', '6.0.3'],
    early: '6.0.3',
  },
  {
    name: 'cordova-plugin-device',
    path: 'apache/cordova/cordova-plugin-device',
    versions: ['2.0.0', '2.0.1', '2.0.2', '2.0.3', '2.1.0', '3.0.0'],
    early: '3.0.0',
  },
];
