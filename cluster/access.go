package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/olapd/olapd/internal/access"
)

// accessChange replaces users, roles and their kin by the version after the present one.
type accessChange struct{ to *access.State }

func (*accessChange) kind() kind { return kindAccessChange }

func (b *accessChange) append(dst []byte) ([]byte, error) {
	text, err := json.Marshal(b.to)
	if err != nil {
		return dst, fmt.Errorf("cluster: users and roles: %w", err)
	}
	return appendText(dst, text), nil
}

func (m *metaFSM) changeAccess(b *accessChange) response {
	if b.to.Version != m.access.Version+1 {
		return response{err: fmt.Errorf("%w: users and roles of version %d after %d", ErrConflict, b.to.Version, m.access.Version)}
	}
	m.access = b.to
	return response{value: b.to}
}

// Access returns users, roles and their kin as this node knows them.
func (m *Meta) Access() *access.State { return m.fsm.published.Load().access }

// ChangeAccess makes a change to users, roles and their kin, linearizably as Change does. f makes a changed state of the present one with
// its With… and Without… methods, or returns it as it is; its errors are returned as they are.
func (m *Meta) ChangeAccess(ctx context.Context, f func(*access.State) (*access.State, error)) (*access.State, error) {
	return retried(ctx, m, func() (*access.State, error) { return m.changeAccess(ctx, f) })
}

func (m *Meta) changeAccess(ctx context.Context, f func(*access.State) (*access.State, error)) (*access.State, error) {
	if err := m.g.barrier(ctx); err != nil {
		return nil, err
	}
	old := m.Access()
	next, err := f(old)
	if err != nil || next.Version == old.Version {
		return old, err
	}
	next = next.At(old.Version + 1)
	r, err := m.g.commit(ctx, proposal{body: &accessChange{next}})
	if err := errors.Join(err, r.err); err != nil {
		return nil, err
	}
	return m.Access(), nil
}
