// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bowline-cd/bowline/internal/object"
	"github.com/bowline-cd/bowline/internal/render"
)

// behaviours are types of jobs that only the processes of these tests know: what code could do that got hold of one.
// in.Source.Path is their argument.
var behaviours = map[string]func(context.Context, render.Input) (render.Output, error){
	"environment": func(context.Context, render.Input) (render.Output, error) { return says(os.Environ()...), nil },
	"panic": func(_ context.Context, in render.Input) (render.Output, error) {
		if in.Source.Path == "runtime" {
			var m map[string]int
			m[in.App] = 1 //nolint:staticcheck // what a bug does
		}
		panic("the value of " + in.Source.Path)
	},
	"crash": func(_ context.Context, in render.Input) (render.Output, error) {
		fmt.Fprintln(os.Stderr, "said before:", in.Source.Path)
		go func() { panic("the value of " + in.Source.Path) }()
		select {}
	},
	"exit": func(context.Context, render.Input) (render.Output, error) {
		os.Exit(7)
		return render.Output{}, nil
	},
	"loop": func(context.Context, render.Input) (render.Output, error) {
		for i := 0; ; i++ {
			runtime.KeepAlive(i)
		}
	},
	"recursion": func(context.Context, render.Input) (render.Output, error) { return says(fmt.Sprint(deeper(1))), nil },
	"memory": func(context.Context, render.Input) (render.Output, error) {
		var kept [][]byte
		for {
			block := make([]byte, 1<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			kept = append(kept, block)
			runtime.KeepAlive(kept)
		}
	},
	"memory at once": func(context.Context, render.Input) (render.Output, error) {
		var size int64 = 3 << 30
		block := make([]byte, size)
		return says(fmt.Sprint(len(block))), nil
	},
	"objects": func(_ context.Context, in render.Input) (render.Output, error) {
		n, size := 0, 0
		_, err := fmt.Sscan(in.Source.Path, &n, &size)
		out := render.Output{}
		for i := range n {
			out.Manifests = append(out.Manifests, manifest(fmt.Sprint("c", i), strings.Repeat("x", size)))
		}
		return out, err
	},
	"read for ever": func(ctx context.Context, in render.Input) (render.Output, error) {
		for i := 0; ; i++ {
			_, _ = in.Tree.Read(ctx, fmt.Sprint("file", i), -1)
		}
	},
	"look for ever": func(ctx context.Context, in render.Input) (render.Output, error) {
		for i := 0; ; i++ {
			_, _ = in.Tree.Lookup(ctx, fmt.Sprint("file", i))
		}
	},
	"ask and not listen": func(context.Context, render.Input) (render.Output, error) {
		for {
			frame := append(newFrame(), byte(readOp), 0)
			if err := writeFrame(socket{}, callFrame, binary.AppendVarint(appendText(frame, "a.yaml"), -1)); err != nil {
				return render.Output{}, err
			}
		}
	},
	"read": func(ctx context.Context, in render.Input) (render.Output, error) {
		data, err := in.Tree.Read(ctx, in.Source.Path, -1)
		return says(string(data)), err
	},
	"say": func(_ context.Context, in render.Input) (render.Output, error) {
		raw := []byte(in.Source.Path)
		_, err := socket{}.Write(raw)
		return render.Output{}, err
	},
	"fine": func(context.Context, render.Input) (render.Output, error) { return says(fmt.Sprint(os.Getpid())), nil },
}

// socket is the process's own, beside the reader that knows the protocol.
type socket struct{}

func (socket) Write(p []byte) (int, error) { return syscall.Write(firstFD, p) }

//go:noinline
func deeper(n int) int {
	var room [1024]byte
	room[n%1024] = byte(n)
	return deeper(n+1) + int(room[(n+1)%1024]) //nolint:staticcheck // without end on purpose
}

func says(warnings ...string) render.Output { return render.Output{Warnings: warnings} }

func manifest(name, text string) object.Manifest {
	return object.Manifest{Object: &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}, "data": map[string]any{"x": text},
	}}, Origin: object.Origin{File: "templates/" + name + ".yaml", Line: 1}}
}
