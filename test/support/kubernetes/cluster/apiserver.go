package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// auditPolicy: every write is in the audit log, with what was sent. Of what holds secrets only the fact is.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  verbs: [get, list, watch]
- level: None
  resources: [{group: "", resources: [events]}, {group: events.k8s.io}, {group: coordination.k8s.io}, {group: authorization.k8s.io}]
- level: Metadata
  resources: [{group: "", resources: [secrets, configmaps, serviceaccounts/token]}]
- level: Request
`

func auditLog(folder string) string    { return filepath.Join(folder, "audit.log") }
func certificate(folder string) string { return filepath.Join(folder, "certificates", "apiserver.crt") }

// startAPIServer starts the kube-apiserver and returns when clients can read its certificate. The process ends with it.
func startAPIServer(folder string, self identity, etcd string) error {
	in := func(name string) string { return filepath.Join(folder, name) }
	tokens := fmt.Sprintf("%s,admin,admin,system:masters\n%s,controllers,controllers,system:masters\n%s,kubelet,kubelet,system:masters\n",
		self.Admin, self.Controllers, self.Kubelet)
	for name, content := range map[string]string{
		"tokens.csv":          tokens,
		"service-account.key": self.ServiceAccountKey,
		"audit-policy.yaml":   auditPolicy,
	} {
		if err := writeWhole(in(name), []byte(content)); err != nil {
			return err
		}
	}
	command := apiserver.NewAPIServerCommand()
	command.SetArgs([]string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", self.APIPort),
		"--cert-dir=" + filepath.Dir(certificate(folder)),
		"--token-auth-file=" + in("tokens.csv"),
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + in("service-account.key"),
		"--service-account-signing-key-file=" + in("service-account.key"),
		"--service-cluster-ip-range=10.0.0.0/16",
		"--audit-policy-file=" + in("audit-policy.yaml"),
		"--audit-log-path=" + auditLog(folder),
		// one file: it would be rotated at 100 MB
		"--audit-log-maxsize=10000",
		// taints new nodes until a controller that is not here finds them ready
		"--disable-admission-plugins=TaintNodesByCondition",
		// the service `kubernetes` would get an endpoint on loopback, which is refused
		"--endpoint-reconciler-type=none",
		"--enable-priority-and-fairness=false",
		"--profiling=false",
	})
	// a certificate of a start that was interrupted might be half written; it is made again
	if _, err := os.Stat(in("kubeconfig")); errors.Is(err, os.ErrNotExist) {
		if err := os.RemoveAll(filepath.Dir(certificate(folder))); err != nil {
			return err
		}
	}
	go func() { log.Fatal("the apiserver ended: ", command.Execute()) }()
	for range 600 {
		if content, err := os.ReadFile(certificate(folder)); err == nil && bytes.Contains(content, []byte("-----END")) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("the apiserver has no certificate after a minute")
}
