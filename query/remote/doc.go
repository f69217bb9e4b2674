// Package remote reads tables of other servers, olapd's and ClickHouse's, over the native protocol: the table functions remote and remoteSecure.
//
// # Addresses
//
// host or host:port. A comma stands between servers that each have rows of their own, | between those that have the same ones, of which the first that
// can be reached is asked. {a,b} and {1..3} stand for several, as in paths of files.
//
// # What may be reached
//
// Reach is the config's. Every address must be allowed before any is connected to; others are UnacceptableURL.
package remote

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/files"
)

// Limits on what one call reaches.
const (
	// maxServers bounds the servers of a call, each of which costs a connection: ClickHouse's table_function_remote_max_addresses.
	maxServers = 1000
	// maxColumns bounds the columns of a table that a server describes.
	maxColumns = 1 << 14
)

// The ports of the native protocol without one in the address.
const (
	defaultPort = "9000"
	securePort  = "9440"
)

// Reach is what may be connected to. Immutable.
type Reach struct {
	// Hosts are names of hosts, *.suffix for all below a domain, addresses, or networks such as 10.0.0.0/8, which addresses, not names, are held
	// against. A name or an address may have a port; without one it allows all.
	Hosts []string
	// Own returns the addresses that this server itself listens on; they are allowed.
	Own func() []string
}

// Allows refuses an address, host:port, that may not be connected to.
func (r *Reach) Allows(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return sqlerr.New(sqlerr.BadArguments, "Bad address %s", address)
	}
	if r != nil {
		for _, h := range r.Hosts {
			if hostAllowed(h, host, port) {
				return nil
			}
		}
		if r.Own != nil {
			for _, own := range r.Own() {
				if isOwn(own, host, port) {
					return nil
				}
			}
		}
	}
	return sqlerr.New(sqlerr.UnacceptableURL, "Address %s is not allowed: the config names it not among remote_hosts", address)
}

func hostAllowed(rule, host, port string) bool {
	if network, err := netip.ParsePrefix(rule); err == nil {
		ip, err := netip.ParseAddr(host)
		return err == nil && network.Contains(ip.Unmap())
	}
	if h, p, err := net.SplitHostPort(rule); err == nil {
		if p != port {
			return false
		}
		rule = h
	}
	if domain, ok := strings.CutPrefix(rule, "*"); ok && strings.HasPrefix(domain, ".") {
		return len(host) > len(domain) && strings.EqualFold(host[len(host)-len(domain):], domain)
	}
	return rule != "" && strings.EqualFold(rule, host)
}

// isOwn reports whether host:port is an address that this server listens on, from this machine.
func isOwn(own, host, port string) bool {
	h, p, err := net.SplitHostPort(own)
	if err != nil || p != port {
		return false
	}
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	at := net.ParseIP(h)
	return host == h || loopback && (h == "" || h == "localhost" || at != nil && (at.IsUnspecified() || at.IsLoopback()))
}

// servers takes addresses apart: of each server, those that have the same rows.
func servers(pattern string, secure bool) ([][]string, error) {
	var out [][]string
	depth, from, total := 0, 0, 0
	add := func(part string) error {
		list, err := files.Expand(part)
		if err != nil {
			return err
		}
		for _, one := range list {
			var same []string
			for _, a := range strings.Split(one, "|") {
				a, err := address(strings.TrimSpace(a), secure)
				if err != nil {
					return err
				}
				same = append(same, a)
			}
			out = append(out, same)
			if total += len(same); total > maxServers {
				return sqlerr.New(sqlerr.BadArguments, "%s stands for more than %d addresses", pattern, maxServers)
			}
		}
		return nil
	}
	for i := 0; i <= len(pattern); i++ {
		if i == len(pattern) || pattern[i] == ',' && depth == 0 {
			if err := add(pattern[from:i]); err != nil {
				return nil, err
			}
			from = i + 1
			continue
		}
		switch pattern[i] {
		case '{':
			depth++
		case '}':
			depth--
		}
	}
	return out, nil
}

// address is host:port of host or host:port.
func address(s string, secure bool) (string, error) {
	if s == "" {
		return "", sqlerr.New(sqlerr.BadArguments, "The address of a server is empty")
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil { // there is no port
		host, port = strings.Trim(s, "[]"), defaultPort
		if secure {
			port = securePort
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", sqlerr.New(sqlerr.BadArguments, "Illegal port passed to function parseAddress: %s", port)
	}
	return net.JoinHostPort(host, port), nil
}
