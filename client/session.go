package client

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
)

// connect returns the connection, a new one if the last has ended: what SET changed is gone with it, the database is not.
func (a *app) connect() (*conn, error) {
	if a.link != nil && a.link.usable() {
		return a.link, nil
	}
	a.close()
	c, err := connect(context.Background(), &a.options, a.database)
	if err != nil {
		return nil, err
	}
	a.link = c
	return c, nil
}

// close ends the connection, if there is one.
func (a *app) close() {
	if a.link != nil {
		a.link.close()
		a.link = nil
	}
}

// zone is the time zone of the server.
func (a *app) zone() *time.Location {
	if a.link != nil && a.link.server.Zone != "" {
		if z, err := types.LoadZone(a.link.server.Zone); err == nil {
			return z
		}
	}
	return time.UTC
}

// settingsToTell lists the settings of the command line for the server; it must know them. What SET has changed since holds on the server.
func (a *app) settingsToTell() []protocol.Setting {
	var out []protocol.Setting
	for _, name := range slices.Sorted(maps.Keys(a.options.settings)) {
		if _, changed := a.set[name]; !changed {
			out = append(out, protocol.Setting{Name: name, Value: a.options.settings[name], Important: true})
		}
	}
	return out
}

// parameters are the values of {name:Type}: literals of strings, as they travel.
func (o *options) parameters() []protocol.Setting {
	var out []protocol.Setting
	for _, name := range slices.Sorted(maps.Keys(o.params)) {
		out = append(out, protocol.Setting{Name: name, Value: "'" + quoting.Replace(o.params[name]) + "'", Custom: true})
	}
	return out
}

var quoting = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// ownSettings are the SETTINGS of a statement, as text.
func ownSettings(stmt ast.Statement) map[string]string {
	out := map[string]string{}
	if stmt == nil {
		return out
	}
	for _, list := range ast.Settings(stmt) {
		for _, s := range list {
			if lit, ok := s.Value.(*ast.Literal); ok {
				out[s.Name] = lit.SettingText()
			}
		}
	}
	return out
}

// follow keeps up with what a statement changed in the session or on the server.
func (a *app) follow(stmt ast.Statement) {
	switch s := stmt.(type) {
	case *ast.Use:
		a.database = s.Database.Text
	case *ast.Set:
		for _, one := range s.Settings {
			a.set[one.Name] = "" // its default
			if lit, ok := one.Value.(*ast.Literal); ok {
				a.set[one.Name] = lit.SettingText()
			}
		}
	case *ast.SelectUnion, *ast.Insert, *ast.Explain, *ast.Exists, *ast.Describe:
	default:
		a.changed()
	}
}

// text asks a small question beside the user's own and returns the answer as lines of fields between tabs. The connection is lost if
// it takes longer than ctx.
func (c *conn) text(ctx context.Context, sql string) (string, error) {
	defer context.AfterFunc(ctx, func() { _ = c.net.Close() })() // the reader notices
	if err := c.ask(question{id: randomID(), text: sql}); err != nil {
		return "", err
	}
	f, err := format.Lookup("TabSeparated")
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	p := &printer{out: &out, format: f, options: format.Defaults(), started: time.Now(), first: func() {}}
	for {
		in := <-c.packets
		switch in.kind {
		case broken, protocol.ServerException:
			if ctx.Err() != nil {
				return "", sqlerr.Wrap(ctx.Err(), sqlerr.NetworkError, "The server does not answer")
			}
			return "", in.err
		case protocol.ServerData:
			err = p.rows(in.data, false)
		case protocol.ServerEndOfStream:
			err = p.end(work{})
			return out.String(), err
		}
		if err != nil {
			return "", err
		}
	}
}
