package client

import "strings"

// help is what the command help prints.
const help = `Statements end with ; or with \G for one column a line.

  \l          databases
  \d [table]  tables, or the columns of one
  \c name     use another database
  \q          leave; also exit, quit, Ctrl-D
  help        this text; also \?

Tab completes, Ctrl-R searches the history, Ctrl-C drops the line or cancels the running query.
`

// quits are the ways to leave.
var quits = map[string]bool{`\q`: true, "exit": true, "quit": true, "logout": true, ":q": true, "q": true}

// commandWord returns the command a typed text begins with, or "", and its argument. A semicolon at the end is fine.
func commandWord(text string) (string, string) {
	text = strings.TrimSpace(strings.TrimRight(strings.TrimSpace(text), ";"))
	word, argument, _ := strings.Cut(text, " ")
	argument = strings.TrimSpace(argument)
	lower := strings.ToLower(word)
	switch {
	case argument == "" && (quits[lower] || lower == "help" || lower == `\?` || lower == `\h` || lower == `\l`):
		return lower, ""
	case lower == `\d`, lower == `\c` && argument != "":
		return lower, argument
	}
	return "", ""
}

func isCommand(text string) bool {
	word, _ := commandWord(text)
	return word != ""
}

// commandSQL is the statement a command stands for, or "".
func commandSQL(word, argument string) string {
	switch {
	case word == `\l`:
		return "SHOW DATABASES"
	case word == `\d` && argument == "":
		return "SHOW TABLES"
	case word == `\d`:
		return "DESCRIBE TABLE " + argument
	case word == `\c`:
		return "USE `" + strings.NewReplacer("`", "``", `\`, `\\`).Replace(strings.Trim(argument, "`")) + "`"
	}
	return ""
}
