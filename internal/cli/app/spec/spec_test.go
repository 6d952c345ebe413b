// SPDX-License-Identifier: Apache-2.0

package spec_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/app/spec"
)

func app(t *testing.T, text string) *v1alpha1.Application {
	t.Helper()
	out := &v1alpha1.Application{}
	if err := yaml.UnmarshalStrict([]byte(text), &out.Spec); err != nil {
		t.Fatal(err)
	}
	return out
}

func text(t *testing.T, a *v1alpha1.Application) string {
	t.Helper()
	out, err := yaml.Marshal(a.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// files stands in for the disk.
func files(_ context.Context, path string) ([]byte, error) {
	if path == "values.yaml" {
		return []byte("a: 1\n"), nil
	}
	return nil, errors.New("no such file")
}

const plain = "destination: {}\nsource:\n  repoURL: r\n"

func TestApply(t *testing.T) {
	tests := []struct{ reason, args, before, after string }{
		{"what a new application is made of", "--repo r --path p --revision v1 --dest-name in-cluster --dest-namespace web --project shop",
			"destination: {}", `
destination: {name: in-cluster, namespace: web}
project: shop
source: {path: p, repoURL: r, targetRevision: v1}`},
		{"Helm, with commas that Helm would end a value at", `--values a.yaml --values b.yaml --helm-set x=1 --helm-set-string y=a,b --helm-set-file z=f --release-name rel --values-literal-file values.yaml --helm-skip-crds`,
			plain, `
destination: {}
source:
  helm:
    fileParameters: [{name: z, path: f}]
    parameters: [{name: x, value: "1"}, {forceString: true, name: "y", value: 'a\,b'}]
    releaseName: rel
    skipCrds: true
    valueFiles: [a.yaml, b.yaml]
    values: |
      a: 1
  repoURL: r`},
		{"a parameter of the same name is replaced", "-p x=2", "destination: {}\nsource: {repoURL: r, helm: {parameters: [{name: x, value: '1', forceString: true}, {name: 'y'}]}}", `
destination: {}
source:
  helm: {parameters: [{name: x, value: "2"}, {name: "y"}]}
  repoURL: r`},
		{"Kustomize: an image of the same name is replaced", "--kustomize-image web=reg/web:2 --kustomize-image db:3 --kustomize-replica web=4 --nameprefix x- --kustomize-common-label a=b",
			"destination: {}\nsource: {repoURL: r, kustomize: {images: ['web=reg/web:1', 'db:2']}}", `
destination: {}
source:
  kustomize:
    commonLabels: {a: b}
    images: [web=reg/web:2, db:3]
    namePrefix: x-
    replicas: [{count: 4, name: web}]
  repoURL: r`},
		{"an empty value takes out, and with the last one the tool", "--nameprefix=", "destination: {}\nsource: {repoURL: r, kustomize: {namePrefix: x}}", plain},
		{"directory and Jsonnet", "--directory-recurse --directory-exclude x.yaml --jsonnet-tla-str a=1 --jsonnet-tla-code b=2 --jsonnet-ext-var-str c --jsonnet-libs vendor", plain, `
destination: {}
source:
  directory:
    exclude: x.yaml
    jsonnet:
      extVars: [{name: c, value: ""}]
      libs: [vendor]
      tlas: [{name: a, value: "1"}, {code: true, name: b, value: "2"}]
    recurse: true
  repoURL: r`},
		{"a plugin", "--config-management-plugin p --plugin-env A=1 --plugin-env A=2", plain, `
destination: {}
source:
  plugin: {env: [{name: A, value: "2"}], name: p}
  repoURL: r`},
		{"automated sync", "--sync-policy automated --auto-prune --self-heal=false --sync-option CreateNamespace=true --sync-option !Replace=true --sync-retry-limit 3",
			"destination: {}\nsource: {repoURL: r}\nsyncPolicy: {syncOptions: [Replace=true]}", `
destination: {}
source: {repoURL: r}
syncPolicy:
  automated: {prune: true, selfHeal: false}
  retry: {backoff: {duration: 5s, factor: 2, maxDuration: 3m0s}, limit: 3}
  syncOptions: [CreateNamespace=true]`},
		{"how to sync by itself turns nothing on", "--auto-prune", plain, plain + "syncPolicy: {automated: {enabled: false, prune: true}}"},
		{"a policy that says nothing is none", "--sync-policy none", "destination: {}\nsource: {repoURL: r}\nsyncPolicy: {automated: {}}", plain},
		{"a hydrator stands in for a source", "--dry-source-repo r --dry-source-path p --dry-source-revision HEAD --sync-source-branch out --sync-source-path q --hydrate-to-branch next",
			"destination: {}", `
destination: {}
sourceHydrator:
  drySource: {path: p, repoURL: r, targetRevision: HEAD}
  hydrateTo: {targetBranch: next}
  syncSource: {path: q, targetBranch: out}`},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			got := app(t, tt.before)
			flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
			f := spec.New(flags, files)
			if err := flags.Parse(strings.Fields(tt.args)); err != nil {
				t.Fatal(err)
			}
			given, err := f.Apply(t.Context(), got, 0)
			if err != nil || !given {
				t.Fatalf("given %v, error %v", given, err)
			}
			if diff := cmp.Diff(text(t, app(t, tt.after)), text(t, got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestApplyToOneOfSeveralSources(t *testing.T) {
	got := app(t, "destination: {}\nsources: [{repoURL: a, name: one}, {repoURL: b, name: two}]")
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f := spec.New(flags, files)
	if err := flags.Parse([]string{"--revision", "v2"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Apply(t.Context(), got, 0); err == nil || !strings.Contains(err.Error(), "--source-position") {
		t.Errorf("without a position it gives %v", err)
	}
	position, err := spec.Position(got, -1, "two")
	if err != nil || position != 2 {
		t.Fatalf("the source named two is at %d, %v", position, err)
	}
	if _, err := f.Apply(t.Context(), got, position); err != nil {
		t.Fatal(err)
	}
	if got.Spec.Sources[0].TargetRevision != "" || got.Spec.Sources[1].TargetRevision != "v2" {
		t.Errorf("sources are %+v", got.Spec.Sources)
	}
	for _, wrong := range []struct {
		position int
		name     string
	}{{1, "two"}, {-1, "three"}, {3, ""}, {-1, ""}} {
		if _, err := spec.Position(got, wrong.position, wrong.name); err == nil {
			t.Errorf("position %d and name %q mean no source, and that is no error", wrong.position, wrong.name)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	tests := []struct{ reason, args, before, want string }{
		{"a parameter without a value", "--helm-set x", plain, "--helm-set: it has to be NAME=VALUE"},
		{"parameters of what Helm does not render", "-p x=1", "destination: {}\nsource: {repoURL: r, kustomize: {namePrefix: x}}", "only Helm"},
		{"a policy that is none", "--sync-policy never", plain, "manual or automated"},
		{"retries below zero", "--sync-retry-limit -1", plain, "below zero"},
		{"replicas that are no number", "--kustomize-replica web=two", plain, "no number"},
		{"a file that is not there", "--values-literal-file absent", plain, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
			f := spec.New(flags, files)
			if err := flags.Parse(strings.Fields(tt.args)); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Apply(t.Context(), app(t, tt.before), 0); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestUnset(t *testing.T) {
	const full = `
destination: {}
source:
  repoURL: r
  ref: x
  helm: {valueFiles: [a, b], parameters: [{name: p}, {name: q}], values: "a: 1", valuesObject: {a: 1}, passCredentials: true}
  kustomize: {namePrefix: x, images: ['web=reg/web:1'], replicas: [{name: web, count: 1}]}
  plugin: {name: p, env: [{name: A, value: "1"}]}`
	tests := []struct{ reason, args, after string }{
		{"single values", "-p p --values b --kustomize-image web --plugin-env A", `
destination: {}
source:
  repoURL: r
  ref: x
  helm: {valueFiles: [a], parameters: [{name: q}], values: "a: 1", valuesObject: {a: 1}, passCredentials: true}
  kustomize: {namePrefix: x, replicas: [{name: web, count: 1}]}
  plugin: {name: p}`},
		{"all of a tool", "--nameprefix --kustomize-image web --kustomize-replica web --ref", `
destination: {}
source:
  repoURL: r
  helm: {valueFiles: [a, b], parameters: [{name: p}, {name: q}], values: "a: 1", valuesObject: {a: 1}, passCredentials: true}
  plugin: {name: p, env: [{name: A, value: "1"}]}`},
		{"values in both forms", "--values-literal --pass-credentials", `
destination: {}
source:
  repoURL: r
  ref: x
  helm: {valueFiles: [a, b], parameters: [{name: p}, {name: q}]}
  kustomize: {namePrefix: x, images: ['web=reg/web:1'], replicas: [{name: web, count: 1}]}
  plugin: {name: p, env: [{name: A, value: "1"}]}`},
		{"what is not there", "-p absent --namesuffix", full},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			var u spec.Unset
			flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
			u.Bind(flags)
			if err := flags.Parse(strings.Fields(tt.args)); err != nil {
				t.Fatal(err)
			}
			got := app(t, full)
			changed, err := u.Apply(got, 0)
			if err != nil || changed == (tt.after == full) {
				t.Errorf("changed %v, error %v", changed, err)
			}
			if diff := cmp.Diff(text(t, app(t, tt.after)), text(t, got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := (&spec.Unset{}).Apply(app(t, full), 0); err == nil {
		t.Error("without a flag there is nothing to unset, and that is no error")
	}
}
