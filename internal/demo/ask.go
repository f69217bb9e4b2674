package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// askTimeout bounds one statement.
const askTimeout = 30 * time.Second

// asker runs SQL over HTTP, as any client does.
type asker struct {
	urls   []string // of nodes; when one does not answer, the next is asked
	client http.Client
}

// ask runs a statement and returns its rows as text, split at tabs.
func (a *asker) ask(ctx context.Context, sql string) ([][]string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	resp, err := a.post(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s\nin: %s", strings.TrimSpace(string(body)), strings.TrimSpace(sql))
	}
	var rows [][]string
	for line := range strings.Lines(string(body)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows, nil
}

// post sends a statement to the first node that answers.
func (a *asker) post(ctx context.Context, sql string) (*http.Response, error) {
	var errs []error
	for _, url := range a.urls {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/?default_format=TSV&wait_end_of_query=1", strings.NewReader(sql))
		if err != nil {
			return nil, err
		}
		resp, err := a.client.Do(req)
		if err == nil {
			return resp, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// numbers runs a statement whose values are whole numbers.
func (a *asker) numbers(ctx context.Context, sql string) ([][]int64, error) {
	rows, err := a.ask(ctx, sql)
	if err != nil {
		return nil, err
	}
	out := make([][]int64, len(rows))
	for i, row := range rows {
		for _, s := range row {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("ask: %q is not a number, in the answer to %s", s, sql)
			}
			out[i] = append(out[i], n)
		}
	}
	return out, nil
}

// number runs a statement that returns one whole number.
func (a *asker) number(ctx context.Context, sql string) (int64, error) {
	rows, err := a.numbers(ctx, sql)
	if err != nil {
		return 0, err
	}
	if len(rows) != 1 || len(rows[0]) != 1 {
		return 0, fmt.Errorf("ask: %d rows, not one number, in the answer to %s", len(rows), sql)
	}
	return rows[0][0], nil
}
