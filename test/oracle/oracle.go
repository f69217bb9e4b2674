// Package oracle runs statements in the engines that olapd is compared with: ClickHouse, as
// chDB in a Python child process, and DuckDB likewise. `make bench-peers` installs both; the
// environment variable OLAPD_ORACLE_PYTHON names another Python that has them.
package oracle

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

//go:embed oracle.py
var script string

// The engines.
const (
	ClickHouse = "clickhouse"
	DuckDB     = "duckdb"
)

// PythonVariable is the environment variable that names the Python to use.
const PythonVariable = "OLAPD_ORACLE_PYTHON"

// peersPython is where `make bench-peers` puts its virtual environment, from the module's root.
const peersPython = ".cache/peers/bin/python"

// ErrNotAvailable marks that an engine, or a Python that has it, is not installed.
var ErrNotAvailable = errors.New("oracle: not available (run `make bench-peers`)")

// Error is an engine's refusal of a statement.
type Error struct {
	Code    int // ClickHouse's error code; -1 for DuckDB
	Message string
}

func (e *Error) Error() string { return e.Message }

// Config says what to start.
type Config struct {
	Engine  string // ClickHouse or DuckDB
	Dir     string // where tables are kept; the caller removes it
	Threads int    // 0 is 1
}

// Oracle is one running engine with its session: USE, SET and temporary tables last until
// Close. It is not safe for concurrent use.
type Oracle struct {
	Version string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// Result is the answer to one statement.
type Result struct {
	Data    []byte        // in the requested format; empty for a statement without a result
	Elapsed time.Duration // in the engine, without the way through the pipe
	Peak    int64         // the process's largest resident size so far, in bytes
}

// startTimeout bounds how long an engine may take to come up: chDB maps 500 MB of library.
const startTimeout = 60 * time.Second

// Python returns the Python that has the engines, or ErrNotAvailable.
func Python() (string, error) {
	if p := os.Getenv(PythonVariable); p != "" {
		return p, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("oracle: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			p := filepath.Join(dir, peersPython)
			if _, err := os.Stat(p); err == nil {
				return p, nil
			}
			return "", ErrNotAvailable
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrNotAvailable
		}
		dir = parent
	}
}

// Open starts an engine. The error is ErrNotAvailable if it is not installed.
func Open(c Config) (*Oracle, error) {
	python, err := Python()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python, "-c", script, c.Engine, c.Dir, strconv.Itoa(max(c.Threads, 1)))
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNotAvailable, python, err)
	}
	o := &Oracle{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	a, err := o.receive(ctx)
	if err == nil && a.Version == "" {
		err = fmt.Errorf("%w: %s", ErrNotAvailable, a.Error)
	}
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	o.Version = a.Version
	return o, nil
}

// answer is one line from the child.
type answer struct {
	Version string  `json:"version"`
	Data    []byte  `json:"-"`
	Base64  string  `json:"data"`
	Seconds float64 `json:"seconds"`
	Peak    int64   `json:"peak"`
	Code    int     `json:"code"`
	Error   string  `json:"error"`
}

// Query runs one statement and returns its result in format, a ClickHouse format name; ""
// is TSVWithNamesAndTypes, the only one DuckDB has. A refusal is an *Error. After a timeout
// of ctx the child is killed and the Oracle is of no more use.
func (o *Oracle) Query(ctx context.Context, sql, format string) (Result, error) {
	request, err := json.Marshal(map[string]string{"sql": sql, "format": format})
	if err != nil {
		return Result{}, fmt.Errorf("oracle: %w", err)
	}
	if _, err := o.in.Write(append(request, '\n')); err != nil {
		return Result{}, fmt.Errorf("oracle: the engine is gone: %w", err)
	}
	a, err := o.receive(ctx)
	if err != nil {
		return Result{}, err
	}
	if a.Error != "" {
		return Result{}, &Error{Code: a.Code, Message: a.Error}
	}
	return Result{Data: a.Data, Elapsed: time.Duration(a.Seconds * 1e9), Peak: a.Peak}, nil
}

// receive reads one answer; when ctx ends first it kills the child, which ends the read.
func (o *Oracle) receive(ctx context.Context) (answer, error) {
	stop := context.AfterFunc(ctx, func() { _ = o.cmd.Process.Kill() })
	defer stop()
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		if ctx.Err() != nil {
			return answer{}, fmt.Errorf("oracle: %w", ctx.Err())
		}
		return answer{}, fmt.Errorf("oracle: the engine ended: %w", err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return answer{}, fmt.Errorf("oracle: answer %q: %w", line, err)
	}
	if a.Data, err = base64.StdEncoding.DecodeString(a.Base64); err != nil {
		return answer{}, fmt.Errorf("oracle: answer: %w", err)
	}
	return a, nil
}

// closeTimeout is how long the child may take to end after its input has.
const closeTimeout = 10 * time.Second

// Close ends the child process.
func (o *Oracle) Close() error {
	_ = o.in.Close() // the child ends at the end of its input
	kill := time.AfterFunc(closeTimeout, func() { _ = o.cmd.Process.Kill() })
	defer kill.Stop()
	if err := o.cmd.Wait(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil // killed, or an engine that does not end cleanly: its answers were given
		}
		return fmt.Errorf("oracle: %w", err)
	}
	return nil
}
