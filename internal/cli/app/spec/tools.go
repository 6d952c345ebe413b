// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

func helm(s *source) *v1alpha1.ApplicationSourceHelm {
	if s.Helm == nil {
		s.Helm = &v1alpha1.ApplicationSourceHelm{}
	}
	return s.Helm
}

func kustomize(s *source) *v1alpha1.ApplicationSourceKustomize {
	if s.Kustomize == nil {
		s.Kustomize = &v1alpha1.ApplicationSourceKustomize{}
	}
	return s.Kustomize
}

func (f *Flags) bindHelm() {
	f.list("values", "value file of Helm", func(s *source, files []string) error { helm(s).ValueFiles = files; return nil })
	f.yes("ignore-missing-value-files", "pass over value files that do not exist", func(s *source) *bool { return &helm(s).IgnoreMissingValueFiles })
	f.set.StringVar(&f.literal, "values-literal-file", "", "file or URL whose text becomes the values of Helm")
	f.onSource("values-literal-file", f.setLiteral)
	f.text("release-name", "release name of Helm", func(s *source) *string { return &helm(s).ReleaseName })
	f.text("helm-version", "version of Helm", func(s *source) *string { return &helm(s).Version })
	f.yes("helm-pass-credentials", "send the credentials of the repository to other hosts too", func(s *source) *bool { return &helm(s).PassCredentials })
	f.yes("helm-skip-crds", "leave out the CRDs of the chart", func(s *source) *bool { return &helm(s).SkipCrds })
	f.yes("helm-skip-schema-validation", "do not check the values against the schema of the chart", func(s *source) *bool { return &helm(s).SkipSchemaValidation })
	f.yes("helm-skip-tests", "leave out the tests of the chart", func(s *source) *bool { return &helm(s).SkipTests })
	f.text("helm-namespace", "namespace that the chart is rendered for (default: that of the destination)", func(s *source) *string { return &helm(s).Namespace })
	f.text("helm-kube-version", "version of Kubernetes that the chart is rendered for (default: that of the cluster)", func(s *source) *string { return &helm(s).KubeVersion })
	f.list("helm-api-versions", "[GROUP/]VERSION/KIND that the chart is rendered for (default: those of the cluster)", func(s *source, all []string) error {
		helm(s).APIVersions = all
		return nil
	})
	f.list("helm-set", "parameter of Helm, as NAME=VALUE", func(s *source, pairs []string) error { return addParameters(helm(s), pairs, false) })
	f.list("helm-set-string", "parameter of Helm that is a string, as NAME=VALUE", func(s *source, pairs []string) error { return addParameters(helm(s), pairs, true) })
	f.list("helm-set-file", "parameter of Helm whose value is in a file, as NAME=PATH", addFileParameters)
}

func (f *Flags) setLiteral(ctx context.Context, s *source) error {
	data, err := f.read(ctx, f.literal)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(data)) != "" { // an empty file changes nothing
		helm(s).Values, helm(s).ValuesObject = string(data), nil
	}
	return nil
}

// comma finds a comma that no backslash goes before: Helm would end the value there.
var comma = regexp.MustCompile(`([^\\]),`)

func addParameters(h *v1alpha1.ApplicationSourceHelm, pairs []string, asString bool) error {
	for _, pair := range pairs {
		name, value, err := assignment(pair)
		if err != nil {
			return err
		}
		put(&h.Parameters, v1alpha1.HelmParameter{Name: name, Value: comma.ReplaceAllString(value, `$1\,`), ForceString: asString},
			func(p v1alpha1.HelmParameter) string { return p.Name })
	}
	return nil
}

func addFileParameters(s *source, pairs []string) error {
	for _, pair := range pairs {
		name, path, err := assignment(pair)
		if err != nil {
			return err
		}
		put(&helm(s).FileParameters, v1alpha1.HelmFileParameter{Name: name, Path: comma.ReplaceAllString(path, `$1\,`)},
			func(p v1alpha1.HelmFileParameter) string { return p.Name })
	}
	return nil
}

// setParameters is the flag --parameter: it is for sources that Helm renders, or that nobody knows yet what renders them.
func (f *Flags) setParameters(s *source, known v1alpha1.ApplicationSourceType) error {
	if len(f.parameters) == 0 {
		return nil
	}
	switch {
	case s.Helm != nil || s.Chart != "":
	case s.Kustomize != nil || s.Directory != nil || s.Plugin != nil, known != "" && known != v1alpha1.ApplicationSourceTypeHelm:
		return errors.New("--parameter: only Helm has parameters, and it does not render this source")
	}
	if err := addParameters(helm(s), f.parameters, false); err != nil {
		return fmt.Errorf("--parameter: %w", err)
	}
	return nil
}

func (f *Flags) bindKustomize() {
	f.text("nameprefix", "what Kustomize puts before names", func(s *source) *string { return &kustomize(s).NamePrefix })
	f.text("namesuffix", "what Kustomize puts behind names", func(s *source) *string { return &kustomize(s).NameSuffix })
	f.text("kustomize-version", "version of Kustomize", func(s *source) *string { return &kustomize(s).Version })
	f.text("kustomize-namespace", "namespace that Kustomize sets", func(s *source) *string { return &kustomize(s).Namespace })
	f.text("kustomize-kube-version", "version of Kubernetes that Kustomize renders charts for (default: that of the cluster)", func(s *source) *string { return &kustomize(s).KubeVersion })
	f.list("kustomize-api-versions", "[GROUP/]VERSION/KIND that Kustomize renders charts for (default: those of the cluster)", func(s *source, all []string) error {
		kustomize(s).APIVersions = all
		return nil
	})
	f.list("kustomize-image", "image to replace, as [OLD=]NEW[:TAG][@DIGEST]", addImages)
	f.list("kustomize-replica", "replicas to set, as NAME=COUNT", addReplicas)
	f.pairs("kustomize-common-label", "label that Kustomize sets, as NAME=VALUE", func(s *source) *map[string]string { return &kustomize(s).CommonLabels })
	f.pairs("kustomize-common-annotation", "annotation that Kustomize sets, as NAME=VALUE", func(s *source) *map[string]string { return &kustomize(s).CommonAnnotations })
	f.yes("kustomize-label-without-selector", "keep common labels out of selectors", func(s *source) *bool { return &kustomize(s).LabelWithoutSelector })
	f.yes("kustomize-label-include-templates", "set common labels in templates too", func(s *source) *bool { return &kustomize(s).LabelIncludeTemplates })
	f.yes("kustomize-force-common-label", "let common labels win over those that are there", func(s *source) *bool { return &kustomize(s).ForceCommonLabels })
	f.yes("kustomize-force-common-annotation", "let common annotations win over those that are there", func(s *source) *bool { return &kustomize(s).ForceCommonAnnotations })
	f.yes("ignore-missing-components", "pass over components that do not exist", func(s *source) *bool { return &kustomize(s).IgnoreMissingComponents })
}

func (f *Flags) pairs(name, usage string, into func(*source) *map[string]string) {
	f.list(name, usage, func(s *source, pairs []string) error {
		values, err := Pairs(pairs)
		*into(s) = values
		return err
	})
}

// Pairs reads a list of NAME=VALUE.
func Pairs(pairs []string) (map[string]string, error) {
	out := map[string]string{}
	for _, pair := range pairs {
		name, value, err := assignment(pair)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", pair, err)
		}
		out[name] = value
	}
	return out, nil
}

func addImages(s *source, images []string) error {
	for _, image := range images {
		put(&kustomize(s).Images, v1alpha1.KustomizeImage(image), imageName)
	}
	return nil
}

// imageName is what an image is known by: what goes before "=", else before the tag or the digest.
func imageName(image v1alpha1.KustomizeImage) string {
	for _, end := range []string{"=", ":", "@"} {
		if name, _, ok := strings.Cut(string(image), end); ok {
			return name
		}
	}
	return string(image)
}

func addReplicas(s *source, pairs []string) error {
	for _, pair := range pairs {
		name, count, err := assignment(pair)
		if err != nil {
			return err
		}
		number := intstr.Parse(count)
		if number.Type != intstr.Int {
			return fmt.Errorf("%q is no number of replicas", count)
		}
		put(&kustomize(s).Replicas, v1alpha1.KustomizeReplica{Name: name, Count: number}, func(r v1alpha1.KustomizeReplica) string { return r.Name })
	}
	return nil
}
