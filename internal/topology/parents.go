// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bowline-cd/bowline/internal/object"
)

// The kinds that Kubernetes or its operators hang below others without an ownerReference, and those they hang below.
const (
	serviceNameLabel    = "kubernetes.io/service-name"         // of an EndpointSlice, by discovery.k8s.io/v1
	accountNameKey      = "kubernetes.io/service-account.name" // of a token Secret, by core/v1
	accountUIDKey       = "kubernetes.io/service-account.uid"
	operatorGroupKey    = "olm.operatorGroup" // of a ClusterServiceVersion, by the Operator Lifecycle Manager
	operatorsGroup      = "operators.coreos.com"
	claimRole           = "StatefulSet/claim"
	endpointSliceGroup  = "discovery.k8s.io"
	kindClaim           = "PersistentVolumeClaim"
	kindStatefulSet     = "StatefulSet"
	kindService         = "Service"
	kindServiceAccount  = "ServiceAccount"
	kindOperatorGroup   = "OperatorGroup"
	kindOperatorVersion = "ClusterServiceVersion"
)

// Parents are the objects above one that no ownerReference tells of: by uid, or under a role that the parent has.
type Parents struct {
	UIDs  []types.UID
	Roles []object.Key
}

// Infer returns the parents that follow from an object's name, labels and annotations alone: the Service of Endpoints
// and EndpointSlices, the ServiceAccount of a token Secret, the StatefulSet of a claim made of its template, the
// OperatorGroup of a ClusterServiceVersion.
func Infer(key object.Key, labels, annotations map[string]string) Parents {
	beside := func(group, kind, name string) Parents {
		if name == "" {
			return Parents{}
		}
		return Parents{Roles: []object.Key{{Group: group, Kind: kind, Namespace: key.Namespace, Name: name}}}
	}
	switch {
	case key.Group == "" && key.Kind == "Endpoints":
		return beside("", kindService, key.Name)
	case key.Group == endpointSliceGroup && key.Kind == "EndpointSlice":
		return beside("", kindService, labels[serviceNameLabel])
	case key.Group == "" && key.Kind == "Secret":
		// The uid tells a token of the present account from one of an account that had the name before.
		if uid := annotations[accountUIDKey]; uid != "" && annotations[accountNameKey] != "" {
			return Parents{UIDs: []types.UID{types.UID(uid)}}
		}
		return beside("", kindServiceAccount, annotations[accountNameKey])
	case key.Group == "" && key.Kind == kindClaim:
		return beside("apps", claimRole, withoutOrdinal(key.Name))
	case key.Group == operatorsGroup && key.Kind == kindOperatorVersion:
		return beside(operatorsGroup, kindOperatorGroup, annotations[operatorGroupKey])
	}
	return Parents{}
}

// withoutOrdinal cuts the "-0" of a name that a StatefulSet gives; "" if the name has none.
func withoutOrdinal(name string) string {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || i == len(name)-1 || strings.Trim(name[i+1:], "0123456789") != "" {
		return ""
	}
	return name[:i]
}

// Roles returns the names under which Infer finds an object as a parent; none for most kinds. claims are the names of a
// StatefulSet's volumeClaimTemplates: its claims are called template-set-ordinal.
func Roles(key object.Key, claims []string) []object.Key {
	switch {
	case key.Group == "" && (key.Kind == kindService || key.Kind == kindServiceAccount),
		key.Group == operatorsGroup && key.Kind == kindOperatorGroup:
		return []object.Key{key}
	case key.Group == "apps" && key.Kind == kindStatefulSet:
		var out []object.Key
		for _, claim := range claims {
			out = append(out, object.Key{Group: "apps", Kind: claimRole, Namespace: key.Namespace, Name: claim + "-" + key.Name})
		}
		return out
	}
	return nil
}
