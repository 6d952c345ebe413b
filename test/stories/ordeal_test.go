// SPDX-License-Identifier: Apache-2.0

package stories

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// fill FOLDER COUNT FILE writes FILE so many times into a folder of the script, with ${N} replaced by 1, 2, 3 …
func fill(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: fill FOLDER COUNT FILE")
	}
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	text := ts.ReadFile(args[2])
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	base := strings.TrimSuffix(filepath.Base(args[2]), ".yaml")
	for i := 1; i <= count; i++ {
		n := strconv.Itoa(i)
		ts.Check(os.WriteFile(filepath.Join(dir, base+"-"+n+".yaml"), []byte(strings.ReplaceAll(text, "${N}", n)), 0o600))
	}
}

// ordeal ROUNDS PATH FOLDER... commits the folders in turn and kills Bowline with SIGKILL in the middle of each sync: when
// a random number of the story's ConfigMaps have the value of the round ($ROUND) in .data.round.
func ordeal(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: ordeal ROUNDS PATH FOLDER...")
	}
	rounds, err := strconv.Atoi(args[0])
	ts.Check(err)
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("STORY_SEED"), strconv.FormatInt(time.Now().UnixNano(), 10)), 10, 64)
	ts.Check(err)
	ts.Logf("seed %d (STORY_SEED=%d tries the same moments again)", seed, seed)
	random := rand.New(rand.NewPCG(seed, seed))
	s := of(ts)
	for round := range rounds {
		ts.Setenv("ROUND", strconv.Itoa(round))
		from := args[2+round%(len(args)-2)]
		repo(ts, false, []string{"commit", from, args[1]})
		total, err := s.configMaps(ts.MkAbs(from))
		ts.Check(err)
		moment := random.IntN(total + 1)
		bowline(ts, false, []string{"start"})
		ts.Check(s.awaitRound(strconv.Itoa(round), moment))
		ts.Check(s.processes["main"].kill())
		// The next process would wait ten seconds for the lead of the dead one.
		ts.Check(s.forgetLead(ts.Getenv("CD")))
	}
	ts.Setenv("ROUND", strconv.Itoa(rounds))
}

// configMaps counts the files of a folder that make ConfigMaps.
func (s *story) configMaps(dir string) (int, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	n := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return 0, err
		}
		if strings.Contains(string(text), "kind: ConfigMap") {
			n++
		}
	}
	return n, err
}

func (s *story) awaitRound(round string, count int) error {
	last := 0
	err := s.follow(target{kind: "configmaps", namespace: s.id}, "", func(objects map[string]*unstructured.Unstructured) bool {
		last = 0
		for _, u := range objects {
			if value, _, _ := unstructured.NestedString(u.Object, "data", "round"); value == round {
				last++
			}
		}
		return last >= count
	})
	if err != nil {
		return fmt.Errorf("%w: %d ConfigMaps have reached round %s, want %d", err, last, round, count)
	}
	return nil
}

func (s *story) forgetLead(namespace string) error {
	ctx, cancel := bounded()
	defer cancel()
	return s.cluster.Client().CoordinationV1().Leases(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
}
