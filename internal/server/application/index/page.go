// SPDX-License-Identifier: Apache-2.0

package index

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Page is a part of what a query found.
type Page struct {
	Hits      []Hit
	Continue  string // where the next page begins; "" after the last
	Remaining int64  // how many come behind
}

// keys are what entries can be sorted by. Each is a text, so that a page can begin behind any of them.
var keys = map[string]func(Hit) string{
	"name":    func(Hit) string { return "" }, // which is what else decides
	"project": func(h Hit) string { return h.Project },
	"health":  func(h Hit) string { return rankOf(healthRanks, h.Health()) },
	"sync":    func(h Hit) string { return rankOf(syncRanks, h.Sync()) },
	"created": func(h Hit) string { return h.App.CreationTimestamp.UTC().Format(time.RFC3339) },
	"synced": func(h Hit) string {
		if s := h.App.Status.OperationState; s != nil && s.FinishedAt != nil {
			return s.FinishedAt.UTC().Format(time.RFC3339)
		}
		return ""
	},
	ByAttention: urgency,
}

// ByAttention sorts by what entries ask of people: the worst first, and of those what is so for longest.
const ByAttention = "attention"

func urgency(h Hit) string {
	key := make([]byte, 1, 1+2*8)
	key[0] = byte('a' + h.Verdict.Rank)
	if h.Verdict.Since.IsZero() {
		return string(append(key, '~')) // behind all that is known
	}
	var since [8]byte
	binary.BigEndian.PutUint64(since[:], uint64(max(0, h.Verdict.Since.UnixNano()))) //nolint:gosec // not below 0
	return string(hex.AppendEncode(key, since[:]))
}

// place is where an entry stands in an order, or where a page begins: behind it.
type place struct {
	Key       string `json:"k,omitempty"`
	Name      string `json:"n"`
	Namespace string `json:"s,omitempty"`
	Order     string `json:"o,omitempty"` // the order it is a place in
}

// Cut sorts what was found and cuts a page out. order is a key, with "-" before it downwards; from is the Continue of the page
// before, "" for the first. A page begins behind the entry that the page before ended with, whether that is still there or not:
// what does not change its place meanwhile comes once.
func Cut(found []Hit, order, from string, limit int64) (Page, error) {
	places, compare, err := sorted(found, order)
	if err != nil {
		return Page{}, err
	}
	start := 0
	if from != "" {
		at, err := readPlace(from, order)
		if err != nil {
			return Page{}, err
		}
		var there bool
		if start, there = slices.BinarySearchFunc(places, placed{place: at}, compare); there {
			start++
		}
	}
	return cut(places[start:], order, limit), nil
}

// sorted puts what was found into an order, and returns how that compares.
func sorted(found []Hit, order string) ([]placed, func(a, b placed) int, error) {
	name, down := strings.CutPrefix(order, "-")
	if name == "" {
		name = "name"
	}
	key := keys[name]
	if key == nil {
		return nil, nil, fault.New(fault.Mistake, "sort by", order, "sort", "there is no such key", "use one of "+strings.Join(slices.Sorted(maps.Keys(keys)), ", ")+`, with "-" before it for downwards`)
	}
	places := make([]placed, len(found))
	for i, h := range found {
		places[i] = placed{place{Key: key(h), Name: h.App.Name, Namespace: h.App.Namespace}, h}
	}
	compare := func(a, b placed) int { return a.compare(b.place, down) }
	if name != "name" || down {
		slices.SortFunc(places, compare)
	}
	return places, compare, nil
}

type placed struct {
	place
	hit Hit
}

func (p place) compare(q place, down bool) int {
	c := strings.Compare(p.Key, q.Key)
	name := strings.Compare(p.Name, q.Name)
	if name == 0 {
		name = strings.Compare(p.Namespace, q.Namespace)
	}
	switch {
	case c == 0 && p.Key == "" && down: // sorted by name, or what has no key
		return -name
	case c == 0:
		return name
	case down:
		return -c
	}
	return c
}

func cut(rest []placed, order string, limit int64) Page {
	n := len(rest)
	if limit > 0 && limit < int64(n) {
		n = int(limit)
	}
	out := Page{Hits: make([]Hit, n), Remaining: int64(len(rest) - n)}
	for i := range out.Hits {
		out.Hits[i] = rest[i].hit
	}
	if out.Remaining > 0 {
		last := rest[n-1].place
		last.Order = order
		out.Continue = last.token()
	}
	return out
}

func (p place) token() string {
	data, _ := json.Marshal(p) //nolint:errchkjson // texts only
	return base64.RawURLEncoding.EncodeToString(data)
}

// readPlace reads a token that a page ended with.
func readPlace(token, order string) (p place, err error) {
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err == nil && p.Order != order {
		err = fmt.Errorf("it is of a list sorted by %q", p.Order)
	}
	if err == nil && p.Name == "" {
		err = errors.New("it names no place")
	}
	if err != nil {
		return p, fault.New(fault.Mistake, "go on with", "the list", "continue", err.Error(), "take it from the page before, with the same sort, or begin anew without it")
	}
	return p, nil
}
