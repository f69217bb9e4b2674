package client

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/term"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Main runs the client with the arguments behind "olapd client" and returns the process's exit code. stdin, stdout and
// stderr may be anything; terminals among them are noticed.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := run(args, stdin, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, errorText(err))
	}
	return exitCode(err)
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if o.help {
		_, err := io.WriteString(stdout, usage)
		return err
	}
	if o.askPassword {
		if o.password, err = askPassword(o.user, stdin, stderr); err != nil {
			return err
		}
	}
	a := newApp(o, stdin, stdout, stderr)
	defer a.close()
	if a.external, err = readExternals(o.external, stdin); err != nil {
		return err
	}
	switch {
	case len(o.queries) > 0:
		for _, q := range o.queries {
			if err := a.runScript(textScript(q)); err != nil {
				return err
			}
		}
		return nil
	case o.queriesFile != "":
		f, err := os.Open(o.queriesFile)
		if err != nil {
			return sqlerr.Wrap(err, sqlerr.CannotOpenFile, "Cannot open the file of queries")
		}
		defer f.Close()
		return a.runScript(newScript(f))
	case isTerminal(stdin) && isTerminal(stdout):
		return prompt(a)
	}
	a.stdin = nil // it is the script
	return a.runScript(newScript(stdin))
}

func newApp(o *options, stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{
		options: *o, database: o.database, set: map[string]string{}, stdin: stdin, stdout: stdout, stderr: stderr, changed: func() {}, interrupts: listen,
		width: func() int { return columns(stderr) },
		bars:  o.progress == "" && isTerminal(stderr) || o.progress != "" && o.progress != "0" && !strings.EqualFold(o.progress, "off"),
	}
	if isTerminal(stdin) {
		a.stdin = nil
	}
	if a.format == "" {
		a.format = "TabSeparated"
		if isTerminal(stdout) {
			a.format = "PrettyCompact"
		}
	}
	return a
}

// listen begins to take the signal of Ctrl-C, which otherwise ends the process.
func listen() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	return c, func() { signal.Stop(c) }
}

// terminal returns the file descriptor of a terminal.
func terminal(x any) (int, bool) {
	f, ok := x.(interface{ Fd() uintptr })
	if !ok {
		return 0, false
	}
	fd := int(f.Fd())
	return fd, term.IsTerminal(fd)
}

func isTerminal(x any) bool {
	_, ok := terminal(x)
	return ok
}

// defaultColumns is the width of what is no terminal.
const defaultColumns = 80

// columns is the width of a terminal.
func columns(x any) int {
	if fd, ok := terminal(x); ok {
		if width, _, err := term.GetSize(fd); err == nil && width > 0 {
			return width
		}
	}
	return defaultColumns
}

// askPassword reads a password without showing it.
func askPassword(user string, stdin io.Reader, stderr io.Writer) (string, error) {
	fd, ok := terminal(stdin)
	if !ok {
		return "", sqlerr.New(sqlerr.BadArguments, "--ask-password needs a terminal; use the variable OLAPD_PASSWORD")
	}
	fmt.Fprintf(stderr, "Password for user %s: ", user)
	b, err := term.ReadPassword(fd)
	fmt.Fprintln(stderr)
	return string(b), sqlerr.Wrap(err, sqlerr.BadArguments, "Cannot read the password")
}
