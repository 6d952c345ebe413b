// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
)

// Free ports are looked for below the range that the kernel hands out for outgoing
// connections (32768 and up on Linux), or one of those could take a port
// between its choice and its use.
const (
	firstPort = 20000
	lastPort  = 32000
)

// ports are the ports of one plane, all on 127.0.0.1.
type ports struct {
	api      int
	etcd     int
	etcdPeer int // named in etcd's configuration, never listened on
	kubelet  int // of every node
	kwok     int // kwok's own server, behind kubelet
}

// choosePorts finds a port for each listener. wanted is the user's choice for the API
// server; 0 leaves it to us.
func choosePorts(l *layout, wanted int) (ports, error) {
	var chosen ports
	taken := map[int]bool{}
	switch last := lastPortOf(l); {
	case wanted != 0 && !free(wanted):
		return chosen, fmt.Errorf("--port: 127.0.0.1:%d is in use", wanted)
	case wanted != 0:
		chosen.api = wanted
	case last != 0 && free(last):
		chosen.api = last
	}
	taken[chosen.api] = true
	for _, p := range []*int{&chosen.api, &chosen.etcd, &chosen.etcdPeer, &chosen.kubelet, &chosen.kwok} {
		if *p != 0 {
			continue
		}
		port, err := freePort(taken)
		if err != nil {
			return chosen, err
		}
		*p, taken[port] = port, true
	}
	err := os.WriteFile(l.path(portFile), []byte(strconv.Itoa(chosen.api)), 0o600)
	return chosen, err
}

func lastPortOf(l *layout) int {
	b, err := os.ReadFile(l.path(portFile))
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return port
}

func freePort(taken map[int]bool) (int, error) {
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if !taken[port] && free(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port found on 127.0.0.1 between %d and %d", firstPort, lastPort)
}

func free(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
