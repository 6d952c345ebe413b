// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/application"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/rpc/repository"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
)

const kinds = "github.com.argoproj.argo_cd.v3.pkg.apis.application.v1alpha1."

// proto builds a message by hand: numbers of fields with a text, a whole number, or a message.
func proto(fields ...any) []byte {
	var b []byte
	for i := 0; i < len(fields); i += 2 {
		number := protowire.Number(fields[i].(int)) //nolint:gosec // numbers of a test
		switch v := fields[i+1].(type) {
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), v)
		case []byte:
			b = protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), v)
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), uint64(v)) //nolint:gosec // as above
		}
	}
	return b
}

// The bytes are those of the protobuf specification, put together from the numbers that the messages have in Argo CD.
func TestBytes(t *testing.T) {
	at := metav1.NewTime(time.Unix(1700000000, 0).UTC())
	yes := true
	for _, c := range []struct {
		reason, message string
		value           any
		want            []byte
	}{
		{"texts, numbers and lists", "application.ApplicationQuery",
			&application.ApplicationQuery{Name: "web", Refresh: "hard", Projects: []string{"a", "b"}},
			proto(1, "web", 2, "hard", 3, "a", 3, "b")},
		{"a zero value is left out", "application.ApplicationQuery", &application.ApplicationQuery{}, nil},
		{"but for a required one", "application.LogEntry", &application.LogEntry{Content: "hi", TimeStamp: &at},
			proto(1, "hi", 2, proto(1, 1700000000, 2, 0), 3, 0, 4, "", 5, "")},
		{"and its message", "application.LogEntry", &application.LogEntry{}, proto(1, "", 2, "", 3, 0, 4, "", 5, "")},
		{"and what says something by being there", "application.ApplicationDeleteRequest",
			&application.ApplicationDeleteRequest{Name: "web", Cascade: new(bool)}, proto(1, "web", 2, 0)},
		{"a message in a message", "application.ApplicationUpdateSpecRequest",
			&application.ApplicationUpdateSpecRequest{Name: "web", Spec: &v1alpha1.ApplicationSpec{Project: "p"}, Validate: &yes},
			proto(1, "web", 2, proto(3, "p"), 3, 1)},
		{"a map, by its keys", "cluster.Help", &cluster.Help{BinaryURLs: map[string]string{"b": "2", "a": "1"}},
			proto(3, proto(1, "a", 2, "1"), 3, proto(1, "b", 2, "2"))},
		{"a map that can be absent", kinds + "ApplicationSourcePluginParameter",
			&v1alpha1.ApplicationSourcePluginParameter{Name: "p", Map: map[string]string{}, Array: []string{"x"}},
			proto(1, "p", 3, "", 4, proto(1, "x"))},
		{"what Go embeds is a field", kinds + "SyncStrategyHook",
			&v1alpha1.SyncStrategyHook{SyncStrategyApply: v1alpha1.SyncStrategyApply{Force: true}}, proto(1, proto(1, 1))},
		{"what JSON has flat is nested", kinds + "KustomizeSelector",
			&v1alpha1.KustomizeSelector{KustomizeResId: v1alpha1.KustomizeResId{KustomizeGvk: v1alpha1.KustomizeGvk{Kind: "K"}, Name: "n"}, LabelSelector: "l"},
			proto(1, proto(1, proto(3, "K"), 2, "n"), 3, "l")},
		{"a negative number", "application.ApplicationRollbackRequest", &application.ApplicationRollbackRequest{Name: "w", ID: -1},
			proto(1, "w", 2, -1)},
		{"names that JSON has otherwise", kinds + "ResourceOverride", &v1alpha1.ResourceOverride{HealthLua: "return", UseOpenLibs: true},
			proto(1, "return", 5, 1)},
	} {
		got, err := Marshal(c.message, c.value)
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s:\n got %x, %v\nwant %x", c.reason, got, err, c.want)
			continue
		}
		back := reflect.New(reflect.TypeOf(c.value).Elem())
		if err := Unmarshal(c.message, c.want, back.Interface()); err != nil {
			t.Errorf("%s: %v", c.reason, err)
		}
		again, err := Marshal(c.message, back.Interface())
		if err != nil || !bytes.Equal(again, c.want) {
			t.Errorf("%s: after reading\n got %x, %v\nwant %x", c.reason, again, err, c.want)
		}
	}
}

func TestKubernetesTypes(t *testing.T) {
	app := &v1alpha1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "argocd", Labels: map[string]string{"a": "b"}, CreationTimestamp: metav1.Unix(1700000000, 0),
			Finalizers: []string{"f"}, Generation: 3},
		Spec: v1alpha1.ApplicationSpec{Source: &v1alpha1.ApplicationSource{
			Helm:      &v1alpha1.ApplicationSourceHelm{ValuesObject: &runtime.RawExtension{Raw: []byte(`{"a":1}`)}},
			Kustomize: &v1alpha1.ApplicationSourceKustomize{Replicas: v1alpha1.KustomizeReplicas{{Name: "r", Count: intstr.FromInt32(2)}}},
		}},
	}
	data, err := Marshal(kinds+"Application", app)
	if err != nil {
		t.Fatal(err)
	}
	back := &v1alpha1.Application{}
	if err := Unmarshal(kinds+"Application", data, back); err != nil {
		t.Fatal(err)
	}
	if text, other := asJSON(t, app), asJSON(t, back); text != other {
		t.Errorf("got  %s\nwant %s", other, text)
	}
	list := &corev1.EventList{Items: []corev1.Event{{Reason: "r", Count: 2, InvolvedObject: corev1.ObjectReference{Kind: "Pod"}}}}
	data, err = Marshal("events.EventList", list)
	if err != nil {
		t.Fatal(err)
	}
	native := &corev1.EventList{}
	if err := native.Unmarshal(data); err != nil || native.Items[0].InvolvedObject.Kind != "Pod" || native.Items[0].Count != 2 {
		t.Errorf("Kubernetes' own reader gets %+v, %v", native, err)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestUnmarshalRefuses(t *testing.T) {
	deep := proto(1, "x")
	for range 100 {
		deep = proto(7, deep)
	}
	for _, c := range []struct {
		reason, message string
		data            []byte
		says            string
	}{
		{"a message that is cut", "application.ApplicationQuery", []byte{0x0a, 0x05, 'a'}, "ends early"},
		{"a number where a text belongs", "application.ApplicationQuery", proto(1, 7), "application.ApplicationQuery.name: it is of wire type"},
		{"a text that is none", "application.ApplicationQuery", proto(1, "\xff"), "UTF-8"},
		{"a number that does not fit", "application.RevisionMetadataQuery", proto(5, 1<<40), "too large"},
		{"a message that is cut inside", kinds + "Application", proto(1, "\x0a\x7f"), "not well formed"},
		{"a small message that would be large", "application.ManagedResourcesResponse", bytes.Repeat([]byte{0x0a, 0}, 4<<20), "MiB of memory"},
		{"no message at all", "application.Nothing", nil, "no message"},
	} {
		value := any(&application.ApplicationQuery{})
		switch {
		case strings.HasSuffix(c.message, ".Application"):
			value = &v1alpha1.Application{}
		case strings.HasSuffix(c.message, "Response"):
			value = &application.ManagedResourcesResponse{}
		case strings.HasSuffix(c.message, "MetadataQuery"):
			value = &application.RevisionMetadataQuery{}
		}
		if err := Unmarshal(c.message, c.data, value); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want an error that says %q", c.reason, err, c.says)
		}
	}
}

func TestUnknownFieldsAreSkippedAndPackedNumbersRead(t *testing.T) {
	packed := protowire.AppendVarint(protowire.AppendVarint(nil, 1), 2)
	got := &application.ApplicationManifestQuery{}
	if err := Unmarshal("application.ApplicationManifestQuery", proto(1, "w", 99, "later", 98, 7, 5, packed, 5, 3), got); err != nil {
		t.Fatal(err)
	}
	if got.Name != "w" || !reflect.DeepEqual(got.SourcePositions, []int64{1, 2, 3}) {
		t.Errorf("got %+v", got)
	}
}

func TestTextsThatAreNoUTF8AreMendedOnTheWayOut(t *testing.T) {
	data, err := Marshal("repository.ManifestResponse", &repository.ManifestResponse{Manifests: []string{"a\xffb"}})
	if err != nil || !bytes.Contains(data, []byte("a\uFFFDb")) {
		t.Errorf("got %q, %v", data, err)
	}
}

// Every message keeps what it holds on the way there and back.
func TestRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test that is the same each time
	eachMessage(func(name string, empty any) {
		for range 5 {
			value := reflect.New(reflect.TypeOf(empty).Elem())
			fill(random, value.Elem(), 0)
			data, err := Marshal(name, value.Interface())
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			back := reflect.New(value.Type().Elem())
			if err := Unmarshal(name, data, back.Interface()); err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			again, err := Marshal(name, back.Interface())
			if err != nil || !bytes.Equal(data, again) {
				t.Errorf("%s does not come back as it went, %v", name, err)
			}
		}
	})
}

// fill sets the fields of a value to something.
func fill(random *rand.Rand, v reflect.Value, deep int) {
	if _, ok := v.Addr().Interface().(foreign); ok || deep > 6 || random.IntN(5) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(random, v.Elem(), deep)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(random, v.Field(i), deep+1)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(random, v.Index(i), deep+1)
		}
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(random, value, deep+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), value)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(random.Int64N(1 << 30))
	case reflect.Uint8:
		v.SetUint(7)
	}
}

// What anybody may send is read or refused, and what was read can be written.
func FuzzUnmarshal(f *testing.F) {
	var names []string
	values := map[string]reflect.Type{}
	eachMessage(func(name string, empty any) {
		names = append(names, name)
		values[name] = reflect.TypeOf(empty).Elem()
	})
	f.Add(0, proto(1, "web", 2, "hard"))
	for i, name := range names {
		value := reflect.New(values[name])
		fill(rand.New(rand.NewPCG(3, uint64(i))), value.Elem(), 0) //nolint:gosec // as above
		if data, err := Marshal(name, value.Interface()); err == nil {
			f.Add(i, data)
		}
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		if which < 0 || which >= len(names) {
			return
		}
		value := reflect.New(values[names[which]]).Interface()
		if Unmarshal(names[which], data, value) != nil {
			return
		}
		again, err := Marshal(names[which], value)
		if err != nil {
			t.Fatalf("%s was read and cannot be written: %v", names[which], err)
		}
		if err := Unmarshal(names[which], again, reflect.New(values[names[which]]).Interface()); err != nil {
			t.Fatalf("%s was written and cannot be read: %v", names[which], err)
		}
	})
}

func BenchmarkMarshalApplication(b *testing.B) {
	app := &v1alpha1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: v1alpha1.ApplicationSpec{Project: "p", Source: &v1alpha1.ApplicationSource{RepoURL: "https://a.example/b"}}}
	for range 100 {
		app.Status.Resources = append(app.Status.Resources, v1alpha1.ResourceStatus{Kind: "Deployment", Name: "web", Namespace: "n", Version: "v1"})
	}
	for b.Loop() {
		if _, err := Marshal(kinds+"Application", app); err != nil {
			b.Fatal(err)
		}
	}
}
