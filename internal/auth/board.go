// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bowline-cd/bowline/internal/fault"
)

// Board is a small record that all replicas share and that outlives them.
type Board interface {
	// Update reads the record, has it changed, and writes it. If somebody else wrote in between it begins anew. An error of
	// change ends it and is returned; nothing is written then. A change that changes nothing is not written either.
	Update(ctx context.Context, change func(map[string]string) error) error
}

// annotationBoard is where a board is in its Lease.
const annotationBoard = "bowline.dev/board"

// LeaseBoard keeps a board in a Lease: such an object is no setting, so that writing it causes no reading of settings, and who
// runs Bowline has the rights for it anyway. What is written there is no secret.
type LeaseBoard struct {
	Reader          client.Reader // reads from the API server
	Writer          client.Writer
	Namespace, Name string
}

// retries are what is waited when somebody else wrote.
var retries = wait.Backoff{Duration: 5 * time.Millisecond, Factor: 1.5, Jitter: 1, Steps: 25, Cap: 300 * time.Millisecond}

// Update implements Board.
func (b *LeaseBoard) Update(ctx context.Context, change func(map[string]string) error) error {
	var refused, last error
	err := wait.ExponentialBackoffWithContext(ctx, retries, func(ctx context.Context) (bool, error) {
		refused, last = b.once(ctx, change)
		again := apierrors.IsConflict(last) || apierrors.IsAlreadyExists(last)
		return refused != nil || last == nil, ignore(last, again)
	})
	switch {
	case refused != nil:
		return refused
	case err != nil:
		return fault.Wrap(fault.Retry, "write", "Lease "+b.Namespace+"/"+b.Name, firstOf(last, err), "try again")
	}
	return nil
}

func ignore(err error, yes bool) error {
	if yes {
		return nil
	}
	return err
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (b *LeaseBoard) once(ctx context.Context, change func(map[string]string) error) (refused, failed error) {
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: b.Namespace, Name: b.Name}}
	err := b.Reader.Get(ctx, client.ObjectKeyFromObject(lease), lease)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return nil, err
	}
	before := ReadBoard(lease)
	after := maps.Clone(before)
	if err := change(after); err != nil {
		return err, nil
	}
	if maps.Equal(before, after) {
		return nil, nil
	}
	raw, err := json.Marshal(after)
	if err != nil {
		return nil, err
	}
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, annotationBoard, string(raw))
	if missing {
		return nil, b.Writer.Create(ctx, lease)
	}
	return nil, b.Writer.Update(ctx, lease) // with its resource version
}

// ReadBoard returns what a Lease says. One that cannot be read is empty: it is written anew.
func ReadBoard(lease *coordinationv1.Lease) map[string]string {
	out := map[string]string{}
	if json.Unmarshal([]byte(lease.Annotations[annotationBoard]), &out) != nil || out == nil {
		return map[string]string{}
	}
	return out
}

// MemoryBoard is a board of this process alone, for one that must not write.
type MemoryBoard struct {
	mu   sync.Mutex
	data map[string]string
}

// Update implements Board.
func (b *MemoryBoard) Update(_ context.Context, change func(map[string]string) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := maps.Clone(b.data)
	if next == nil {
		next = map[string]string{}
	}
	if err := change(next); err != nil {
		return err
	}
	b.data = next
	return nil
}
