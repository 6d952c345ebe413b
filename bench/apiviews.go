// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"
)

// grouped is the list as somebody looks at it who wants to know what is wrong: the first hundred rows, the worst first, by teams.
const grouped = "/api/bowline/v1/stream/applications?limit=100&sort=attention&group=label:team"

// lookers is how many people look at the same list.
const lookers = 100

// views: the first window of a live view, and what changes cost one that is open, and a hundred that are.
func (s *served) views(ctx context.Context) (map[string]any, error) {
	first, err := s.windows(ctx, 100)
	if err != nil {
		return nil, err
	}
	row := map[string]any{"first_p50_ms": ms(first.took, 0.5), "first_p99_ms": ms(first.took, 0.99), "first_cpu_ms": perObject(first.cpu, len(first.took)), "first_kib": first.size >> 10}
	var one, all look
	for _, part := range []struct {
		into  *look
		views int
	}{{&one, 1}, {&all, lookers}} {
		if *part.into, err = s.looked(ctx, part.views, 30); err != nil {
			return nil, err
		}
	}
	row["views"], row["change_cpu_ms"], row["change_cpu_ms_of_all"] = lookers, one.cpu, all.cpu
	row["more_views_ratio"] = round(all.cpu / one.cpu)
	row["lag_p50_ms"], row["lag_p99_ms"], row["lag_of_last_p99_ms"] = ms(one.lag, 0.5), ms(one.lag, 0.99), ms(all.lag, 0.99)
	return row, nil
}

// windows opens views one after the other, and measures each until its first message is read.
func (s *served) windows(ctx context.Context, times int) (c calls, err error) {
	before, err := s.bowline.usage()
	if err != nil {
		return c, err
	}
	for i := range times {
		looking, leave := context.WithCancel(ctx)
		began := time.Now()
		err := s.follow(looking, trusting, fmt.Sprintf("%s&offset=%d", grouped, i%5*100), func() {}, func(line []byte) {
			if c.size = len(line); looking.Err() == nil {
				c.took = append(c.took, time.Since(began))
			}
			leave()
		})
		if leave(); len(c.took) <= i {
			return c, fmt.Errorf("view %d ended before its first message: %w", i, err)
		}
	}
	after, err := s.bowline.usage()
	c.cpu = after.cpu - before.cpu
	return c, err
}

// look is what changes cost while somebody looks.
type look struct {
	cpu float64 // milliseconds of processor for each change
	lag []time.Duration
}

// looked opens views and changes applications, one after the other: each is on all screens before the next one comes.
func (s *served) looked(ctx context.Context, views, changes int) (l look, err error) {
	a, err := s.gather(ctx, views, grouped)
	if err != nil {
		return l, err
	}
	defer a.leave()
	if err := rest(ctx, settle); err != nil {
		return l, err
	}
	before, err := s.bowline.usage()
	if err != nil {
		return l, err
	}
	_, last, err := a.changed(ctx, changes)
	if err != nil {
		return l, err
	}
	after, err := s.bowline.usage()
	return look{cpu: perObject(after.cpu-before.cpu, changes), lag: last}, err
}
