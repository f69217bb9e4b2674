package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/olapd/olapd/internal/protocol/dial"
)

// errInterrupted is what an editor returns for Ctrl-C: the line is dropped.
var errInterrupted = errors.New("interrupted")

// editor reads what a person types: whole commands or statements, by complete. It returns io.EOF for Ctrl-D.
type editor interface {
	read() (string, error)
}

// greet says where the client is connected, or returns why it is not.
func (a *app) greet() error {
	ctx, cancel := context.WithTimeout(context.Background(), dial.Timeout)
	defer cancel()
	c, err := a.connect()
	if err != nil {
		return err
	}
	text, err := c.text(ctx, "SELECT version(), currentDatabase()")
	if err != nil {
		return err
	}
	version, database, _ := strings.Cut(strings.TrimSpace(text), "\t")
	a.database = database
	name := c.server.DisplayName
	if name == "" {
		name = c.server.Name
	}
	fmt.Fprintf(a.stdout, "Connected to %s at %s as user %s (speaks ClickHouse %s). Type help for help.\n\n", printable(name), a.address(), a.user, printable(version))
	return nil
}

// printable drops what could steer the terminal from a text that someone else chose.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

// repl reads and runs until the user leaves. Errors of statements are shown and end nothing.
func (a *app) repl(e editor) error {
	for {
		text, err := e.read()
		switch {
		case errors.Is(err, io.EOF):
			fmt.Fprintln(a.stdout, "Bye.")
			return nil
		case errors.Is(err, errInterrupted):
			continue
		case err != nil:
			return err
		}
		if a.typed(text) {
			fmt.Fprintln(a.stdout, "Bye.")
			return nil
		}
	}
}

// typed carries out what was typed; it returns true when that is to leave.
func (a *app) typed(text string) bool {
	word, argument := commandWord(text)
	switch {
	case quits[word]:
		return true
	case word == "help", word == `\?`, word == `\h`:
		fmt.Fprint(a.stdout, help)
		return false
	case word != "":
		text = commandSQL(word, argument)
	}
	if err := a.runScript(textScript(text)); err != nil {
		fmt.Fprintf(a.stderr, "%s\n\n", errorText(err))
	}
	return false
}
