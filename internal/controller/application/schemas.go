// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"fmt"
	stdsync "sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bowline-cd/bowline/internal/cluster"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
)

// schemas turns the structural schemas of custom resources into what comparisons use, each once.
type schemas struct {
	mu       stdsync.Mutex
	compiled map[schemaKey]*diff.Schema
}

type schemaKey struct {
	gvk    schema.GroupVersionKind
	digest object.Digest // of what the definition says
	known  object.Digest // of what the settings say besides
}

// get returns the schema of a custom resource, with the fields that settings know the types of; nil for kinds that are
// built in or have none.
func (s *schemas) get(ctx context.Context, c *cluster.Cluster, gvk schema.GroupVersionKind, known *knownTypes) (*diff.Schema, error) {
	if diff.BuiltIn(gvk) != nil {
		return nil, nil
	}
	found, err := c.Schema(ctx, gvk)
	if err != nil {
		return nil, fmt.Errorf("read the schema of %s: %w", gvk, err)
	}
	if found == nil {
		return nil, nil
	}
	key := schemaKey{gvk, found.Digest, known.digest}
	s.mu.Lock()
	defer s.mu.Unlock()
	if compiled := s.compiled[key]; compiled != nil {
		return compiled, nil
	}
	raw, err := json.Marshal(found.Props)
	if err != nil {
		return nil, fmt.Errorf("read the schema of %s: %w", gvk, err)
	}
	var props map[string]any
	if err := json.Unmarshal(raw, &props); err != nil {
		return nil, fmt.Errorf("read the schema of %s: %w", gvk, err)
	}
	compiled, err := diff.ForCRD(gvk, props, known.fields)
	if err != nil {
		return nil, err
	}
	s.compiled[key] = compiled
	return compiled, nil
}
