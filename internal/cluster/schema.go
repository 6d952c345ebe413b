// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// Schema is the structural schema of one version of a custom resource. It is shared: do not change it.
type Schema struct {
	Digest object.Digest // equal for equal schemas, on whichever cluster
	Props  *apiextensionsv1.JSONSchemaProps
}

// Schemas holds each schema once, however many clusters have it.
type Schemas struct {
	mu       sync.Mutex
	byDigest map[object.Digest]*apiextensionsv1.JSONSchemaProps
	byKind   map[schemaKey]schemaAt
}

type schemaKey struct {
	cluster *Cluster
	gvk     schema.GroupVersionKind
}

type schemaAt struct {
	rv     string // of the CRD
	schema *Schema
}

// NewSchemas returns an empty store of schemas.
func NewSchemas() *Schemas {
	return &Schemas{byDigest: map[object.Digest]*apiextensionsv1.JSONSchemaProps{}, byKind: map[schemaKey]schemaAt{}}
}

func (s *Schemas) find(key schemaKey, rv string) (*Schema, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.byKind[key]
	return at.schema, ok && rv != "" && at.rv == rv
}

// keep decodes a schema, or returns the one that is equal.
func (s *Schemas) keep(key schemaKey, rv string, raw []byte) (*Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &Schema{Digest: object.DigestBytes(raw)}
	if out.Props = s.byDigest[out.Digest]; out.Props == nil {
		if err := unmarshal(raw, &out.Props); err != nil {
			return nil, err
		}
		if out.Props == nil {
			out.Props = &apiextensionsv1.JSONSchemaProps{}
		}
		s.byDigest[out.Digest] = out.Props
	}
	s.byKind[key] = schemaAt{rv: rv, schema: out}
	return out, nil
}

// forget drops what a closed cluster used.
func (s *Schemas) forget(c *Cluster) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used := map[object.Digest]bool{}
	for key, at := range s.byKind {
		if key.cluster == c {
			delete(s.byKind, key)
		} else {
			used[at.schema.Digest] = true
		}
	}
	for digest := range s.byDigest {
		if !used[digest] {
			delete(s.byDigest, digest)
		}
	}
}

// Schema returns the structural schema of a custom resource's version, read from its CRD when it is first asked for and
// whenever that has changed. A kind that no CRD defines gives nil without an error.
func (c *Cluster) Schema(ctx context.Context, gvk schema.GroupVersionKind) (*Schema, error) {
	res, presence, reason := c.Resource(gvk)
	switch presence {
	case Unknown:
		return nil, fault.New(fault.Retry, "read the schema of", gvk.String(), "", reason, "")
	case Absent:
		return nil, newError(NoSuchKind, fault.Wait, "read the schema of", gvk.String(), reason, rules[NoSuchKind].fix)
	}
	if gvk.Group == "" {
		return nil, nil
	}
	name := res.GVR.Resource + "." + gvk.Group
	rv, exists, known := c.crds.version(name)
	if known && !exists {
		return nil, nil
	}
	key := schemaKey{c, res.GVK}
	if found, ok := c.opts.Schemas.find(key, rv); ok {
		return found, nil
	}
	raw, err := c.readRaw(asOurselves(ctx), crdGVK, "", name)
	if errors.Is(err, NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.schemaOf(key, name, raw)
}

func (c *Cluster) schemaOf(key schemaKey, name string, raw []byte) (*Schema, error) {
	var crd struct {
		Metadata itemMeta `json:"metadata"`
		Spec     struct {
			Versions []struct {
				Name   string `json:"name"`
				Schema struct {
					Props json.RawMessage `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := unmarshal(raw, &crd); err != nil {
		return nil, fault.Wrap(fault.Retry, "read", "CustomResourceDefinition "+name, err, "")
	}
	for _, version := range crd.Spec.Versions {
		if version.Name != key.gvk.Version {
			continue
		}
		props := version.Schema.Props
		if len(props) == 0 {
			props = []byte("{}")
		}
		out, err := c.opts.Schemas.keep(key, crd.Metadata.ResourceVersion, props)
		return out, fault.Wrap(fault.Retry, "read the schema of", "CustomResourceDefinition "+name, err, "")
	}
	return nil, fault.New(fault.Retry, "read the schema of", "CustomResourceDefinition "+name, "", fmt.Sprintf("it has no version %s", key.gvk.Version), "")
}
