// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/settings"
)

// fakeAPI answers lists and watches of ConfigMaps as it is told to. It is for what a real API server cannot be made to do.
type fakeAPI struct {
	mu       sync.Mutex
	pages    func(token string) (code int, body string)
	streamed func(w http.ResponseWriter, r *http.Request)
	watched  func(rv string, w http.ResponseWriter, r *http.Request)
	asked    []string
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f.mu.Lock()
	pages, streamed, watched := f.pages, f.streamed, f.watched
	what := "page"
	switch {
	case q.Get("sendInitialEvents") != "":
		what = "stream"
	case q.Get("watch") != "":
		what = "watch " + q.Get("resourceVersion")
	}
	f.asked = append(f.asked, what)
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case what == "stream":
		streamed(w, r)
	case what != "page" && watched != nil:
		watched(q.Get("resourceVersion"), w, r)
	case what != "page":
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	default:
		f.mu.Lock()
		code, body := pages(q.Get("continue"))
		f.mu.Unlock()
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func (f *fakeAPI) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fakeAPI) count(what string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, asked := range f.asked {
		if strings.HasPrefix(asked, what) {
			n++
		}
	}
	return n
}

// follow runs a reflector against the fake until the test ends.
func (f *fakeAPI) follow(t *testing.T, change func(*Options)) (*kind, *reflector) {
	t.Helper()
	server := httptest.NewServer(f)
	opts := Options{RelistSpread: time.Millisecond, RetryRefused: time.Millisecond}
	if change != nil {
		change(&opts)
	}
	c, err := Open(Hub(&rest.Config{Host: server.URL}), opts)
	if err != nil {
		t.Fatal(err)
	}
	c.version = "v1.36.0"
	c.link.set(nil)
	k := testKind(object.Tracker{})
	k.clock = c.opts.Clock
	r := newReflector(c, configMaps, "", k)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		c.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return k, r
}

func soon(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// holds returns the names and resourceVersions in the store, or why it is not to be believed.
func holds(k *kind) string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if synced, reason := k.state(); !synced {
		return reason
	}
	var out []string
	for _, name := range []string{"a", "b", "c"} {
		if e := k.objects[nsName{"shop", name}]; e != nil {
			out = append(out, name+"@"+e.rv())
		}
	}
	return strings.Join(out, " ")
}

func frame(event, object string) string {
	return `{"type":"` + event + `","object":` + object + "}\n"
}

func configMapAt(name, rv string) string { return string(manifest(name, "uid-"+name, rv, "")) }

func listOf(rv, next string, objects ...string) string {
	return fmt.Sprintf(`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":%q,"continue":%q},"items":[%s]}`, rv, next, strings.Join(objects, ","))
}

const endOfList = `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"20","annotations":{"k8s.io/initial-events-end":"true"}}}`

func hang(w http.ResponseWriter, r *http.Request) {
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// Until the bookmark that ends a streamed list nothing is concluded from what it did not show.
func TestHalfAStreamIsNotAList(t *testing.T) {
	f := &fakeAPI{}
	streams := 0
	f.streamed = func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		streams++
		n := streams
		f.mu.Unlock()
		_, _ = w.Write([]byte(frame("ADDED", configMapAt("a", "11")) + frame("ADDED", configMapAt("b", "12"))))
		switch n {
		case 1: // cut in the middle
			panic(http.ErrAbortHandler)
		case 2: // b goes while the list is on its way
			_, _ = w.Write([]byte(frame("DELETED", configMapAt("b", "13")) + frame("BOOKMARK", `{"metadata":{"resourceVersion":"14"}}`)))
			_, _ = w.Write([]byte(frame("BOOKMARK", endOfList)))
			hang(w, r)
		}
	}
	k, r := f.follow(t, nil)
	soon(t, "the second try is a list", func() bool { return holds(k) == "a@11" })
	if streams != 2 || f.count("page") > 0 || f.count("watch") > 0 {
		t.Errorf("%v was asked, want two streams, the last of which goes on as the watch", f.asked)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.record.lists != 2 || !r.record.streamed {
		t.Errorf("record = %+v", r.record)
	}
}

// A reader whom the API server thinks too slow gets its list in pages.
func TestStreamsThatAreCutGiveWayToPages(t *testing.T) {
	f := &fakeAPI{pages: func(string) (int, string) { return 200, listOf("20", "", configMapAt("b", "12")) }}
	f.streamed = func(w http.ResponseWriter, _ *http.Request) { // ended in the middle, in good order
		_, _ = w.Write([]byte(frame("ADDED", configMapAt("a", "11"))))
	}
	k, _ := f.follow(t, nil)
	soon(t, "the page is believed, and half a stream is not", func() bool { return holds(k) == "b@12" })
	if n := f.count("stream"); n != mostCuts {
		t.Errorf("%d streams, want %d", n, mostCuts)
	}
}

// Where streamed lists are not known, lists come in pages, and nobody asks again.
func TestAPIServersWithoutStreamedLists(t *testing.T) {
	for name, streamed := range map[string]func(w http.ResponseWriter, r *http.Request){
		"refuses as invalid": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(422)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422,"message":"sendInitialEvents: Forbidden"}`))
		},
		"refuses as a bad request": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"BadRequest","code":400}`))
		},
		"never ends the list": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(frame("ADDED", configMapAt("a", "11"))))
			hang(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeAPI{streamed: streamed}
			f.pages = func(token string) (int, string) {
				if token == "" {
					return 200, listOf("20", "more", configMapAt("a", "11"))
				}
				return 200, listOf("20", "", configMapAt("b", "12"))
			}
			k, r := f.follow(t, func(o *Options) { o.FirstSilence = 50 * time.Millisecond })
			soon(t, "the pages are read", func() bool { return holds(k) == "a@11 b@12" })
			soon(t, "it is watched from the list on", func() bool { return f.count("watch 20") == 1 })
			r.relist()
			soon(t, "it is listed again", func() bool { return f.count("page") == 4 })
			if n := f.count("stream"); n != 1 {
				t.Errorf("%d streams were asked for, want one", n)
			}
		})
	}
}

// A server whose storage was restored from a backup shows older versions than the store has, and is right.
func TestStorageRestoredFromABackup(t *testing.T) {
	for _, streams := range []bool{true, false} {
		t.Run(fmt.Sprintf("streams %v", streams), func(t *testing.T) {
			f := &fakeAPI{}
			restored, gone := false, make(chan struct{})
			f.pages = func(string) (int, string) {
				if restored {
					return 200, listOf("15", "", configMapAt("a", "9"), configMapAt("c", "10"))
				}
				return 200, listOf("30", "", configMapAt("a", "25"), configMapAt("b", "26"))
			}
			// Whoever watches from before the restoration is told that this is over.
			f.watched = func(rv string, w http.ResponseWriter, r *http.Request) {
				if rv == "30" {
					w.(http.Flusher).Flush()
					select {
					case <-gone:
						_, _ = w.Write([]byte(`{"type":"ERROR","object":{"kind":"Status","reason":"Expired","code":410}}`))
					case <-r.Context().Done():
					}
					return
				}
				hang(w, r)
			}
			f.streamed = func(w http.ResponseWriter, r *http.Request) {
				objects, rv := []string{configMapAt("a", "25"), configMapAt("b", "26")}, "30"
				select {
				case <-gone:
					objects, rv = []string{configMapAt("a", "9"), configMapAt("c", "10")}, "15"
				default:
				}
				for _, object := range objects {
					_, _ = w.Write([]byte(frame("ADDED", object)))
				}
				_, _ = w.Write([]byte(frame("BOOKMARK", strings.Replace(endOfList, `"20"`, `"`+rv+`"`, 1))))
				f.watched(rv, w, r)
			}
			k, _ := f.follow(t, func(o *Options) { o.PagedLists = !streams })
			soon(t, "the first state", func() bool { return holds(k) == "a@25 b@26" })
			f.change(func() { restored = true })
			close(gone)
			soon(t, "the restored state", func() bool { return holds(k) == "a@9 c@10" })
		})
	}
}

// Where the API server stays up while its storage goes back, the watch tells nothing: the probe sees it.
func TestProbeSeesStorageThatWentBack(t *testing.T) {
	f := &fakeAPI{pages: func(string) (int, string) { return 200, listOf("30", "", configMapAt("a", "25")) }}
	k, r := f.follow(t, func(o *Options) { o.PagedLists = true })
	soon(t, "the first state", func() bool { return holds(k) == "a@25" })
	if found, err := r.c.compare(t.Context(), k, r); err != nil || len(found) > 0 {
		t.Fatalf("before: %v, %v", found, err)
	}
	f.change(func() {
		f.pages = func(string) (int, string) { return 200, listOf("15", "", configMapAt("a", "9")) }
	})
	found, err := r.c.compare(t.Context(), k, r)
	if err != nil || len(k.still(found)) != 1 {
		t.Errorf("after: %v, %v, want one discrepancy that lasts", found, err)
	}
	r.relist()
	soon(t, "the restored state", func() bool { return holds(k) == "a@9" })
}

// A watch that is past a list when that has come to its end shows only that the kind is busy.
func TestProbeTakesNoBusyKindForStorageThatWentBack(t *testing.T) {
	f := &fakeAPI{pages: func(string) (int, string) { return 200, listOf("30", "", configMapAt("a", "25")) }}
	k, r := f.follow(t, func(o *Options) { o.PagedLists = true })
	soon(t, "the first state", func() bool { return holds(k) == "a@25" })
	f.change(func() {
		f.pages = func(string) (int, string) {
			k.progress("", "40")
			return 200, listOf("30", "", configMapAt("a", "25"))
		}
	})
	if found, err := r.c.compare(t.Context(), k, r); err != nil || len(found) > 0 {
		t.Errorf("%v, %v, want no discrepancy", found, err)
	}
}

// Only a kind that may not be listed is left out where the settings say so: one that may not be watched is unknown.
func TestWhatMayNotBeWatchedIsNotLeftOut(t *testing.T) {
	f := &fakeAPI{pages: func(string) (int, string) { return 200, listOf("30", "", configMapAt("a", "25")) }}
	f.watched = func(_ string, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no watch","reason":"Forbidden","code":403}`))
	}
	k, r := f.follow(t, func(o *Options) { o.PagedLists, o.RespectRBAC = true, settings.RBACNormal })
	soon(t, "it is unknown", func() bool { return strings.Contains(holds(k), "no watch") })
	if left := r.c.leftOut(); len(left) > 0 {
		t.Errorf("left out: %v", left)
	}
}

// A watch on which not even bookmarks arrive any more is given up, and goes on where it was.
func TestSilentWatchIsOpenedAnew(t *testing.T) {
	f := &fakeAPI{pages: func(string) (int, string) { return 200, listOf("20", "", configMapAt("a", "11")) }}
	f.watched = func(rv string, w http.ResponseWriter, r *http.Request) {
		switch rv {
		case "20":
			_, _ = w.Write([]byte(frame("BOOKMARK", `{"metadata":{"resourceVersion":"21"}}`)))
			hang(w, r)
		case "21":
			_, _ = w.Write([]byte(frame("ADDED", configMapAt("b", "22"))))
			hang(w, r)
		default:
			hang(w, r)
		}
	}
	k, r := f.follow(t, func(o *Options) { o.PagedLists, o.Silence = true, 30*time.Millisecond })
	soon(t, "what came meanwhile is known", func() bool { return holds(k) == "a@11 b@22" })
	r.mu.Lock()
	silent := r.record.silent
	r.mu.Unlock()
	if silent == 0 || f.count("page") != 1 {
		t.Errorf("%d silent watches, %d lists, want some and one", silent, f.count("page"))
	}
}

// What falls silent ends with a reason that makes the link probe.
func TestPulse(t *testing.T) {
	ctx, p := withPulse(context.Background(), 30*time.Millisecond)
	defer p.stop()
	<-ctx.Done()
	if err := p.explain(ctx, ctx.Err()); !errors.Is(err, errSilent) || !unreachable(err) {
		t.Errorf("explain = %v, want a silence", err)
	}
}
