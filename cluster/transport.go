package cluster

import (
	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/raftnet"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
)

// Transport carries the messages of all groups between nodes. Its methods are the package's own business: a caller picks
// one of the package's transports.
type Transport interface {
	// open returns this node's address and the transport of one group, which is closed when the group stops.
	open(group uint64) (raft.ServerAddress, raftTransport)
	// close ends what the groups share, after all of them have stopped.
	close()
}

// raftTransport is closed before raft is, which would otherwise wait for other nodes at its end.
type raftTransport interface {
	raft.Transport
	raft.WithClose
	// Hurry has raft's heartbeats sent at once, while someone waits for their answers, until calm is called.
	Hurry() (calm func())
}

// Loopback returns the transport of a node alone: every group has one member, and nothing is ever sent.
func Loopback() Transport { return loopback{} }

type loopback struct{}

func (loopback) open(uint64) (raft.ServerAddress, raftTransport) {
	address, t := raft.NewInmemTransport("loopback")
	return address, alone{t}
}

// alone is a transport that has nobody to send to.
type alone struct{ *raft.InmemTransport }

// Hurry implements raftTransport.
func (alone) Hurry() (calm func()) { return func() {} }

func (loopback) close() {}

// Over returns the transport over a network to other nodes. A node's address is its name, which the network resolves.
func Over(n rpc.Network, clk clock.Clock) Transport { return networked{raftnet.New(n, clk)} }

type networked struct{ mux *raftnet.Mux }

func (t networked) open(group uint64) (raft.ServerAddress, raftTransport) {
	g := t.mux.Group(group)
	return g.LocalAddr(), g
}

func (t networked) close() { t.mux.Close() }

// UrgentMethods are the methods of a network whose messages must not wait behind others: heartbeats and votes.
func UrgentMethods() []string { return []string{raftnet.ControlMethod} }
