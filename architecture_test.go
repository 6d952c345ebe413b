// SPDX-License-Identifier: Apache-2.0

// Package bowline_test keeps the shape of the house: which room may import which, and the few rules
// that hold in all of them. docs/architecture.md shows the rooms, docs/decisions/0001-rooms-and-floors.md says why.
package bowline_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/bowline-cd/bowline"

// room is one row of the table: a folder with the packages below it.
type room struct {
	floor int
	// imports are the rooms it may import besides itself: paths, or "floor N" for every room of a floor.
	imports []string
	// why is said when an import is refused.
	why string
}

const apart = -1

// rooms is the table. A folder that is in no room fails: a new room is a new line here, and a reason.
var rooms = map[string]room{
	"api/argoproj/v1alpha1": {0, nil, "the API types are what everyone speaks, so they know nobody"},
	"api/bowline/v1alpha1":  {0, nil, "the API types are what everyone speaks, so they know nobody"},
	"api/argoproj/rpc":      {0, []string{"api/argoproj/v1alpha1"}, "clients link the messages without the rest of Bowline"},
	"api/bowline/rpc":       {0, []string{"api/argoproj/rpc", "api/argoproj/v1alpha1"}, "clients link the messages without the rest of Bowline"},
	"api/client":            {0, []string{"api/argoproj/v1alpha1", "api/argoproj/rpc", "api/bowline/v1alpha1", "api/bowline/rpc", "internal/fault"}, "a client program links it without the rest of Bowline"},
	"internal/object":       {0, []string{"api/argoproj/v1alpha1"}, "words lean only on the API types"},
	"internal/tree":         {0, []string{"internal/fault"}, "words lean only on other words"},
	"internal/fault":        {0, []string{"api/argoproj/v1alpha1"}, "every room reports errors through it, so it knows nobody"},
	"internal/event":        {0, []string{"api/argoproj/v1alpha1", "api/bowline/v1alpha1", "internal/object"}, "everyone may publish, so it knows nobody"},
	"internal/settings":     {0, []string{"api/argoproj/v1alpha1", "internal/object", "internal/fault"}, "every room may be handed settings, so they know nobody"},
	"internal/egress":       {0, []string{"internal/fault"}, "every room that connects may ask it, so it knows nobody"},
	"internal/script":       {0, []string{"internal/fault"}, "it runs what users write and must be able to reach nothing"},

	"internal/render":   {1, []string{"floor 0"}, engine},
	"internal/diff":     {1, []string{"floor 0"}, engine},
	"internal/health":   {1, []string{"floor 0"}, engine},
	"internal/action":   {1, []string{"floor 0"}, engine},
	"internal/topology": {1, []string{"floor 0", "internal/health"}, engine},
	"internal/plan":     {1, []string{"floor 0", "internal/diff"}, engine},
	"internal/access":   {1, []string{"floor 0"}, engine},

	"internal/source":  {2, []string{"floor 0"}, adapter},
	"internal/worker":  {2, []string{"floor 0", "floor 1"}, adapter},
	"internal/cluster": {2, []string{"floor 0", "internal/health", "internal/topology"}, adapter},
	"internal/install": {2, []string{"floor 0"}, adapter},
	"internal/secret":  {2, []string{"floor 0"}, adapter},
	"internal/auth":    {2, []string{"floor 0"}, adapter},
	"internal/ledger":  {2, []string{"floor 0"}, adapter},

	"internal/desired": {3, []string{"floor 0", "floor 1"}, useCase},
	"internal/sync":    {3, []string{"floor 0", "floor 1"}, useCase},
	"internal/fleet":   {3, []string{"floor 0", "floor 1"}, useCase},
	"internal/image":   {3, []string{"floor 0", "floor 1"}, useCase},
	"internal/promote": {3, []string{"floor 0", "floor 1"}, useCase},
	"internal/notify":  {3, []string{"floor 0", "floor 1"}, useCase},

	"internal/controller": {4, []string{"floor 0", "floor 1", "floor 2", "floor 3"}, door},
	"internal/server":     {4, []string{"floor 0", "floor 1", "floor 2", "floor 3", "web"}, door},
	"internal/agent":      {4, []string{"floor 0", "floor 1", "floor 2", "floor 3"}, door},
	"internal/cli":        {4, []string{"floor 0", "floor 1", "floor 2", "floor 3"}, door},
	"web":                 {4, nil, "the page is served, it calls nobody"},

	"internal/app": {5, []string{"floor 0", "floor 1", "floor 2", "floor 3", "floor 4", "web"}, "wiring joins rooms and has no behaviour of its own"},
	"cmd/bowline":  {5, []string{"floor 0", "floor 1", "floor 2", "floor 3", "floor 4", "internal/app"}, "wiring joins rooms and has no behaviour of its own"},

	"test":   {apart, []string{"floor 0"}, "every room's tests may import a test helper, so it leans on words only and never on internal/app"},
	"bench":  {apart, []string{"floor 0", "test", "internal/app"}, "a benchmark runs the whole program and measures it from outside"},
	"deploy": {apart, []string{"floor 0"}, "manifests are data; their generator reads what they share with the program"},
	"":       {apart, nil, "the root holds only this test"},
}

const (
	engine  = "engines are pure: data in, data out, so that controller, previews and tests run the same code"
	adapter = "adapters talk to one outside system each and know no use case"
	useCase = "use cases declare the two or three methods they need and internal/app joins them with adapters; that keeps a cluster reached directly and one reached through an agent interchangeable"
	door    = "doors never import each other: what one shows of another is an interface that internal/app joins"
)

// outside are libraries that floor 1 must not import, with everything below them.
var outside = []string{
	"net", "net/http", "os/exec", "database/sql", "google.golang.org/grpc",
	"k8s.io/client-go/kubernetes", "k8s.io/client-go/dynamic", "k8s.io/client-go/rest", "k8s.io/client-go/tools",
	"k8s.io/client-go/discovery", "k8s.io/client-go/informers", "k8s.io/client-go/restmapper", "k8s.io/client-go/metadata",
	"k8s.io/utils/clock", "sigs.k8s.io/controller-runtime",
}

// harmless are the exceptions: tables of types that live inside a client library.
var harmless = []string{"k8s.io/client-go/kubernetes/scheme", "net/url", "net/netip"}

// clock are the functions of package time that read or wait for the wall clock.
var clock = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTicker", "NewTimer"}

// source is one parsed Go file of the main module.
type source struct {
	path string // from the root, with slashes
	dir  string // its folder, "" for the root
	file *ast.File
	fset *token.FileSet
}

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) imports() []string {
	var out []string
	for _, spec := range s.file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		out = append(out, path)
	}
	return out
}

func TestRoomsImportOnlyWhatTheirRowNames(t *testing.T) {
	for _, s := range sources(t, false) {
		name, from, ok := roomOf(s.dir)
		if !ok {
			t.Errorf("%s: no room of the table in architecture_test.go holds this folder: put it into one, or add a room with its reason", s.path)
			continue
		}
		for _, path := range s.imports() {
			if s.test() || !ours(path) {
				continue
			}
			if err := allowed(name, from, strings.TrimPrefix(strings.TrimPrefix(path, module), "/")); err != nil {
				t.Errorf("%s: %v", s.path, err)
			}
		}
	}
}

func allowed(name string, from room, path string) error {
	target, to, ok := roomOf(path)
	switch {
	case strings.HasPrefix(path, "devcluster"):
		return fmt.Errorf("imports %s: the module of devcluster has replace lines that do not carry over; run bin/devcluster as a child (test/devcluster)", path)
	case !ok:
		return fmt.Errorf("imports %s, which is in no room of the table", path)
	case target == name, slices.Contains(from.imports, target):
		return nil
	case to.floor >= 0 && slices.Contains(from.imports, "floor "+strconv.Itoa(to.floor)) && target != "web":
		return nil
	}
	return fmt.Errorf("%s (floor %d) must not import %s (floor %d): %s", name, from.floor, target, to.floor, from.why)
}

func TestEnginesTakeNoClientClockOrNetwork(t *testing.T) {
	for _, s := range sources(t, false) {
		if _, r, ok := roomOf(s.dir); !ok || r.floor != 1 || s.test() {
			continue
		}
		for _, path := range s.imports() {
			if below(path, outside) && !below(path, harmless) {
				t.Errorf("%s imports %s: %s; take what it would give as an argument", s.path, path, engine)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := call.X.(*ast.Ident); ok && pkg.Name == "time" && pkg.Obj == nil && slices.Contains(clock, call.Sel.Name) {
					t.Errorf("%s uses time.%s: %s; the caller passes the time in", s.fset.Position(call.Pos()), call.Sel.Name, engine)
				}
			}
			return true
		})
	}
}

func TestHelpersOfTestsNeverImportTheApp(t *testing.T) {
	for _, s := range sources(t, false) {
		if !strings.HasPrefix(s.dir, "test/") || s.test() {
			continue
		}
		for _, path := range s.imports() {
			if below(path, []string{module + "/internal/app"}) {
				t.Errorf("%s imports %s: a test helper that knows the app cannot be used by the rooms that the app is made of", s.path, path)
			}
		}
	}
}

func TestDevclusterStandsAlone(t *testing.T) {
	for _, s := range sources(t, true) {
		for _, path := range s.imports() {
			if ours(path) && !below(path, []string{module + "/devcluster"}) {
				t.Errorf("%s imports %s: devcluster is a tool of its own and must not change when Bowline does", s.path, path)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	type pkg struct{ code, said bool }
	packages := map[string]*pkg{}
	for _, s := range append(sources(t, false), sources(t, true)...) {
		p := packages[s.dir]
		if p == nil {
			p = &pkg{}
			packages[s.dir] = p
		}
		p.code = p.code || !s.test()
		p.said = p.said || s.file.Doc != nil && len(strings.Fields(s.file.Doc.Text())) >= 5
		for _, vague := range []string{"util", "utils", "common", "helper", "helpers", "misc"} {
			if s.file.Name.Name == vague || filepath.Base(s.dir) == vague {
				t.Errorf("%s: a package named %q says nothing of what is in it and gathers everything: name it by what it holds", s.path, vague)
			}
		}
	}
	for dir, p := range packages {
		if !p.said {
			t.Errorf("package %s/%s has no package comment: it defines the words that the package uses", module, dir)
		}
	}
}

func TestFilesAreOfReadableSize(t *testing.T) {
	for _, s := range append(sources(t, false), sources(t, true)...) {
		lines := s.fset.Position(s.file.FileEnd).Line
		if lines > 400 && !s.test() && !ast.IsGenerated(s.file) {
			t.Logf("warning: %s has %d lines: look whether it holds two things", s.path, lines)
		}
	}
}

// TestTheProjectSpeaksOnlyOfItself finds mentions of folders that are not part of the repository.
func TestTheProjectSpeaksOnlyOfItself(t *testing.T) {
	var outsiders []string
	for _, folder := range []string{"design", "reference", "compat"} {
		outsiders = append(outsiders, "shared/"+folder)
	}
	walk(t, ".", func(path string) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(data, 0) >= 0 {
			return
		}
		for _, text := range outsiders {
			if i := bytes.Index(data, []byte(text)); i >= 0 {
				t.Errorf("%s:%d mentions %s, which is no part of the repository: a reader of the repository cannot follow it",
					path, 1+bytes.Count(data[:i], []byte("\n")), text)
			}
		}
	})
}

func TestEveryFileNamesItsLicence(t *testing.T) {
	for _, s := range append(sources(t, false), sources(t, true)...) {
		if ast.IsGenerated(s.file) {
			continue
		}
		if len(s.file.Comments) == 0 || s.file.Comments[0].List[0].Text != "// SPDX-License-Identifier: Apache-2.0" {
			t.Errorf("%s does not begin with the line // SPDX-License-Identifier: Apache-2.0", s.path)
		}
	}
}

// roomOf finds the row whose path is the longest that dir is in.
func roomOf(dir string) (string, room, bool) {
	for path := dir; ; {
		if r, ok := rooms[path]; ok && (path != "" || dir == "") {
			return path, r, true
		}
		i := strings.LastIndex(path, "/")
		if i < 0 {
			return "", room{}, false
		}
		path = path[:i]
	}
}

func ours(path string) bool { return below(path, []string{module}) }

// below reports whether path is one of roots or a package under one of them. The standard library's net has
// packages of other concerns below it, so a root without a dot counts for itself only.
func below(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.Contains(root, ".") && strings.HasPrefix(path, root+"/")
	})
}

// sources parses the Go files of the main module, or those of devcluster.
func sources(t *testing.T, devcluster bool) []source {
	t.Helper()
	var out []source
	walk(t, ".", func(path string) {
		if !strings.HasSuffix(path, ".go") || strings.HasPrefix(path, "devcluster/") != devcluster {
			return
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Errorf("%s does not parse: %v", path, err)
			return
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if dir == "." {
			dir = ""
		}
		out = append(out, source{path: path, dir: dir, file: file, fset: fset})
	})
	if len(out) == 0 {
		t.Fatal("found no Go files: the test looks in the wrong place")
	}
	return out
}

// walk visits the files of the repository, without what is built, fetched or hidden by the tools.
func walk(t *testing.T, root string, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", ".cache", "bin", "dist", "node_modules", "testdata"}, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() {
			visit(filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
