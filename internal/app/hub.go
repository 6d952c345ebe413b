// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// hubClient reads and writes what a control namespace holds, straight at its API server: for verbs of the command line.
func hubClient(kube *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	return client.New(kube, client.Options{Scheme: scheme})
}

// served returns the name of an application given as namespace/name, which has to be of the control namespace. op is what is
// to be done with it.
func served(op, application, control string) (name string, err error) {
	namespace, name, _ := strings.Cut(application, "/")
	if namespace != control {
		return "", fault.New(fault.Mistake, op, "application "+application, "", "only applications of the control namespace "+control+" are served",
			"name the control namespace with --namespace")
	}
	return name, nil
}
