// SPDX-License-Identifier: Apache-2.0

package application

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	bowline "github.com/bowline-cd/bowline/api/bowline/rpc"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/server/application/index"
)

// A live view looks at the list anew when something changed, and not more often than this allows:
const (
	// listPause is the least time between two looks.
	listPause = 250 * time.Millisecond
	// listShare is by how much longer than what it took the pause after it is, so that a view takes a twentieth of a core at
	// most; allShare is the same for all different lists together, which take half of one.
	listShare, allShare = 20, 2
	// listTick is how often it looks although nothing changed: what is true only for some time changes by itself.
	listTick = 10 * time.Second
)

// WatchApplications sends a window of the list of applications, and then what changes in it. It ends when the caller is not let
// in any more; what they may not see any more is gone from the next message on.
func (s *Service) WatchApplications(ctx context.Context, request *bowline.ApplicationsQuery, send func(*bowline.ApplicationsView) error) error {
	if err := s.filled(); err != nil {
		return err
	}
	v := &listView{Service: s, request: request, limit: min(request.Limit, largestPage)}
	if v.limit <= 0 {
		v.limit = usualPage
	}
	if request.Continue != "" {
		return fault.New(fault.Mistake, "watch", "the list", "continue", "a live view has no pages", "choose its window by offset and limit")
	}
	defer v.leave()
	ctx, stop := s.Gate.Still(ctx, func(context.Context) error { return nil })
	defer stop()
	return v.follow(ctx, send)
}

// listView is one open view: what it asked for, and what the other side has.
type listView struct {
	*Service
	request *bowline.ApplicationsQuery
	limit   int64

	listing *listing
	sight   *sight // by which it was made last
	rows    map[uint32]sentRow
	last    *bowline.ApplicationsView // without rows
	facets  map[string][]bowline.FacetCount
	pace    pace // of what is done for this view alone
}

// sentRow is a row that the other side has, and what it was made of.
type sentRow struct {
	hit index.Hit
	row bowline.Row
}

// follow looks, sends what is news, and waits until another look is worth it.
func (v *listView) follow(ctx context.Context, send func(*bowline.ApplicationsView) error) error {
	for due := false; ; {
		var rights <-chan struct{}
		if v.Gate.Roles != nil {
			rights = v.Gate.Roles.Changed()
		}
		changes, next := v.Index.Changed()
		seen := v.visible(ctx, changes)
		found, err := v.find(seen, changes)
		if err != nil {
			return err
		}
		began := v.Clock.Now()
		news := v.look(ctx, found, seen.sight, due)
		pause := v.pause(found, v.pace.note(v.Clock.Since(began)))
		if news != nil {
			if err := send(news); err != nil {
				return err
			}
		}
		if !v.rest(ctx, pause) {
			return ended(ctx)
		}
		if due = v.wait(ctx, next, rights); ctx.Err() != nil {
			return ended(ctx)
		}
	}
}

// pause is how long a view rests after it was made of what was found, which took it some time beside the finding.
func (v *listView) pause(found *finding, took time.Duration) time.Duration {
	rest := found.cost * max(listShare, allShare*time.Duration(v.listings.size()))
	return max(listPause, took*listShare, rest-v.Clock.Since(found.made))
}

// rest reports whether it may go on after a pause.
func (v *listView) rest(ctx context.Context, pause time.Duration) bool {
	timer := v.Clock.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-ctx.Done():
		return false
	}
}

// wait returns when something changed or the view ends, or, and then due is true, when it is time to look all the same.
func (v *listView) wait(ctx context.Context, next, rights <-chan struct{}) (due bool) {
	timer := v.Clock.NewTimer(listTick)
	defer timer.Stop()
	select {
	case <-next:
	case <-rights:
	case <-ctx.Done():
	case <-timer.C():
		return true
	}
	return false
}

// look returns what is news to the other side; nil if nothing is. all says that rows are to be made anew although their
// applications did not change.
func (v *listView) look(ctx context.Context, found *finding, by *sight, all bool) *bowline.ApplicationsView {
	window := found.Window(v.request.Folded, v.request.Offset, v.limit)
	news := &bowline.ApplicationsView{
		Rows: []bowline.Row{}, Order: make([]string, len(window.Hits)), Offset: window.Offset, Total: window.Total,
		Found: int64(len(found.Hits)), Groups: groupsOf(found.Groups, v.request.Folded), Attention: found.tally, All: found.All,
	}
	for i, h := range window.Hits {
		news.Order[i] = h.App.Namespace + "/" + h.App.Name
	}
	news.Rows = v.newRows(ctx, window.Hits, all || by != v.sight)
	news.Facets = v.newFacets(found.facets)
	v.sight = by
	bare := *news
	bare.Rows, bare.Facets = nil, nil
	if v.last != nil && len(news.Rows) == 0 && news.Facets == nil && reflect.DeepEqual(&bare, v.last) {
		return nil
	}
	v.last = &bare
	return news
}

// newRows returns the rows that the other side does not have as they are now, and forgets those that left the window.
func (v *listView) newRows(ctx context.Context, hits []index.Hit, all bool) []bowline.Row {
	may, out := v.mayDo(ctx), []bowline.Row{}
	rows := make(map[uint32]sentRow, len(hits))
	for _, h := range hits {
		had, has := v.rows[h.Slot]
		if has && !all && had.hit.Entry == h.Entry && had.hit.Verdict.Same(h.Verdict) {
			rows[h.Slot] = had
			continue
		}
		now := sentRow{h, v.rowFor(h, may)}
		rows[h.Slot] = now
		if !has || !reflect.DeepEqual(now.row, had.row) {
			out = append(out, now.row)
		}
	}
	v.rows = rows
	return out
}

// newFacets returns the facets that changed; nil if none did.
func (v *listView) newFacets(now map[string][]bowline.FacetCount) map[string][]bowline.FacetCount {
	var out map[string][]bowline.FacetCount
	for name, counts := range now {
		if before, known := v.facets[name]; known && slices.Equal(before, counts) {
			continue
		}
		if out == nil {
			out = map[string][]bowline.FacetCount{}
		}
		out[name] = counts
	}
	v.facets = now
	return out
}

func groupsOf(groups []index.Group, folded []string) []bowline.Group {
	var out []bowline.Group
	for _, g := range groups {
		out = append(out, bowline.Group{
			Value: g.Value, Count: int64(g.End - g.Start), Folded: slices.Contains(folded, g.Value), Attention: tallyOf(g.Attention),
		})
	}
	return out
}

// find returns what the view asked for, as it is now.
func (v *listView) find(seen seen, changes uint64) (*finding, error) {
	of := listingKey{query: v.asked(), seen: seen.key}
	if v.listing == nil || v.listing.key != of {
		v.leave()
		v.listing = v.listings.enter(of)
	}
	return v.listing.at(changes, v.Clock, func() (index.Arrangement, error) {
		q, err := v.chosen(v.request)
		if err != nil {
			return index.Arrangement{}, err
		}
		q.Sees, q.Judge = seen.has, v.judge()
		return v.Index.Arrange(q, v.request.Sort, v.request.Group)
	})
}

// asked is what of the request decides which rows there are, and in which order.
func (v *listView) asked() string {
	q := *v.request
	q.Offset, q.Limit, q.Folded, q.Fields = 0, 0, nil, ""
	text, _ := json.Marshal(q) //nolint:errchkjson // texts and numbers only
	return string(text)
}

func (v *listView) leave() {
	if v.listing != nil {
		v.listings.leave(v.listing)
		v.listing = nil
	}
}
