package node

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/virtual"
)

// methodAsk is a stream to a node that runs a SELECT of its own, as a user of the cluster with roles that are on, and sends the rows:
//
//	request:  virtual.Question as JSON
//	answer:   blocks of rows
const methodAsk = "query.ask"

// askBytes is how many bytes of rows go in one message, about: blocks that are larger are cut in halves.
const askBytes = 4 << 20

// askSettings are those that hold on the other node too: the others are of the query's own work here.
var askSettings = []string{"session_timezone", "max_execution_time", "max_memory_usage"}

// askSelect implements virtual.Providers.
func (n *Node) askSelect(ctx context.Context, node string, q virtual.Question) (func() (*column.Block, error), error) {
	if n.cfg.Network == nil {
		return nil, sqlerr.Wrap(rpc.ErrUnreachable, sqlerr.NetworkError, "Node %s is not known", node)
	}
	given := q.Settings
	q.Settings = map[string]string{}
	for _, name := range askSettings {
		if value, ok := given[name]; ok {
			q.Settings[name] = value
		}
	}
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	st, err := n.cfg.Network.Open(ctx, node, methodAsk)
	if err != nil {
		return nil, err
	}
	if err := st.Send(text); err != nil && !errors.Is(err, io.EOF) { // the end of the stream says why: it is read below
		return nil, err
	}
	return func() (*column.Block, error) {
		b, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return blockcodec.Decode(b)
	}, nil
}

// serveAsk answers methodAsk.
func (n *Node) serveAsk(ctx context.Context, from string, st rpc.Stream) (err error) {
	text, err := st.Recv()
	if err != nil {
		return err
	}
	q := virtual.Question{}
	if err := json.Unmarshal(text, &q); err != nil {
		return sqlerr.Wrap(err, sqlerr.CorruptedData, "A question of node %s", from)
	}
	session, err := n.engine.NewSession(query.SessionOptions{User: q.User, Roles: q.Roles, Database: q.Database, Client: query.Client{Name: "node " + from}})
	if err != nil {
		return err
	}
	r, err := session.Execute(ctx, query.Query{Text: q.Text, Settings: q.Settings, ReadOnly: true})
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Run(func(b *column.Block) error { return sendRows(st, b.Flatten()) })
}

// sendRows sends a block, cut in halves while it is large.
func sendRows(st rpc.Stream, b *column.Block) error {
	if b.N > 1 && b.Bytes() > askBytes {
		if err := sendRows(st, b.Slice(0, b.N/2)); err != nil {
			return err
		}
		return sendRows(st, b.Slice(b.N/2, b.N))
	}
	if b.N == 0 {
		return nil
	}
	body, err := blockcodec.Append(nil, b)
	if err != nil {
		return err
	}
	return st.Send(body)
}
