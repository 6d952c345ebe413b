// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
	"sync"
)

// packed is an object's JSON as the store keeps it: deflated with a dictionary of what most objects contain, which
// makes a small ConfigMap with its managedFields about a third of its size.
type packed struct {
	data     string
	deflated bool
}

// packFrom is the size below which deflating saves too little to pay for inflating.
const packFrom = 512

// packLevel is the lowest level that uses the dictionary.
const packLevel = 2

var (
	writers = sync.Pool{New: func() any {
		w, err := flate.NewWriterDict(io.Discard, packLevel, []byte(dictionary))
		if err != nil {
			panic(err) // the level is a constant
		}
		return w
	}}
	readers = sync.Pool{New: func() any { return flate.NewReaderDict(bytes.NewReader(nil), []byte(dictionary)) }}
)

func pack(raw []byte) packed {
	if len(raw) < packFrom {
		return packed{data: string(raw)}
	}
	w := writers.Get().(*flate.Writer)
	defer writers.Put(w)
	var out bytes.Buffer
	out.Grow(len(raw) / 3)
	w.Reset(&out)
	if _, err := w.Write(raw); err != nil {
		return packed{data: string(raw)}
	}
	if err := w.Close(); err != nil {
		return packed{data: string(raw)}
	}
	return packed{data: out.String(), deflated: true}
}

func (p packed) empty() bool { return p.data == "" }

// unpack returns the JSON.
func (p packed) unpack() ([]byte, error) {
	if !p.deflated {
		return []byte(p.data), nil
	}
	r := readers.Get().(io.ReadCloser)
	defer readers.Put(r)
	if err := r.(flate.Resetter).Reset(strings.NewReader(p.data), []byte(dictionary)); err != nil {
		return nil, fmt.Errorf("inflate a stored object: %w", err)
	}
	out := bytes.NewBuffer(make([]byte, 0, 4*len(p.data)))
	if _, err := out.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("inflate a stored object: %w", err)
	}
	return out.Bytes(), nil
}

// dictionary holds what Kubernetes objects repeat, the most frequent last, where the distance is shortest.
const dictionary = `{"f:lastTransitionTime":{},"f:lastUpdateTime":{},"f:message":{},"f:reason":{},"f:status":{},"f:type":{}},"f:observedGeneration":{},"f:readyReplicas":{},"f:replicas":{},"f:updatedReplicas":{}}},"manager":"kube-controller-manager","operation":"Update","subresource":"status","time":"202` +
	`"progressDeadlineSeconds":600,"revisionHistoryLimit":10,"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"},"type":"RollingUpdate"},"template":{"metadata":{"labels":{"app.kubernetes.io/name":"` +
	`"containers":[{"image":"","imagePullPolicy":"IfNotPresent","name":"","ports":[{"containerPort":80,"name":"http","protocol":"TCP"}],"resources":{"limits":{"cpu":"","memory":""},"requests":{}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","volumeMounts":[],"env":[{"name":"","value":"","valueFrom":` +
	`"dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{},"terminationGracePeriodSeconds":30}}},"status":{"availableReplicas":1,"conditions":[{"lastTransitionTime":"","lastUpdateTime":"","message":"","reason":"MinimumReplicasAvailable","status":"True","type":"Available"}],"observedGeneration":1` +
	`"f:spec":{"f:template":{"f:metadata":{},"f:spec":{"f:containers":{"k:{\"name\":\"\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{},"f:resources":{}}}}},"f:selector":{},"f:replicas":{},"f:strategy":{}}` +
	`"clusterIP":"10.","clusterIPs":["10."],"internalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":"http"}],"selector":{"app":""},"sessionAffinity":"None","type":"ClusterIP"},"status":{"loadBalancer":{}}}` +
	`"ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"","uid":""}],` +
	`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{"deployment.kubernetes.io/revision":"1","kubectl.kubernetes.io/last-applied-configuration":"{\"apiVersion\":\"` +
	`{"apiVersion":"v1","data":{"":""},"kind":"ConfigMap","metadata":{"annotations":{"argocd.argoproj.io/tracking-id":":/ConfigMap:/"},"creationTimestamp":"2026-01-01T00:00:00Z","generation":1,"labels":{"app.kubernetes.io/instance":"","app.kubernetes.io/managed-by":"","app.kubernetes.io/name":""},` +
	`"managedFields":[{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:":{}},"f:metadata":{"f:annotations":{"f:argocd.argoproj.io/tracking-id":{}},"f:labels":{"f:app.kubernetes.io/name":{}}}},"manager":"argocd-controller","operation":"Apply","time":"2026-01-01T00:00:00Z"}],"name":"","namespace":"default","resourceVersion":"","uid":""}}`
