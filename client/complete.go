package client

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/query/parse"
)

// candidate is one way to go on.
type candidate struct{ value, note, group string }

// maxCandidates bounds a menu; who wants fewer types a letter more.
const maxCandidates = 500

// position is where in a statement the cursor stands.
type position struct {
	word      string   // what is typed of the word
	qualifier string   // the name before "word", when a dot is between
	before    []string // the words and symbols before, of this statement; words in capitals
	inside    bool     // in a string or comment, where nothing is completed
	start     int      // byte at which word begins
}

// locate finds the cursor's position at the end of text.
func locate(text string) position {
	p := position{start: len(text)}
	var raw []string
	for t := range parse.Tokens(text) {
		word := text[t.Start:t.End]
		switch {
		case t.Kind == parse.TokenOpen:
			p.inside = true
			return p
		case t.Kind == parse.TokenWord && t.End == len(text):
			p.word, p.start = word, t.Start
		case word == ";":
			raw = nil
		default:
			raw = append(raw, word)
		}
	}
	if at := strings.LastIndex(text, "--"); at > strings.LastIndexByte(text, '\n') && p.word == "" && strings.TrimSpace(text[at:]) != "" {
		p.inside = len(raw) == 0 || !strings.HasSuffix(text, raw[len(raw)-1])
	}
	if n := len(raw); n >= 2 && raw[n-1] == "." && p.start > 0 && text[p.start-1] == '.' {
		p.qualifier = unquote(raw[n-2])
		raw = raw[:n-2]
	}
	for _, w := range raw {
		p.before = append(p.before, strings.ToUpper(w))
	}
	return p
}

func unquote(name string) string { return strings.Trim(name, "`\"") }

// last returns the nth word from the end, "" before the first.
func (p position) last(n int) string {
	if n > len(p.before) {
		return ""
	}
	return p.before[len(p.before)-n]
}

// completions returns how the word at the end of text may go on; whole is the text with what follows the cursor.
func completions(text, whole string, n names, database string) ([]candidate, position) {
	p := locate(text)
	if p.inside {
		return nil, p
	}
	list := p.candidates(n, tablesOf(whole), database)
	lower := strings.ToLower(p.word)
	list = slices.DeleteFunc(list, func(c candidate) bool { return !strings.HasPrefix(strings.ToLower(c.value), lower) })
	slices.SortStableFunc(list, func(a, b candidate) int { return strings.Compare(a.group+"\x00"+a.value, b.group+"\x00"+b.value) })
	list = slices.CompactFunc(list, func(a, b candidate) bool { return a.value == b.value })
	return list[:min(len(list), maxCandidates)], p
}

// candidates are all words that may stand at p, whatever is typed of them.
func (p position) candidates(n names, tables map[string]string, database string) []candidate {
	if p.qualifier != "" {
		return n.members(p.qualifier, tables)
	}
	switch p.last(1) {
	case "":
		return p.cased(starters, "statements")
	case "FROM", "JOIN", "INTO", "TABLE", "DESCRIBE", "DESC", "EXISTS", "UPDATE", "TO":
		return append(n.tablesAndDatabases(database), p.cased([]string{"TABLE"}, "keywords")...)
	case "USE", "DATABASE":
		return plainList(n.databases, "databases")
	case "FORMAT":
		return plainList(n.formats, "formats")
	case "SET", "SETTINGS":
		return plainList(n.settings, "settings")
	case "ENGINE":
		return plainList(n.engines, "engines")
	case "=":
		if p.last(2) == "ENGINE" {
			return plainList(n.engines, "engines")
		}
	case ",":
		if p.inSettings() {
			return plainList(n.settings, "settings")
		}
	}
	return p.anything(n, tables)
}

// inSettings reports whether a comma at p separates settings.
func (p position) inSettings() bool {
	return p.before[0] == "SET" || len(p.before) >= 4 && slices.Contains(p.before[max(0, len(p.before)-maxSettingsBack):], "SETTINGS")
}

// maxSettingsBack is how many words back SETTINGS is looked for.
const maxSettingsBack = 40

// anything is for places where an expression or a clause may come.
func (p position) anything(n names, tables map[string]string) []candidate {
	list := p.cased(clauseWords, "keywords")
	list = append(list, p.cased(starters, "keywords")...)
	for _, f := range n.functions {
		note := ""
		if n.aggregates[f] {
			note = "aggregate"
		}
		list = append(list, candidate{f + "(", note, "functions"})
	}
	for _, c := range n.columns {
		if _, ok := tables[c.table]; ok {
			list = append(list, candidate{quoteName(c.name), c.kind, "columns"})
		}
	}
	if first := p.before[0]; first == "CREATE" || first == "ALTER" {
		list = append(list, plainList(n.types, "types")...)
	}
	return list
}

// cased are keywords in the case in which the user types.
func (p position) cased(words []string, group string) []candidate {
	small := p.word != "" && p.word == strings.ToLower(p.word)
	list := make([]candidate, 0, len(words))
	for _, w := range words {
		if small {
			w = strings.ToLower(w)
		}
		list = append(list, candidate{w, "", group})
	}
	return list
}

func plainList(words []string, group string) []candidate {
	list := make([]candidate, 0, len(words))
	for _, w := range words {
		list = append(list, candidate{w, "", group})
	}
	return list
}

// quoteName quotes a name if it cannot stand bare.
func quoteName(name string) string {
	for t := range parse.Tokens(name) {
		if t.Kind == parse.TokenWord && t.Start == 0 && t.End == len(name) {
			return name
		}
		break
	}
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}

func (n names) tablesAndDatabases(database string) []candidate {
	if database == "" {
		database = "default"
	}
	var list []candidate
	for _, t := range n.tables {
		if t[0] == database {
			list = append(list, candidate{quoteName(t[1]), "", "tables"})
		}
	}
	for _, d := range n.databases {
		list = append(list, candidate{quoteName(d) + ".", "", "databases"})
	}
	return list
}

// members are what may follow "qualifier.": the tables of a database, or the columns of a table or alias.
func (n names) members(qualifier string, tables map[string]string) []candidate {
	var list []candidate
	for _, t := range n.tables {
		if t[0] == qualifier {
			list = append(list, candidate{quoteName(t[1]), "", "tables"})
		}
	}
	if list != nil {
		return list
	}
	table := qualifier
	for name, alias := range tables {
		if alias == qualifier {
			table = name
		}
	}
	for _, c := range n.columns {
		if c.table == table {
			list = append(list, candidate{quoteName(c.name), c.kind, "columns"})
		}
	}
	return list
}

// tablesOf finds the tables a text speaks of, by name, with their aliases.
func tablesOf(text string) map[string]string {
	tables := map[string]string{}
	toks := slices.Collect(parse.Tokens(text))
	word := func(i int) string {
		if i < len(toks) {
			return text[toks[i].Start:toks[i].End]
		}
		return ""
	}
	isName := func(i int) bool {
		return i < len(toks) && (toks[i].Kind == parse.TokenQuoted || toks[i].Kind == parse.TokenWord && !isKeyword(word(i)))
	}
	for i := range toks {
		switch strings.ToUpper(word(i)) {
		case "FROM", "JOIN", "INTO", "UPDATE", "TABLE":
		default:
			continue
		}
		at := i + 1
		if !isName(at) {
			continue
		}
		if word(at+1) == "." && isName(at+2) {
			at += 2
		}
		alias := at + 1
		if strings.EqualFold(word(alias), "AS") {
			alias++
		}
		tables[unquote(word(at))] = ""
		if isName(alias) {
			tables[unquote(word(at))] = unquote(word(alias))
		}
	}
	return tables
}
