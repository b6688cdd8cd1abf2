package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
)

// identity is what stays the same when a cluster is started again: ports and credentials.
type identity struct {
	APIPort     int
	ServicePort int
	// Tokens of three users, which the audit log tells apart.
	Admin       string
	Controllers string
	Kubelet     string
	// ServiceAccountKey signs the tokens of service accounts: PEM.
	ServiceAccountKey string
}

// loadIdentity reads the identity of the cluster in a folder, or makes one.
func loadIdentity(folder string) (identity, error) {
	var self identity
	file := filepath.Join(folder, "identity.json")
	content, err := os.ReadFile(file)
	if err == nil {
		return self, json.Unmarshal(content, &self)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return self, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return self, err
	}
	block := pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	self = identity{
		APIPort:           freePort(),
		ServicePort:       freePort(),
		Admin:             rand.Text(),
		Controllers:       rand.Text(),
		Kubelet:           rand.Text(),
		ServiceAccountKey: string(pem.EncodeToMemory(&block)),
	}
	content, err = json.Marshal(self)
	if err != nil {
		return self, err
	}
	return self, writeWhole(file, content)
}

// client is how one of the program's own users reaches the apiserver.
func (i identity) client(folder, token string) *rest.Config {
	return &rest.Config{
		Host:            fmt.Sprintf("https://127.0.0.1:%d", i.APIPort),
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAFile: certificate(folder)},
		QPS:             -1,
	}
}

// freePort chooses a port that nothing listens on, below those that systems give to outgoing connections: it must still
// be free when the cluster is started again.
func freePort() int {
	for {
		offset, err := rand.Int(rand.Reader, big.NewInt(12_000))
		must(err)
		port := 20_000 + int(offset.Int64())
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			must(listener.Close())
			return port
		}
	}
}
