// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"errors"
	"log/slog"

	apiextensionsclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// Options say what to bring where.
type Options struct {
	// Config reaches the cluster. With Nothing, reading custom resource definitions is the only right it needs.
	Config *rest.Config
	// Namespace is the control namespace.
	Namespace string
	// What is what may be written. What exists is never overwritten, but for definitions of ours.
	What What
}

// What is how much is brought.
type What int

// The amounts.
const (
	// Nothing only looks whether the definitions are there and new enough.
	Nothing What = iota
	// Settings creates in the control namespace what is absent: ConfigMaps, the Secret with a key, the default project.
	Settings
	// Everything brings the definitions and the namespace too.
	Everything
)

// Report is what was done and found. Objects are named by kind, namespace and name.
type Report struct {
	Created []string
	Updated []string
	// Kept was there and stays as it is; a reason follows the name of a definition that differs from ours.
	Kept []string
	// Missing are sentences about what the cluster lacks. Bowline runs, but what they say does not work.
	Missing []string
}

// Log writes the report, what is missing as warnings.
func (r Report) Log(log *slog.Logger) {
	for _, line := range r.Created {
		log.Info("created", "object", line)
	}
	for _, line := range r.Updated {
		log.Info("updated", "object", line)
	}
	for _, line := range r.Kept {
		log.Debug("kept", "object", line)
	}
	for _, line := range r.Missing {
		log.Warn("the cluster lacks something", "what", line)
	}
}

// Run installs or verifies, and waits until the API server serves the kinds; ctx bounds the wait. It can be run again
// at any time, and by several at once. The report is valid beside an error, up to where the error occurred.
//
// Errors: fault.Stalled when a kind that Bowline cannot do without is absent and may not be created, or when a right is
// missing; fault.Wait when something is just being deleted or is not served yet; fault.Retry for the rest.
func Run(ctx context.Context, opts Options) (Report, error) {
	i, err := newInstaller(opts)
	if err != nil {
		return Report{}, err
	}
	steps := []func(context.Context) error{i.definitions}
	if opts.What == Everything {
		steps = append(steps, i.namespace)
	}
	if opts.What >= Settings {
		steps = append(steps, i.configMaps, i.secret, i.project)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return i.report, err
		}
	}
	return i.report, nil
}

// installer is one run.
type installer struct {
	opts        Options
	report      Report
	extensions  apiextensionsclient.CustomResourceDefinitionInterface
	core        corev1client.CoreV1Interface
	appProjects dynamic.ResourceInterface
}

func newInstaller(opts Options) (*installer, error) {
	extensions, err1 := apiextensionsclient.NewForConfig(opts.Config)
	core, err2 := corev1client.NewForConfig(opts.Config)
	dyn, err3 := dynamic.NewForConfig(opts.Config)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fault.Wrap(fault.Stalled, "use", "the connection settings of the cluster", err, "mend the kubeconfig")
	}
	return &installer{
		opts:        opts,
		extensions:  extensions.CustomResourceDefinitions(),
		core:        core,
		appProjects: dyn.Resource(v1alpha1.SchemeGroupVersion.WithResource(v1alpha1.AppProjectPlural)).Namespace(opts.Namespace),
	}, nil
}

// createOptions name Bowline as the field manager of what it creates.
func createOptions() metav1.CreateOptions {
	return metav1.CreateOptions{FieldManager: v1alpha1.FieldManagerHub}
}

// create runs do and takes "it is there already" as kept.
func (i *installer) create(thing string, do func() error) error {
	err := do()
	switch {
	case err == nil:
		i.report.Created = append(i.report.Created, thing)
	case apierrors.IsAlreadyExists(err):
		i.report.Kept = append(i.report.Kept, thing)
	default:
		return judge("create", thing, err)
	}
	return nil
}

// judge gives an answer of the API server its kind.
func judge(op, thing string, err error) error {
	switch {
	case apierrors.HasStatusCause(err, "NamespaceTerminating"):
		return fault.Wrap(fault.Wait, op, thing, err, "wait until the namespace is gone")
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return fault.Wrap(fault.Stalled, op, thing, err, "grant this right, or install the manifests by hand and run with --install=false")
	}
	return fault.Wrap(fault.Retry, op, thing, err, "")
}
