package define

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
)

// The defaults of the settings of a REFRESH, which are ClickHouse's.
const (
	refreshRetries    = 2
	refreshBackoff    = 100 * time.Millisecond
	refreshMaxBackoff = time.Minute
)

// maxSpan bounds times in seconds or months, so that no sum overflows.
const maxSpan = 1_000_000_000

// refresh makes the definition of a refreshable view.
func (o *Options) refresh(r *ast.Refresh) (*catalog.Refresh, error) {
	out := &catalog.Refresh{After: r.After, Append: r.Append, Retries: refreshRetries, Backoff: refreshBackoff, MaxBackoff: refreshMaxBackoff}
	var err error
	if out.Period, err = span(r.Period, r, false); err != nil {
		return nil, err
	}
	if out.Offset, err = span(r.Offset, r, true); err != nil {
		return nil, err
	}
	if out.Spread, err = span(r.Spread, r, true); err != nil {
		return nil, err
	}
	start := time.Unix(0, 0)
	if !out.Offset.After(start).Before(out.Period.After(start)) && !out.Offset.IsZero() {
		return nil, sqlerr.At(r.Start, sqlerr.BadArguments, "OFFSET must be less than the period")
	}
	shown := *r
	shown.DependsOn = nil
	for _, n := range r.DependsOn {
		db, name, err := o.table(n)
		if err != nil {
			return nil, err
		}
		out.DependsOn = append(out.DependsOn, catalog.Name{Database: db, Table: name})
		shown.DependsOn = append(shown.DependsOn, ast.TableName{Database: ast.Name{Text: db}, Table: ast.Name{Text: name}})
	}
	for _, s := range r.Settings {
		if err := refreshSetting(out, s); err != nil {
			return nil, err
		}
	}
	out.Text = refreshText(&shown)
	out.Since = o.Now
	return out, nil
}

// span is a time span of which all units are of the calendar or none is; an offset may have both.
func span(t ast.TimeSpan, r *ast.Refresh, both bool) (catalog.Span, error) {
	var out catalog.Span
	months := map[string]int64{"MONTH": 1, "QUARTER": 3, "YEAR": 12}
	seconds := map[string]int64{"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400, "WEEK": 7 * 86400}
	for _, p := range t {
		out.Months += int64(p.N) * months[p.Unit]
		out.Seconds += int64(p.N) * seconds[p.Unit]
		if out.Months > maxSpan/(31*86400) || out.Seconds > maxSpan {
			return out, sqlerr.At(r.Start, sqlerr.BadArguments, "Interval %s is too long", t)
		}
	}
	switch {
	case t != nil && out.IsZero():
		return out, sqlerr.At(r.Start, sqlerr.BadArguments, "Interval must be positive")
	case !both && out.Months != 0 && out.Seconds != 0:
		return out, sqlerr.At(r.Start, sqlerr.BadArguments, "Interval shouldn't contain both calendar units and clock units (e.g. months and days)")
	}
	return out, nil
}

func refreshSetting(r *catalog.Refresh, s ast.Setting) error {
	text, err := literal(s.Value)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 && s.Name != "refresh_retries" || n > maxSpan {
		return sqlerr.At(s.Start, sqlerr.BadArguments, "Setting %s takes a number, not %s", s.Name, text)
	}
	switch s.Name {
	case "refresh_retries":
		r.Retries = n
	case "refresh_retry_initial_backoff_ms":
		r.Backoff = time.Duration(n) * time.Millisecond
	case "refresh_retry_max_backoff_ms":
		r.MaxBackoff = time.Duration(n) * time.Millisecond
	case "all_replicas":
		if n != 0 {
			return sqlerr.At(s.Start, sqlerr.NotImplemented, "Setting all_replicas = 1 is not implemented: one node refreshes, and all have the rows")
		}
	default:
		return sqlerr.At(s.Start, sqlerr.UnknownSetting, "Unknown setting '%s'", s.Name)
	}
	return nil
}

// refreshable defines a materialized view that is computed anew at times: over any SELECT.
func (o *Options) refreshable(ctx context.Context, ch *Change, t *catalog.Table, s *ast.CreateTable, q *ast.SelectUnion) error {
	r, err := o.refresh(s.Refresh)
	if err != nil {
		return err
	}
	if r.Definer, err = Definer(s, o.Analyze.Env.User); err != nil {
		return err
	}
	r.Empty = s.Empty
	t.Refresh, t.Select = r, ast.Format(q)
	if hasParams(q) {
		return sqlerr.At(s.Start, sqlerr.BadArguments, "The SELECT of a refreshable materialized view has no parameters")
	}
	if err := o.viewColumns(ctx, t, s, q); err != nil {
		return err
	}
	if s.To != nil {
		if err := o.target(ch, t, *s.To); err != nil {
			return err
		}
		return o.fits(t)
	}
	if s.Engine == nil && s.OrderBy == nil && s.PrimaryKey == nil {
		c := *s
		c.OrderBy = &ast.FuncCall{Name: "tuple"}
		s = &c
	}
	return o.inner(ctx, ch, t, s)
}

// fits checks that the target has all columns of the SELECT.
func (o *Options) fits(t *catalog.Table) error {
	target := o.catalog().ByID(t.Target)
	for _, c := range t.Columns {
		if target.Column(c.Name) == nil {
			return sqlerr.New(sqlerr.ThereIsNoColumn, "SELECT query outputs column with name '%s', which is not found in the target table. Use 'AS' to assign alias that matches a column name", c.Name)
		}
	}
	return nil
}

// Definer is the user with whose rights a refreshable view reads: the one of DEFINER = …, or who makes it.
func Definer(s *ast.CreateTable, user string) (string, error) {
	words := strings.Fields(strings.ReplaceAll(s.Definer, "=", " = "))
	for i := 0; i < len(words); i++ {
		switch strings.ToUpper(words[i]) {
		case "SECURITY":
			if i++; i < len(words) && !strings.EqualFold(words[i], "DEFINER") {
				return "", sqlerr.At(s.Start, sqlerr.NotImplemented, "SQL SECURITY %s of a refreshable materialized view is not implemented", words[i])
			}
		case "DEFINER":
			if i++; i < len(words) && words[i] == "=" {
				i++
			}
			if i < len(words) && !strings.EqualFold(words[i], "CURRENT_USER") {
				user = strings.Trim(words[i], "`\"'")
			}
		}
	}
	return user, nil
}

// modifyRefresh runs MODIFY REFRESH: the schedule begins anew.
func (a *alteration) modifyRefresh(c *ast.AlterCommand) error {
	old := a.t.Refresh
	if old == nil {
		return sqlerr.At(c.Start, sqlerr.NotImplemented, "ALTER MODIFY REFRESH is not supported by %s: it is no refreshable materialized view", a.t.FullName())
	}
	r, err := a.o.refresh(c.Refresh)
	if err != nil {
		return err
	}
	if r.Append != old.Append {
		return sqlerr.At(c.Start, sqlerr.NotImplemented, "Adding or removing APPEND is not supported")
	}
	since := r.Since
	r.Definer, r.RefreshState = old.Definer, old.RefreshState
	r.Since, r.Retry = since, 0
	r.Empty = r.Attempts == 0 && old.Empty
	a.t.Refresh = r
	return nil
}

// modifyQuery runs MODIFY QUERY of a refreshable view, whose columns stay. It is read with the rights of who changes it from then on.
func (a *alteration) modifyQuery(c *ast.AlterCommand) error {
	if a.t.Refresh == nil {
		return sqlerr.At(c.Start, sqlerr.NotImplemented, "ALTER TABLE MODIFY QUERY is implemented for refreshable materialized views only")
	}
	q, err := a.o.qualified(c.Query)
	if err != nil {
		return err
	}
	was := a.t.Columns
	a.t.Columns = nil
	if err := a.o.columnsOfQuery(a.ctx, a.t, q); err != nil {
		return err
	}
	a.t.Select = ast.Format(q)
	if err := a.o.fits(a.t); err != nil {
		return err
	}
	if a.t.Columns = was; len(a.t.Columns) == 0 {
		return sqlerr.At(c.Start, sqlerr.LogicalError, "View %s has no columns", a.t.FullName())
	}
	r := *a.t.Refresh
	r.Definer = a.o.Analyze.Env.User
	a.t.Refresh = &r
	return nil
}
