// SPDX-License-Identifier: Apache-2.0

package object

import "strings"

// InstanceName is how an Application is named where one name has to do, in tracking marks above all: its own name in the
// control namespace (home), namespace_name elsewhere. Neither part can hold a "_", so no two Applications share one.
func InstanceName(home, namespace, name string) string {
	if namespace == "" || namespace == home {
		return name
	}
	return namespace + "_" + name
}

// ParseInstanceName is the reverse of InstanceName.
func ParseInstanceName(home, instance string) (namespace, name string) {
	if namespace, name, elsewhere := strings.Cut(instance, "_"); elsewhere {
		return namespace, name
	}
	return home, instance
}
