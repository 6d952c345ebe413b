// SPDX-License-Identifier: Apache-2.0

package application

import (
	"github.com/bowline-cd/bowline/internal/diff"
	"github.com/bowline-cd/bowline/internal/object"
)

// learned is what an API server made of an application's objects: what an earlier process knew of it, and what is new
// and not handed to the store yet. A nil store keeps nothing.
type learned struct {
	store       AcceptedStore
	app, server string
	before      map[object.Key]diff.Accepted // nil once every object had a row
	news        map[object.Key]diff.Accepted
}

// newLearned takes what an earlier process learned of an application on a cluster.
func newLearned(store AcceptedStore, app, server string) *learned {
	l := &learned{store: store, app: app, server: server, news: map[object.Key]diff.Accepted{}}
	if store != nil {
		l.before = store.Load(app, server)
	}
	return l
}

// recall returns what an earlier process learned of an object; nil for nothing.
func (l *learned) recall(key object.Key) *diff.Accepted {
	if form, ok := l.before[key]; ok {
		return &form
	}
	return nil
}

// note takes what was learned of an object.
func (l *learned) note(key object.Key, form diff.Accepted) {
	if l.store != nil {
		l.news[key] = form
	}
}

// forget takes notice that the row of an object goes.
func (l *learned) forget(key object.Key, was *row) {
	if _, kept := l.before[key]; kept || was != nil && was.accepted != nil {
		delete(l.before, key)
		l.note(key, diff.Accepted{})
	}
}

// settle forgets what an earlier process knew of objects that have no row: all of them were looked at.
func (l *learned) settle(rows map[object.Key]*row) {
	for key := range l.before {
		if rows[key] == nil {
			l.note(key, diff.Accepted{})
		}
	}
	l.before = nil
}

// save hands what is new to the store, which writes it in its own time.
func (l *learned) save() {
	if len(l.news) > 0 {
		l.store.Save(l.app, l.server, l.news)
		l.news = map[object.Key]diff.Accepted{}
	}
}

// forgetAll has the store forget the application.
func (l *learned) forgetAll(rows map[object.Key]*row) {
	for key, r := range rows {
		l.forget(key, r)
	}
	l.settle(nil)
	l.save()
}
