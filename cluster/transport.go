package cluster

import "github.com/hashicorp/raft"

// Transport carries the messages of all groups between nodes. Its methods are the package's own business: a caller picks
// one of the package's transports.
type Transport interface {
	// open returns this node's address and the transport of one group, closed by raft when the group stops.
	open(group uint64) (raft.ServerAddress, raft.Transport)
}

// Loopback returns the transport of a node alone: every group has one member, and nothing is ever sent.
func Loopback() Transport { return loopback{} }

type loopback struct{}

func (loopback) open(uint64) (raft.ServerAddress, raft.Transport) {
	return raft.NewInmemTransport("loopback")
}
