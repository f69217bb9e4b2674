package query

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/valuetext"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// dataTail is what follows an INSERT's text: the part that was read together with the text, then the stream.
type dataTail struct {
	head string
	rest io.Reader
}

func (t *dataTail) reader() io.Reader {
	if t.rest == nil {
		return strings.NewReader(t.head)
	}
	return io.MultiReader(strings.NewReader(t.head), t.rest)
}

// readSlack is how much of a body is read beyond max_query_size: a token that begins inside of the limit may end behind it.
const readSlack = 64 << 10

// parse reads the statement's text and parses it. Of the body only so much is read as can be text.
func (x *statement) parse() error {
	x.text = x.in.Text
	limits := x.limits()
	var rest io.Reader
	if x.in.Body != nil {
		limit := limits.QuerySize
		if limit == 0 {
			limit = parse.DefaultQuerySize
		}
		head, more, err := readHead(x.in.Body, limit+readSlack)
		if err != nil {
			return err
		}
		if x.text != "" {
			x.text += "\n"
		}
		x.text += head
		if more {
			rest = x.in.Body
		}
	}
	stmt, err := parse.One(x.text, limits)
	if err != nil {
		return err
	}
	x.ast = stmt
	ins, ok := stmt.(*ast.Insert)
	switch {
	case ok && (ins.Select == nil || ins.Input):
		x.data = &dataTail{rest: rest}
		if ins.DataStart >= 0 {
			x.data.head = x.text[ins.DataStart:ins.DataEnd]
		}
	case rest != nil:
		return sqlerr.New(sqlerr.QueryIsTooLarge, "Max query size exceeded (can be increased with the `max_query_size` setting)")
	}
	return nil
}

// readHead reads up to n bytes and reports whether there may be more.
func readHead(r io.Reader, n int) (string, bool, error) {
	var b bytes.Buffer
	_, err := io.CopyN(&b, r, int64(n))
	switch {
	case err == nil:
		return b.String(), true, nil
	case errors.Is(err, io.EOF):
		return b.String(), false, nil
	}
	return "", false, err
}

// ownSettings applies the statement's SETTINGS clauses.
func (x *statement) ownSettings() error {
	for _, list := range ast.Settings(x.ast) {
		for _, s := range list {
			if err := x.applySetting(s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *statement) applySetting(s ast.Setting) error {
	if s.Value == nil {
		return x.set.Reset(s.Name)
	}
	text, err := settingText(s.Value, x.in.Params)
	if err != nil {
		return err
	}
	if l, ok := s.Value.(*ast.Literal); ok && l.Kind != ast.LiteralString {
		return x.set.SetNumber(s.Name, text)
	}
	return x.set.Set(s.Name, text)
}

// settingText is the text of a setting's value: a literal's value, or SQL of a collection.
func settingText(e ast.Expr, params map[string]string) (string, error) {
	switch e := e.(type) {
	case *ast.Literal:
		return e.SettingText(), nil
	case *ast.QueryParam:
		v, ok := params[e.Name]
		if !ok {
			return "", noParam(e.Name)
		}
		return unescape(v), nil
	}
	return ast.Format(e), nil
}

func noParam(name string) error {
	return sqlerr.New(sqlerr.UnknownQueryParameter, "Substitution `%s` is not set", name)
}

// unescape undoes TSV escapes of a parameter's value.
func unescape(v string) string {
	var out []byte
	for s := []byte(v); len(s) > 0; {
		n := 1
		if s[0] == '\\' {
			out, n = valuetext.AppendUnescaped(out, s)
		} else {
			out = append(out, s[0])
		}
		s = s[max(n, 1):]
	}
	return string(out)
}

// name resolves an identifier that may be a parameter.
func (x *statement) name(n ast.Name) (string, error) {
	if !n.Param {
		return n.Text, nil
	}
	v, ok := x.in.Params[n.Text]
	if !ok {
		return "", noParam(n.Text)
	}
	return unescape(v), nil
}

// table resolves a table's name to database and table.
func (x *statement) table(n ast.TableName) (db, name string, err error) {
	if name, err = x.name(n.Table); err != nil {
		return "", "", err
	}
	if db, err = x.name(n.Database); err != nil {
		return "", "", err
	}
	if db == "" {
		if d, t, ok := strings.Cut(name, "."); ok && n.Table.Param {
			return d, t, nil
		}
		if x.cat != nil && x.cat.Table("", name) != nil { // the session's own
			return "", name, nil
		}
		db = x.db
	}
	return db, name, nil
}

// kindOf is the statement's kind in system.query_log.
func kindOf(s ast.Statement) string {
	switch s := s.(type) {
	case *ast.SelectUnion:
		return "Select"
	case *ast.Insert:
		return "Insert"
	case *ast.CreateTable, *ast.CreateDatabase, *ast.CreateFunction, *ast.CreateDictionary, *ast.Attach:
		return "Create"
	case *ast.Drop:
		if s.Action == ast.ActionTruncate {
			return "Truncate"
		}
		return "Drop"
	case *ast.Undrop:
		return "Undrop"
	case *ast.Rename:
		return "Rename"
	case *ast.Alter:
		return "Alter"
	case *ast.Delete:
		return "Delete"
	case *ast.Update:
		return "Update"
	case *ast.Optimize:
		return "Optimize"
	case *ast.Describe:
		return "Describe"
	case *ast.Show:
		return "Show"
	case *ast.Exists:
		return "Exists"
	case *ast.Explain:
		return "Explain"
	case *ast.Use:
		return "Use"
	case *ast.Set:
		return "Set"
	case *ast.Kill:
		return "KillQuery"
	case *ast.System:
		return "System"
	case *ast.Check:
		return "Check"
	case *ast.Backup:
		if s.Restore {
			return "Restore"
		}
		return "Backup"
	case *ast.Parallel:
		return "ParallelWithQuery"
	case *ast.AccessChange:
		if s.Alter {
			return "Alter"
		}
		return "Create"
	case *ast.AccessDrop:
		return "Drop"
	case *ast.Grant:
		if s.Revoke {
			return "Revoke"
		}
		return "Grant"
	case *ast.SetRole:
		return "Set"
	case *ast.ShowAccess:
		return "Show"
	}
	return ""
}

// tableNames lists the tables a statement names, and their databases.
func tableNames(s ast.Statement, db string) (tables, databases []string) {
	seen, dbs := map[string]bool{}, map[string]bool{}
	add := func(n ast.TableName) {
		d := n.Database.Text
		if d == "" {
			d = db
		}
		dbs[d], seen[d+"."+n.Table.Text] = true, true
	}
	if s == nil {
		return nil, nil
	}
	if i, ok := s.(*ast.Insert); ok && i.Table != nil {
		add(*i.Table)
	}
	ast.Walk(s, func(n ast.Node) bool {
		if t, ok := n.(*ast.TableRef); ok {
			add(t.Name)
		}
		return true
	})
	return slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(dbs))
}

// withoutSecrets is a statement's text as it may be shown and logged; s is nil if it could not be parsed.
func withoutSecrets(s ast.Statement, text string) string {
	if s == nil {
		return ast.Cut(text)
	}
	return ast.ShownText(s, text)
}

// minScrubbed is the length of the secrets that are looked for in messages: shorter ones are parts of words.
const minScrubbed = 4

// scrub takes the secrets of a statement out of a message that may quote them.
func scrub(s ast.Statement, message string) string {
	if s == nil {
		return message
	}
	for _, secret := range ast.Secrets(s) {
		if l, ok := secret.Expr.(*ast.Literal); ok && l.Kind == ast.LiteralString && len(l.Str) >= minScrubbed {
			message = strings.ReplaceAll(message, l.Str, secret.Text)
		}
	}
	return message
}
