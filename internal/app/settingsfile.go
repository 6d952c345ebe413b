// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"log/slog"
	"os"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/internal/controller/configuration"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/object"
)

// settingsOf reads the ConfigMaps and Secrets of a file as if they were those of a control namespace; "" has none. A broken
// one is an error: there is no former value that could stay in force.
func settingsOf(ctx context.Context, file string) (*configuration.Snapshot, error) {
	objects, err := readSettings(file)
	if err != nil {
		return nil, err
	}
	reader := configuration.NewReader(objects, "", slog.New(slog.DiscardHandler), func(*configuration.Snapshot) {})
	if err := reader.Load(ctx); err != nil {
		return nil, err
	}
	s := reader.Current()
	if len(s.Problems) > 0 {
		return nil, s.Problems[0]
	}
	return s, nil
}

// inFile are the ConfigMaps and Secrets of a file, as a client would read them.
type inFile struct {
	configMaps map[string]*corev1.ConfigMap
	secrets    []corev1.Secret
}

func readSettings(file string) (inFile, error) {
	out := inFile{configMaps: map[string]*corev1.ConfigMap{}}
	if file == "" {
		return out, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return out, fault.Wrap(fault.Mistake, "read", "the settings", err, "name a file with --settings")
	}
	docs, err := object.ParseYAML(file, data)
	if err != nil {
		return out, fault.Wrap(fault.Mistake, "read", "the settings", err, "correct the file")
	}
	for _, doc := range docs {
		if err := out.add(doc); err != nil {
			return out, &fault.Error{Kind: fault.Mistake, Op: "read", Thing: "the settings", Where: object.Origin{File: file, Line: doc.Line}.String(), Err: err,
				Fix: "keep to ConfigMaps and Secrets"}
		}
	}
	return out, nil
}

func (f *inFile) add(doc object.Document) error {
	into := runtime.DefaultUnstructuredConverter.FromUnstructured
	switch doc.Data["kind"] {
	case "ConfigMap":
		cm := &corev1.ConfigMap{}
		err := into(doc.Data, cm)
		f.configMaps[cm.Name] = cm
		return err
	case "Secret":
		secret := corev1.Secret{}
		err := into(doc.Data, &secret)
		for key, value := range secret.StringData {
			if secret.Data == nil {
				secret.Data = map[string][]byte{}
			}
			secret.Data[key] = []byte(value)
		}
		f.secrets = append(f.secrets, secret)
		return err
	}
	return nil
}

// Get implements client.Reader for ConfigMaps.
func (f inFile) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	found := f.configMaps[key.Name]
	cm, ok := into.(*corev1.ConfigMap)
	if found == nil || !ok {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, key.Name)
	}
	found.DeepCopyInto(cm)
	return nil
}

// List implements client.Reader for Secrets.
func (f inFile) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	if list, ok := into.(*corev1.SecretList); ok {
		list.Items = f.secrets
	}
	return nil
}
