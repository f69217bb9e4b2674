package ast

// Tailed is a statement that may have a result: all that have an Output.
type Tailed interface {
	Statement
	Tail() *Output
}

// Tail returns the end of the statement; it implements Tailed.
func (o *Output) Tail() *Output { return o }

// Settings returns the SETTINGS clauses that hold for the whole statement, in the order they apply.
func Settings(s Statement) [][]Setting {
	switch s := s.(type) {
	case *SelectUnion:
		var out [][]Setting
		if last := s.Items[len(s.Items)-1].Select; last != nil {
			out = append(out, last.Settings)
		}
		return append(out, s.Output.Settings)
	case *Insert:
		out := [][]Setting{s.Settings}
		if s.Select != nil {
			out = append(out, Settings(s.Select)...)
		}
		return out
	case *Explain:
		if s.Statement != nil {
			return append(Settings(s.Statement), s.Output.Settings)
		}
	case *Alter:
		return [][]Setting{s.Settings}
	case *Optimize:
		return [][]Setting{s.Settings}
	case *Describe:
		return [][]Setting{s.Output.Settings}
	case *Check:
		return [][]Setting{s.Settings, s.Output.Settings}
	case *Exists:
		return [][]Setting{s.Output.Settings}
	case *Show:
		return [][]Setting{s.Output.Settings}
	}
	return nil
}

// SettingText is the text of a literal as the value of a setting.
func (l *Literal) SettingText() string {
	switch l.Kind {
	case LiteralString:
		return l.Str
	case LiteralBool:
		if l.Bool {
			return "1"
		}
		return "0"
	case LiteralNull:
		return ""
	}
	if l.Text != "" {
		return l.Text
	}
	return l.Value()
}
