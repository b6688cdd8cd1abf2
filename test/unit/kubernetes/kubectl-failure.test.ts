import { expect, test } from 'vitest';
import { kubectlFailure } from '../../../activities/kubernetes/kubectl.ts';

test.for([
  [
    'The connection to the server 127.0.0.1:20720 was refused - did you specify the right host or port?',
    'ClusterUnavailable',
  ],
  ['Unable to connect to the server: dial tcp: lookup api.example: no such host', 'ClusterUnavailable'],
  [
    'error: error validating "STDIN": error validating data: Get "https://127.0.0.1:20720/openapi/v2?timeout=30s": dial tcp 127.0.0.1:20720: connect: connection refused; if you choose to ignore these errors, turn validation off with --validate=false',
    'ClusterUnavailable',
  ],
  [
    'Error from server (ServiceUnavailable): the server is currently unable to handle the request',
    'ClusterUnavailable',
  ],
  [
    'Error from server (Timeout): the server was unable to return a response: request did not complete within 60s',
    'ClusterUnavailable',
  ],
  ['error: http2: client connection lost', 'ClusterUnavailable'],
  ['Unable to connect to the server: x509: certificate signed by unknown authority', 'AuthenticationFailed'],
  ['error: context "staging" does not exist', 'InvalidConfiguration'],
  [
    'Error from server (Forbidden): services is forbidden: User "dev" cannot list resource "services"',
    'ClusterForbids',
  ],
  ['Error from server (Conflict): Operation cannot be fulfilled on configmaps "a"', 'ObjectChanged'],
  ['error: Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas', 'DriftDetected'],
  ['The Service "api" is invalid: spec.ports: Required value', 'ClusterRejected'],
  ['error: something else', 'KubectlFailed'],
  [
    'Error from server (InternalError): error when creating "STDIN": Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: Post "https://check.shop.svc:443/?timeout=10s": dial tcp 10.0.0.7:443: connect: connection refused',
    'KubectlFailed',
  ],
  [
    'Error from server (InternalError): Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: Post "https://check.shop.svc:443/?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'KubectlFailed',
  ],
  [
    'Error from server: conversion webhook for shop.example/v1, Kind=Cart failed: Post "https://carts.shop.svc:443/convert?timeout=30s": EOF',
    'KubectlFailed',
  ],
  [
    'Error from server: error when creating "STDIN": admission webhook "check.example.com" denied the request: the registry answered: connection refused',
    'ClusterRejected',
  ],
  ['Error from server (InternalError): an error on the server ("") has prevented the request', 'ClusterUnavailable'],
] as const)('kubectl says: %s', ([said, type]) => {
  const failure = kubectlFailure('staging', 'apply', `${said}\n`);
  expect(failure).toMatchObject({ type, message: `kubectl apply in the context staging: ${said}` });
});

/** As kubectl 1.33 prints it, after the fields of each object. */
const ADVICE = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
`;

test('what kubectl advises about conflicts is left out: it names the option that overwrites what others own', () => {
  const one = 'error: Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas';
  const two = `error: Apply failed with 2 conflicts: conflicts with "edit":
- .data.a
- .data.b`;
  expect(kubectlFailure('staging', 'apply', `${one}\n${ADVICE}${two}\n${ADVICE}`)).toMatchObject({
    type: 'DriftDetected',
    message: `kubectl apply in the context staging: ${one}\n${two}`,
  });
  // of a message that was cut
  const cut = ADVICE.split('\n').slice(0, 4).join('\n');
  expect(kubectlFailure('staging', 'apply', `${one}\n${cut}`)).toMatchObject({
    message: `kubectl apply in the context staging: ${one}`,
  });
});
