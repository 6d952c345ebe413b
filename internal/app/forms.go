// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	clidiff "github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/controller/application"
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
)

// formsOf returns the whole forms of one object of an application for people. The values of Secrets, and of the annotations
// that the settings name, are masked.
func formsOf(ctx context.Context, apps *application.Controller, app string, key object.Key, sensitive []string) (*clidiff.Forms, error) {
	managed, err := apps.Managed(ctx, app, key)
	if err != nil {
		return nil, err
	}
	forms, err := diff.FormsOf(managed.Input, managed.Answer)
	if err != nil {
		return nil, err
	}
	forms = diff.Mask(forms, func(annotation string) bool { return slices.Contains(sensitive, annotation) })
	return &clidiff.Forms{
		Desired: contentOf(forms.Desired), Live: contentOf(forms.Live),
		NormalizedLive: contentOf(forms.NormalizedLive), PredictedLive: contentOf(forms.Predicted),
	}, nil
}

func contentOf(u *unstructured.Unstructured) map[string]any {
	if u == nil {
		return nil
	}
	return u.Object
}
