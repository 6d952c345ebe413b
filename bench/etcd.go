// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

// etcd is the store behind a control plane. To write there makes events that watches of the API server tell like any
// other, without the milliseconds of processor that the API server takes for a write: on two cores it could not carry the
// storm beside anything else, and how fast it is, is not what is measured. It speaks the JSON of etcd's gateway:
// https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/.
type etcd struct {
	address string
	client  *http.Client
}

// storedAs is how the API server stores built-in kinds.
var storedAs = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)

// newEtcd finds the store of a devcluster in its folder.
func newEtcd(plane *child, dir string) (*etcd, error) {
	address, err := plane.argument("--listen-client-url=")
	if err != nil {
		return nil, err
	}
	pki := func(name string) string { return filepath.Join(dir, "pki", name) }
	pair, err := tls.LoadX509KeyPair(pki("apiserver-etcd-client.crt"), pki("apiserver-etcd-client.key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(pki("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &etcd{address: address, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}}}}, nil
}

// argument finds the value of an argument of a process below c.
func (c *child) argument(prefix string) (string, error) {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", c.cmd.Process.Pid))
	if err != nil {
		return "", err
	}
	for _, list := range lists {
		pids, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for pid := range strings.FieldsSeq(string(pids)) {
			line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			for arg := range strings.SplitSeq(string(line), "\x00") {
				if value, ok := strings.CutPrefix(arg, prefix); ok {
					return value, nil
				}
			}
		}
	}
	return "", errors.New("no component of the devcluster has the argument " + prefix)
}

// stored is one key with its object.
type stored struct {
	key    []byte
	object runtime.Object
}

// list reads what is stored below a prefix.
func (e *etcd) list(ctx context.Context, prefix string) ([]stored, error) {
	end := []byte(prefix)
	end[len(end)-1]++ // the first key after all that begin with prefix
	var answer struct {
		KVs []struct{ Key, Value []byte } `json:"kvs"`
	}
	if err := e.call(ctx, "range", map[string]any{"key": []byte(prefix), "range_end": end}, &answer); err != nil {
		return nil, err
	}
	var out []stored
	for _, kv := range answer.KVs {
		decoded, _, err := storedAs.Decode(kv.Value, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kv.Key, err)
		}
		out = append(out, stored{kv.Key, decoded})
	}
	return out, nil
}

// put writes objects in one transaction: no two of one key.
func (e *etcd) put(ctx context.Context, objects []stored) error {
	var operations []any
	for _, o := range objects {
		var value bytes.Buffer
		if err := storedAs.Encode(o.object, &value); err != nil {
			return err
		}
		operations = append(operations, map[string]any{"request_put": map[string]any{"key": o.key, "value": value.Bytes()}})
	}
	var answer struct {
		Succeeded bool `json:"succeeded"`
	}
	if err := e.call(ctx, "txn", map[string]any{"success": operations}, &answer); err != nil {
		return err
	}
	if !answer.Succeeded {
		return errors.New("etcd did not carry out a transaction")
	}
	return nil
}

func (e *etcd) call(ctx context.Context, what string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.address+"/v3/kv/"+what, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := e.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("etcd: %s: %s", resp.Status, text)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
