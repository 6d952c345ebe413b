// SPDX-License-Identifier: Apache-2.0

package app

import (
	"net/http"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// rememberingMapper asks another mapper once for each version of a kind. Every read from the manager's cache asks whether its
// kind lives in namespaces, and the mapper below goes through all groups to answer. It is for the hub's own kinds, whose
// resource and scope stay as they are while they exist.
type rememberingMapper struct {
	meta.RESTMapper
	known sync.Map // versioned to *meta.RESTMapping
}

type versioned struct {
	kind    schema.GroupKind
	version string
}

// newMapper is a MapperProvider of controller-runtime.
func newMapper(config *rest.Config, client *http.Client) (meta.RESTMapper, error) {
	inner, err := apiutil.NewDynamicRESTMapper(config, client)
	if err != nil {
		return nil, err
	}
	return &rememberingMapper{RESTMapper: inner}, nil
}

// RESTMapping implements meta.RESTMapper.
func (m *rememberingMapper) RESTMapping(gk schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	if len(versions) != 1 {
		return m.RESTMapper.RESTMapping(gk, versions...)
	}
	key := versioned{gk, versions[0]}
	if known, ok := m.known.Load(key); ok {
		return known.(*meta.RESTMapping), nil
	}
	found, err := m.RESTMapper.RESTMapping(gk, versions...)
	if err == nil { // what is not there may come
		m.known.Store(key, found)
	}
	return found, err
}
