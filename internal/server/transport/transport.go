// SPDX-License-Identifier: Apache-2.0

// Package transport carries calls of the services over HTTP: REST with the JSON of Argo CD, gRPC and gRPC-Web with its protobuf
// messages, on one port. It knows methods only by their descriptions (api/argoproj/rpc).
//
// The words of this room:
//
//   - Mounted: an implementation of a service with the descriptions of its calls.
//   - Wire: the protobuf form of messages, by the table of field numbers.
//   - Stream: newline-delimited JSON or server-sent events on REST, a stream on gRPC.
package transport

import (
	"github.com/bowline-cd/bowline/api/argoproj/rpc"
)

// Mounted is an implementation of a service with the descriptions of its calls.
type Mounted struct {
	Methods []*rpc.Method
	Service any
}
