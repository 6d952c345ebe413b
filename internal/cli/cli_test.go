// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/runtime"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/api/client"
	"github.com/bowline-cd/bowline/internal/cli"
	"github.com/bowline-cd/bowline/internal/cli/app/diff"
	"github.com/bowline-cd/bowline/internal/cli/app/resources"
	"github.com/bowline-cd/bowline/internal/cli/render"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

var update = flag.Bool("update", false, "write the answers into the files of testdata instead of comparing them")

// TestCommands runs the files of testdata. Each is an archive:
//
//   - apps.yaml: the applications that there are, as a list.
//   - after.yaml: the status that the controller gives an application once a sync or a refresh is asked for.
//   - diff.yaml: the answer of the comparison behind app diff; a file error.txt instead makes it fail.
//   - tree.yaml: the tree behind app resources, as its app, tree, unknown and noOrphans; --orphaned=false is to leave orphans out.
//   - render.yaml: the answer of what renders behind render; request.yaml what it has to be asked for, as far as it is given.
//   - NAME.cmd: a command line (and after it lines of standard input), with NAME.out, NAME.err and NAME.code
//     for what it answers. The commands of a file run one after the other on the same applications.
func TestCommands(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runFile(t, archive)
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func runFile(t *testing.T, archive *txtar.Archive) {
	given := map[string]string{}
	for _, f := range archive.Files {
		given[f.Name] = string(f.Data)
	}
	deps := cli.Deps{
		Version:  "v0.0.0-test",
		Now:      func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Differ:   differ(t, given),
		Drawer:   drawer(t, given),
		Renderer: renderer(t, given),
	}
	cluster := fakeCluster(t, given)
	deps.Open = func(s *session.Session) (client.Applications, error) {
		return client.NewDirect(cluster, s.Namespace, s.Now), nil
	}
	var files []txtar.File
	for _, f := range archive.Files {
		base, isCommand := strings.CutSuffix(f.Name, ".cmd")
		if !isCommand {
			if !isAnswer(f.Name) {
				files = append(files, f)
			}
			continue
		}
		files = append(files, f)
		line, stdin, _ := strings.Cut(string(f.Data), "\n")
		var stdout, stderr bytes.Buffer
		root := cli.New(deps)
		root.SetIn(strings.NewReader(stdin))
		root.SetOut(&stdout)
		root.SetErr(&stderr)
		code := cli.Execute(t.Context(), root, strings.Fields(line))
		for _, answer := range []struct{ suffix, got string }{
			{".out", deletedAt.ReplaceAllString(stdout.String(), "${1}NOW")}, {".err", stderr.String()}, {".code", exitCode(code)},
		} {
			if answer.got != "" {
				files = append(files, txtar.File{Name: base + answer.suffix, Data: []byte(answer.got)})
			}
			if got := withNewline(answer.got); !*update && got != given[base+answer.suffix] {
				t.Errorf("%s: %s%s", strings.TrimSpace(line), base+answer.suffix, cmp.Diff(given[base+answer.suffix], got))
			}
		}
	}
	archive.Files = files
}

// deletedAt is the one time that the fake API server takes from its own clock.
var deletedAt = regexp.MustCompile(`("deletionTimestamp": ")[^"]*`)

func isAnswer(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".out" || ext == ".err" || ext == ".code"
}

// exitCode is empty for 0, so that files of commands that succeed need not say so.
func exitCode(code int) string {
	if code == 0 {
		return ""
	}
	return strconv.Itoa(code)
}

// withNewline ends a text as files of an archive end.
func withNewline(text string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// fakeCluster is an API server with the applications of apps.yaml and a controller that does what after.yaml says.
func fakeCluster(t *testing.T, given map[string]string) kube.WithWatch {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	var apps []v1alpha1.Application
	decode(t, given["apps.yaml"], &apps)
	builder := fake.NewClientBuilder().WithScheme(scheme)
	for i := range apps {
		builder = builder.WithObjects(&apps[i])
	}
	after, controlled := given["after.yaml"]
	return interceptor.NewClient(builder.Build(), interceptor.Funcs{
		Patch: func(ctx context.Context, c kube.WithWatch, obj kube.Object, patch kube.Patch, opts ...kube.PatchOption) error {
			if err := c.Patch(ctx, obj, patch, opts...); err != nil || !controlled {
				return err
			}
			app := obj.DeepCopyObject().(*v1alpha1.Application)
			app.Operation = nil
			delete(app.Annotations, v1alpha1.AnnotationKeyRefresh)
			app.Status = v1alpha1.ApplicationStatus{}
			decode(t, after, &app.Status)
			return c.Update(ctx, app)
		},
	})
}

func differ(t *testing.T, given map[string]string) diff.Differ {
	return diff.DifferFunc(func(_ context.Context, request diff.Request) ([]diff.Resource, error) {
		if cause, fails := given["error.txt"]; fails {
			return nil, fault.New(fault.Retry, "compare", "application "+request.Name, "", strings.TrimSpace(cause), "try again")
		}
		var resources []diff.Resource
		decode(t, given["diff.yaml"], &resources)
		return resources, nil
	})
}

func drawer(t *testing.T, given map[string]string) resources.Drawer {
	return resources.DrawerFunc(func(_ context.Context, request resources.Request) (resources.Drawing, error) {
		if cause, fails := given["error.txt"]; fails {
			return resources.Drawing{}, fault.New(fault.Retry, "draw", "application "+request.Name, "", strings.TrimSpace(cause), "try again")
		}
		var d resources.Drawing
		if err := yaml.Unmarshal([]byte(given["tree.yaml"]), &d); err != nil {
			t.Fatal(err)
		}
		if !request.Orphans {
			d.Tree.OrphanedNodes = nil
		}
		return d, nil
	})
}

// renderer answers with the file render.yaml of the archive.
func renderer(t *testing.T, given map[string]string) render.Renderer {
	return render.RendererFunc(func(_ context.Context, r render.Request) (render.Result, error) {
		if want, ok := given["request.yaml"]; ok {
			asked := map[string]any{"live": r.Live, "local": r.Local, "revisions": r.Revisions, "since": r.Since, "application": r.Application}
			got, err := yaml.Marshal(asked)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("asked for (-want +got)\n%s", diff)
			}
		}
		var result render.Result
		if err := yaml.Unmarshal([]byte(given["render.yaml"]), &result); err != nil {
			t.Fatal(err)
		}
		return result, nil
	})
}
