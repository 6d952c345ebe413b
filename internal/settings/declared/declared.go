// SPDX-License-Identifier: Apache-2.0

// Package declared reads and writes the Secrets that declare repositories, credentials and clusters, in the form that Argo CD
// gives them (https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/): names, labels and keys are the same,
// so that either program finds what the other wrote.
//
// The words of this room:
//
//   - Declared: said of a repository, of credentials for all repositories below an address, and of a cluster, that a labelled
//     Secret of the control namespace describes.
//   - Twin: the Secret of the same thing for writing (source hydration pushes with it); it never serves to read.
//   - Shown: a declared thing without anything that gives access, as answers have it.
//   - Ours: said of a Secret that was made over the API. Such a Secret is deleted with the thing; one that a person made
//     only loses its label.
package declared

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/fault"
)

// The annotation that makes a Secret ours, as Argo CD writes it.
const (
	managedByKey   = "managed-by"
	managedByValue = "argocd.argoproj.io"
)

// Ours reports whether the Secret was made over the API, and so goes with what it declares.
func Ours(secret *corev1.Secret) bool { return secret.Annotations[managedByKey] == managedByValue }

// mark labels a Secret. One that a person made stays theirs when it is written to.
func mark(secret *corev1.Secret, kind string) {
	metav1.SetMetaDataLabel(&secret.ObjectMeta, v1alpha1.LabelKeySecretType, kind)
}

// own is mark for a new Secret.
func own(name, kind string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{managedByKey: managedByValue}}, Data: map[string][]byte{}}
	mark(secret, kind)
	return secret
}

// hashed is prefix-<FNV-1a of the parts>.
func hashed(prefix string, parts ...string) string {
	sum := fnv.New32a()
	for _, part := range parts {
		_, _ = sum.Write([]byte(part))
	}
	return prefix + "-" + strconv.FormatUint(uint64(sum.Sum32()), 10)
}

// keys say which key of a Secret holds which field of T.
type keys[T any] struct {
	texts   map[string]func(*T) *string
	flags   map[string]func(*T) *bool
	numbers map[string]func(*T) *int64
}

// write puts the fields into the Secret. A key that is there already is written even if its field is empty; others are left out.
func (k keys[T]) write(secret *corev1.Secret, of *T) {
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	put := func(key, value string, set bool) {
		if _, there := secret.Data[key]; there || set {
			secret.Data[key] = []byte(value)
		}
	}
	for key, field := range k.texts {
		put(key, *field(of), *field(of) != "")
	}
	for key, field := range k.flags {
		put(key, strconv.FormatBool(*field(of)), *field(of))
	}
	for key, field := range k.numbers {
		put(key, strconv.FormatInt(*field(of), 10), *field(of) != 0)
	}
}

// read fills the fields. What cannot be read stays empty and is named in the error, which is a fault.Mistake.
func (k keys[T]) read(secret *corev1.Secret, into *T) error {
	for key, field := range k.texts {
		*field(into) = string(secret.Data[key])
	}
	var first error
	wrong := func(key, fix string, err error) {
		if err != nil && (first == nil || key < first.(*fault.Error).Where) { //nolint:errorlint // it is made here
			first = fault.New(fault.Mistake, "read", "Secret "+secret.Namespace+"/"+secret.Name, "data."+key, "it has no value of its kind", fix)
		}
	}
	for key, field := range k.flags {
		if text := strings.TrimSpace(string(secret.Data[key])); text != "" {
			value, err := strconv.ParseBool(text)
			*field(into) = value
			wrong(key, "write true or false", err)
		}
	}
	for key, field := range k.numbers {
		if text := strings.TrimSpace(string(secret.Data[key])); text != "" {
			value, err := strconv.ParseInt(text, 10, 64)
			*field(into) = value
			wrong(key, "write a number", err)
		}
	}
	return first
}

// wrongKind is the error for a Secret of another type, which must not be written over.
func wrongKind(secret *corev1.Secret, kind string) error {
	return fault.New(fault.Mistake, "write", "Secret "+secret.Namespace+"/"+secret.Name, "metadata.labels",
		fmt.Sprintf("it is not labelled %s: %s", v1alpha1.LabelKeySecretType, kind), "label it so, or delete it")
}

// Check says whether a Secret is labelled as kind: no other is written over.
func Check(secret *corev1.Secret, kind string) error {
	if secret.Labels[v1alpha1.LabelKeySecretType] != kind {
		return wrongKind(secret, kind)
	}
	return nil
}
