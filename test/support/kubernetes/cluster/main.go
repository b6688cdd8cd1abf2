// A Kubernetes cluster in one process on loopback, for tests of deployments: etcd, the kube-apiserver and the controllers
// are the real ones. Nothing runs in its pods: a stand-in for scheduler and kubelet (kubelet.go) reports what an image's
// tag says (image.go), and an HTTP service (service.go) answers as the images of the Ready pods say.
//
// It prints one line of JSON when it is ready. All its state, with ports and credentials, is in one folder: started
// again with the same folder, it is the same cluster at the same address, whatever ended it before.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// options are the arguments of the program.
type options struct {
	folder   string
	visitors float64
}

func main() {
	var o options
	flag.StringVar(&o.folder, "folder", "", "where all state of the cluster is kept")
	flag.Float64Var(&o.visitors, "visitors", 20, "requests a second to each service, unless its annotation says otherwise")
	attached := flag.Bool("attached", false, "end when standard input ends: when the process that started this one is gone")
	flag.Parse()
	if o.folder == "" {
		log.Fatal("-folder is missing")
	}
	endAtOnce(*attached)
	must(run(context.Background(), o))
	select {}
}

// endAtOnce makes the process exit on a signal. The apiserver would wait a minute for the watches of our own controllers.
func endAtOnce(attached bool) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		os.Exit(0)
	}()
	if attached {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
}

func run(ctx context.Context, o options) error {
	started := time.Now()
	if err := os.MkdirAll(o.folder, 0o700); err != nil {
		return err
	}
	self, err := loadIdentity(o.folder)
	if err != nil {
		return err
	}
	etcd, err := startEtcd(o.folder)
	if err != nil {
		return err
	}
	log.Printf("etcd is ready after %v", time.Since(started))
	if err := startAPIServer(o.folder, self, etcd); err != nil {
		return err
	}
	api := self.client(o.folder, self.Controllers)
	client, err := kubernetes.NewForConfig(api)
	if err != nil {
		return err
	}
	if err := waitForAPI(ctx, client); err != nil {
		return err
	}
	log.Printf("apiserver is ready after %v", time.Since(started))
	authority, err := os.ReadFile(api.CAFile)
	if err != nil {
		return err
	}
	informers, err := startControllers(ctx, api, authority)
	if err != nil {
		return err
	}
	if err := startKubelet(ctx, self.client(o.folder, self.Kubelet), informers); err != nil {
		return err
	}
	routes, err := dynamic.NewForConfig(unlimited(self.client(o.folder, self.Kubelet), "gateway"))
	if err != nil {
		return err
	}
	service, err := startService(ctx, self.ServicePort, o.visitors, informers, routes)
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(o.folder, "kubeconfig")
	if err := writeWhole(kubeconfig, kubeconfigOf(api.Host, authority, self.Admin)); err != nil {
		return err
	}
	log.Printf("the cluster is ready after %v", time.Since(started))
	return json.NewEncoder(os.Stdout).Encode(map[string]string{
		"kubeconfig": kubeconfig,
		"server":     api.Host,
		"service":    service,
		"auditLog":   auditLog(o.folder),
	})
}

// waitForAPI returns when the apiserver serves and has made its first namespaces.
func waitForAPI(ctx context.Context, client kubernetes.Interface) error {
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		if client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() != nil {
			return false, nil
		}
		_, err := client.CoreV1().Namespaces().Get(ctx, "default", metav1.GetOptions{})
		return err == nil, nil
	})
}

func kubeconfigOf(server string, authority []byte, token string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: admin, user: {token: %s}}]
contexts: [{name: test, context: {cluster: test, user: admin, namespace: default}}]
current-context: test
`, server, base64.StdEncoding.EncodeToString(authority), token)
}

// unlimited is how the program's own clients talk to the apiserver: the usual limits would slow down only tests.
func unlimited(config *rest.Config, agent string) *rest.Config {
	copied := rest.CopyConfig(config)
	copied.QPS = -1
	copied.UserAgent = agent
	return copied
}

// writeWhole replaces a file at once, so that a reader never sees half of it.
func writeWhole(path string, content []byte) error {
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
