// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"errors"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

func TestReplicasShareKeysThatChangeWithTime(t *testing.T) {
	t.Parallel()
	vault, clk := &MemoryVault{}, clocktesting.NewFakePassiveClock(time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC))
	first, err := OpenKeys(t.Context(), vault, clk)
	if err != nil {
		t.Fatal(err)
	}
	second, err := OpenKeys(t.Context(), vault, clk)
	if err != nil {
		t.Fatal(err)
	}
	text, err := first.Box().Seal("x", "y", clk.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var opened string
	if err := second.Box().Open("x", text, clk.Now(), &opened); err != nil {
		t.Errorf("what one replica sealed another cannot open: %v", err)
	}
	ids := func(k *Keys) []string {
		t.Helper()
		public, err := k.public(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, key := range public {
			out = append(out, key.KeyID)
		}
		return out
	}
	before := ids(first)
	clk.SetTime(clk.Now().Add(keySigns + time.Minute))
	after := ids(first)
	if len(before) != 1 || len(after) != 2 || after[1] != before[0] || after[0] == before[0] {
		t.Errorf("the keys were %v and are %v after %s: want a new one, and the old one for what it signed", before, after, keySigns)
	}
	if got := ids(second); len(got) != 2 || got[0] != after[0] {
		t.Errorf("another replica has %v, want %v", got, after)
	}
	clk.SetTime(clk.Now().Add(keySigns + keyOutlast + time.Hour))
	if got := ids(second); len(got) != 2 || got[1] != after[0] {
		t.Errorf("after %s more the keys are %v: the oldest signs nothing that is valid any more", keySigns, got)
	}
}

func TestAVaultThatCannotBeReadIsAnErrorAndNotANewKey(t *testing.T) {
	t.Parallel()
	vault := &MemoryVault{}
	if err := vault.Change(t.Context(), func(records map[string][]byte) error { records[keysRecord] = []byte("{"); return nil }); err != nil {
		t.Fatal(err)
	}
	_, err := OpenKeys(t.Context(), vault, clocktesting.NewFakePassiveClock(time.Unix(1, 0)))
	if err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("it gives %v", err)
	}
	if records, _ := vault.Read(t.Context()); string(records[keysRecord]) != "{" {
		t.Errorf("the record is %q now", records[keysRecord])
	}
	stop := errors.New("stop")
	if err := vault.Change(t.Context(), func(records map[string][]byte) error { clear(records); return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of a change gives %v", err)
	}
	if records, _ := vault.Read(t.Context()); len(records) != 1 {
		t.Error("a change that failed is stored")
	}
}
