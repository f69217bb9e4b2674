package client

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/reeflective/readline"
)

// prompt lets a person type statements.
func prompt(a *app) error {
	a.prompting = true
	if err := a.greet(); err != nil {
		return err
	}
	d := &directory{dial: func(ctx context.Context) (*conn, error) { return connect(ctx, &a.options, a.database) }}
	a.changed = d.expire
	return a.repl(newTerminal(a, d))
}

// terminalEditor is the line editor on the process's terminal.
type terminalEditor struct{ shell *readline.Shell }

func newTerminal(a *app, d *directory) editor {
	shell := readline.NewShell()
	for name, value := range map[string]any{
		"completion-ignore-case": true, "menu-complete-display-prefix": true,
	} {
		_ = shell.Config.Set(name, value) // a name that this editor does not know changes nothing
	}
	for _, keymap := range []string{"emacs", "vi-insert"} {
		_ = shell.Config.Bind(keymap, "\t", "menu-complete", false) // as above
	}
	shell.Prompt.Primary(func() string { return promptText(a.database) })
	shell.Prompt.Secondary(func() string { return "      :-] " })
	shell.AcceptMultiline = func(line []rune) bool { return complete(string(line)) }
	if colorful() {
		shell.SyntaxHighlighter = func(line []rune) string { return highlight(string(line)) }
	}
	shell.Completer = func(line []rune, cursor int) readline.Completions {
		return menu(line, cursor, d, a.database)
	}
	if path := historyFile(); path != "" {
		if source, err := readline.NewHistoryFromFile(path); err == nil {
			shell.History.Delete() // the one in memory
			shell.History.Add("queries", source)
		}
	}
	return terminalEditor{shell}
}

// promptText is the prompt: with the current database unless it is the default one.
func promptText(database string) string {
	if database == "" || database == "default" {
		return "olapd :) "
	}
	return "olapd " + printable(database) + " :) "
}

// colorful reports whether the user wants colours.
func colorful() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

// menu turns candidates into the editor's.
func menu(line []rune, cursor int, d *directory, database string) readline.Completions {
	list, p := completions(string(line[:cursor]), string(line), d.get(), database)
	values := make([]readline.Completion, 0, len(list))
	for _, c := range list {
		values = append(values, readline.Completion{Value: c.value, Display: c.value, Description: c.note, Tag: c.group})
	}
	m := readline.CompleteRaw(values)
	m.PREFIX = p.word
	return m
}

// read implements editor.
func (t terminalEditor) read() (string, error) {
	text, err := t.shell.Readline()
	if errors.Is(err, readline.ErrInterrupt) {
		return "", errInterrupted
	}
	return text, err
}

// historyFile is where what was typed is kept, "" if there is no place for it. It is made so that no one else can read it.
func historyFile() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	path := filepath.Join(home, ".olapd_history")
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		state = filepath.Join(home, ".local", "state")
	}
	if _, err := os.Stat(path); err != nil && strings.HasPrefix(state, string(filepath.Separator)) {
		if os.MkdirAll(filepath.Join(state, "olapd"), 0o700) == nil {
			path = filepath.Join(state, "olapd", "history")
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil || f.Close() != nil {
		return ""
	}
	return path
}
