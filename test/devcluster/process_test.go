// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// doomedEnv makes TestClusterEndsWithTheTestBinary play the test binary that is killed.
const doomedEnv = "DEVCLUSTER_TEST_DOOMED"

func TestClusterEndsWithTheTestBinary(t *testing.T) {
	if os.Getenv(doomedEnv) != "" {
		c := Start(t)
		fmt.Printf("\ncluster %d\n", c.process.cmd.Process.Pid)
		<-t.Context().Done() // never: it is killed
		return
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^TestClusterEndsWithTheTestBinary$")
	// Nothing of a killed test is cleaned up; its directory is here, and so it is.
	cmd.Env = append(os.Environ(), doomedEnv+"=1", "TMPDIR="+t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	for lines := bufio.NewScanner(stdout); pid == 0 && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "cluster %d", &pid) // other lines are the test's own
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if pid == 0 {
		t.Fatal("the other test binary started no cluster")
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		// Whoever inherits the process collects it; until then it is a zombie at most.
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) || strings.Contains(string(state), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the cluster, process %d, outlived its test binary: %s", pid, state)
		}
	}
}

func TestReadAuditLeavesTheHalfLineAlone(t *testing.T) {
	const log = `{"stage":"ResponseStarted","verb":"watch","objectRef":{"resource":"pods"}}
{"stage":"ResponseComplete","verb":"patch","requestURI":"/api/v1/namespaces/a/pods/b?dryRun=All","userAgent":"x","responseStatus":{"code":200},"objectRef":{"resource":"pods","namespace":"a","name":"b","apiVersion":"v1"}}
{"stage":"ResponseComplete","verb":"del`
	got, err := readAudit(strings.NewReader(log))
	want := AuditEntry{Verb: "patch", UserAgent: "x", Version: "v1", Resource: "pods", Namespace: "a", Name: "b", Code: 200,
		DryRun: true, URI: "/api/v1/namespaces/a/pods/b?dryRun=All"}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %v, error %v, want %v", got, err, want)
	}
	if _, err := readAudit(strings.NewReader("not JSON\n")); err == nil {
		t.Error("a line that is no event was taken")
	}
}

func TestMarkIsBehindTheLastWholeLine(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for _, tt := range []struct {
		log  string
		want int64
	}{
		{"", 0},
		{"half", 0},
		{"one\n", 4},
		{"one\nhalf", 4},
		{"one\n" + long, 4},
		{long + "\n" + long, 10_001},
		{long + "\n" + long[:4096], 10_001},
	} {
		got, err := endOfLines(strings.NewReader(tt.log), int64(len(tt.log)))
		if err != nil || got != tt.want {
			t.Errorf("end of %d bytes: %d, %v, want %d", len(tt.log), got, err, tt.want)
		}
	}
}
