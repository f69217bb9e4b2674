package torturecluster

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// link is a direction between two nodes.
type link struct{ from, to string }

// proxies stand between the nodes. What is sent over a cut link waits until it is healed, as packets do that are sent again.
type proxies struct {
	owner func(port int) string // the node that has opened a local port; "" if unknown
	mu    struct {
		sync.Mutex
		cut     map[link]bool
		changed chan struct{} // closed when cut changes
		open    map[net.Conn]struct{}
		fronts  []net.Listener
		closed  bool
	}
	work sync.WaitGroup
}

func newProxies(owner func(int) string) *proxies {
	p := &proxies{owner: owner}
	p.mu.cut, p.mu.open, p.mu.changed = map[link]bool{}, map[net.Conn]struct{}{}, make(chan struct{})
	return p
}

// front listens for a node at a port of its own and passes on to where it really is.
func (p *proxies) front(node, behind string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("proxy: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.fronts = append(p.mu.fronts, l)
	p.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			p.work.Go(func() { p.join(c, node, behind) })
		}
	})
	return l.Addr().String(), nil
}

// join passes bytes on in both directions until one side ends.
func (p *proxies) join(client net.Conn, node, behind string) {
	defer client.Close()
	from := p.owner(client.RemoteAddr().(*net.TCPAddr).Port)
	server, err := net.Dial("tcp", behind)
	if err != nil {
		return // the node is down: the client sees its connection end
	}
	defer server.Close()
	if !p.hold(client, server) {
		return
	}
	defer p.drop(client, server)
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client, link{from, node}) })
	both.Go(func() { p.pump(client, server, link{node, from}) })
	both.Wait()
}

func (p *proxies) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.mu.open[c] = struct{}{}
	}
	return !p.mu.closed
}

func (p *proxies) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.mu.open, c)
	}
}

// pump copies; when it ends, the other direction ends too.
func (p *proxies) pump(to, from net.Conn, l link) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		for changed := p.held(l); changed != nil; changed = p.held(l) {
			<-changed
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// held returns nil, or while the link is cut what is closed when that may have changed.
func (p *proxies) held(l link) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.mu.cut[l] {
		return nil
	}
	return p.mu.changed
}

// setCut cuts these links and heals all others.
func (p *proxies) setCut(links ...link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setCutLocked(links)
}

func (p *proxies) setCutLocked(links []link) {
	clear(p.mu.cut)
	for _, l := range links {
		p.mu.cut[l] = true
	}
	close(p.mu.changed)
	p.mu.changed = make(chan struct{})
}

// reset breaks all connections there are.
func (p *proxies) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.mu.open {
		_ = c.Close() // whoever reads or writes it ends
	}
}

// close ends everything and waits.
func (p *proxies) close() error {
	p.mu.Lock()
	p.mu.closed = true
	p.setCutLocked(nil)
	var errs []error
	for _, l := range p.mu.fronts {
		errs = append(errs, l.Close())
	}
	p.mu.Unlock()
	p.reset()
	p.work.Wait()
	return errors.Join(errs...)
}
