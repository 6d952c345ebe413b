// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bowline-cd/bowline/test/devcluster"
)

var counted = regexp.MustCompile(`^(<=|>=|=)([0-9]+)$`)

// audit mark NAME remembers this moment.
// audit COUNT [since=NAME] [by=PROCESS | user=NAME] FILTER... counts requests of the API server's audit log: COUNT is none, some, =N,
// <=N or >=N; filters are writes, dry-run, verb=a,b, resource=, sub=, group=, ns=, name= and code=.
// audit show FILTER... prints them.
func audit(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	if len(args) == 2 && args[0] == "mark" {
		revision, err := s.now()
		ts.Check(err)
		s.marks[args[1]], s.revisions[args[1]] = s.cluster.AuditMark(s.t), revision
		return
	}
	if len(args) == 0 {
		ts.Fatalf("usage: audit mark NAME, or audit COUNT [since=NAME] [by=PROCESS] FILTER...")
	}
	count, args := args[0], args[1:]
	opts, args := options(args, "since", "by", "user")
	mark, ok := s.marks[opts["since"]]
	if !ok {
		ts.Fatalf("no `audit mark %s` before", opts["since"])
	}
	by := s.user("")
	if opts["by"] != "" {
		by = s.user(opts["by"])
	}
	if opts["user"] != "" {
		by = opts["user"]
	}
	keep, err := filter(args)
	ts.Check(err)
	found := s.cluster.Audit(s.t, mark, func(e devcluster.AuditEntry) bool { return strings.HasPrefix(e.User, by) && keep(e) })
	lines := make([]string, 0, len(found))
	for _, e := range found {
		lines = append(lines, fmt.Sprintf("%s by %s", e, e.User))
	}
	if count == "show" {
		_, err := fmt.Fprintln(ts.Stdout(), strings.Join(lines, "\n"))
		ts.Check(err)
		return
	}
	ok, err = enough(count, len(found))
	ts.Check(err)
	if !ok {
		ts.Fatalf("%d requests, want %s:\n%s", len(found), count, strings.Join(lines, "\n"))
	}
}

func enough(want string, n int) (bool, error) {
	switch want {
	case "none":
		return n == 0, nil
	case "some":
		return n > 0, nil
	}
	parts := counted.FindStringSubmatch(want)
	if parts == nil {
		return false, fmt.Errorf("%q is no count: none, some, =N, <=N or >=N", want)
	}
	limit, err := strconv.Atoi(parts[2])
	switch parts[1] {
	case "=":
		return n == limit, err
	case "<=":
		return n <= limit, err
	default:
		return n >= limit, err
	}
}

// filter keeps requests that have everything asked for. Without dry-run, dry runs are left out.
func filter(args []string) (func(devcluster.AuditEntry) bool, error) {
	dry := slices.Contains(args, "dry-run")
	checks := []func(devcluster.AuditEntry) bool{func(e devcluster.AuditEntry) bool { return e.DryRun == dry }}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		values := strings.Split(value, ",")
		get, ok := map[string]func(devcluster.AuditEntry) string{
			"verb":     func(e devcluster.AuditEntry) string { return e.Verb },
			"resource": func(e devcluster.AuditEntry) string { return e.Resource },
			"sub":      func(e devcluster.AuditEntry) string { return e.Subresource },
			"group":    func(e devcluster.AuditEntry) string { return e.Group },
			"ns":       func(e devcluster.AuditEntry) string { return e.Namespace },
			"name":     func(e devcluster.AuditEntry) string { return e.Name },
			"code":     func(e devcluster.AuditEntry) string { return strconv.Itoa(e.Code) },
		}[name]
		switch {
		case arg == "dry-run":
		case arg == "writes":
			checks = append(checks, devcluster.AuditEntry.Writes)
		case !ok:
			return nil, fmt.Errorf("%q is no filter", arg)
		default:
			checks = append(checks, func(e devcluster.AuditEntry) bool { return slices.Contains(values, get(e)) })
		}
	}
	return func(e devcluster.AuditEntry) bool {
		return !slices.ContainsFunc(checks, func(check func(devcluster.AuditEntry) bool) bool { return !check(e) })
	}, nil
}
