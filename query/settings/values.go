package settings

import (
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Values is a set of settings that differ from their defaults. It is not safe for concurrent writes; once a query
// runs with it nobody writes to it.
type Values struct {
	set map[string]string
	// bounds are what profiles allow, by setting.
	bounds map[string]bound
	// prefixes are those of the names that clients may make up, and numbers those of them whose values are no strings.
	prefixes []string
	numbers  map[string]bool
}

// Limits of the settings that clients make up: they last as long as their session.
const (
	maxCustom      = 1000
	maxCustomBytes = 64 << 10 // of a name with its value
)

// New returns the defaults.
func New() *Values { return &Values{set: map[string]string{}} }

// Clone returns a copy that can be changed.
func (v *Values) Clone() *Values {
	return &Values{set: maps.Clone(v.set), bounds: v.bounds, prefixes: v.prefixes, numbers: maps.Clone(v.numbers)}
}

// AllowCustom lets clients make up settings, which have an effect in their own queries alone, by getSetting: all names that begin with one of the
// prefixes. It is called before v is used.
func (v *Values) AllowCustom(prefixes []string) { v.prefixes = prefixes }

// IsCustom reports whether a name is one that clients may make up.
func (v *Values) IsCustom(name string) bool {
	if len(v.prefixes) == 0 {
		return false
	}
	once.Do(load)
	return byName[name] == nil && slices.ContainsFunc(v.prefixes, func(p string) bool { return p != "" && strings.HasPrefix(name, p) })
}

func (v *Values) get(s *Setting) string {
	if x, ok := v.set[s.Name]; ok {
		return x
	}
	return s.Default
}

// Get returns the value of a name as text; false if there is no such setting.
func (v *Values) Get(name string) (string, bool) {
	if v.IsCustom(name) {
		text, ok := v.set[name]
		return text, ok
	}
	s, err := Lookup(name)
	if err != nil {
		return "", false
	}
	return v.get(s), true
}

// IsText reports whether a setting's value is a string, even where it looks like a number.
func (v *Values) IsText(name string) bool {
	if v.IsCustom(name) {
		return !v.numbers[name]
	}
	s, err := Lookup(name)
	return err == nil && s.Type == "String"
}

// Shown returns a value as system.settings prints it, and whether it was changed.
func (v *Values) Shown(s *Setting) (text string, changed bool) {
	t := s
	if o := byName[s.AliasFor]; o != nil {
		t = o
	}
	_, changed = v.set[t.Name]
	return t.shown(v.get(t)), changed
}

// The levels of the setting readonly.
const (
	// ReadWrite allows all.
	ReadWrite = 0
	// ReadNoSettings allows reads, and no change of any setting.
	ReadNoSettings = 1
	// ReadOnly allows reads, and changes of settings but readonly itself.
	ReadOnly = 2
)

// Set changes a setting as a client asks: UnknownSetting, Readonly where the level of readonly in v forbids it, the
// codes of bad values.
func (v *Values) Set(name, text string) error {
	if v.IsCustom(name) {
		return v.setCustom(name, text, false)
	}
	s, err := Lookup(name)
	if err != nil {
		return err
	}
	x, err := s.normal(text)
	if err != nil {
		return err
	}
	if x == v.get(s) {
		return nil
	}
	if err := v.mayChange(s); err != nil {
		return err
	}
	if err := v.within(s, x); err != nil {
		return err
	}
	v.set[s.Name] = x
	return nil
}

// SetNumber is Set of a value that was given as a number: getSetting returns a number if a client has made the name up.
func (v *Values) SetNumber(name, text string) error {
	if v.IsCustom(name) {
		return v.setCustom(name, text, true)
	}
	return v.Set(name, text)
}

func (v *Values) setCustom(name, text string, isNumber bool) error {
	old, had := v.set[name]
	switch {
	case had && old == text && v.numbers[name] == isNumber:
		return nil
	case Readonly.Of(v) == ReadNoSettings:
		return sqlerr.New(sqlerr.Readonly, "Cannot modify '%s' setting in readonly mode", name)
	case len(name)+len(text) > maxCustomBytes:
		return sqlerr.New(sqlerr.BadArguments, "The custom setting %.100s has more than %d bytes", name, maxCustomBytes)
	case !had && v.customs() >= maxCustom:
		return sqlerr.New(sqlerr.BadArguments, "There are more than %d custom settings", maxCustom)
	}
	v.set[name] = text
	if v.numbers == nil {
		v.numbers = map[string]bool{}
	}
	if v.numbers[name] = true; !isNumber {
		delete(v.numbers, name)
	}
	return nil
}

// customs counts the settings that were made up.
func (v *Values) customs() int {
	if len(v.set) < maxCustom {
		return 0 // far from the limit
	}
	n := 0
	for name := range v.set {
		if v.IsCustom(name) {
			n++
		}
	}
	return n
}

func (v *Values) mayChange(s *Setting) error {
	switch level := Readonly.Of(v); {
	case v.bounds[s.Name].writability == changeableInReadonly && level != ReadWrite:
		return nil
	case level == ReadNoSettings:
		return sqlerr.New(sqlerr.Readonly, "Cannot modify '%s' setting in readonly mode", s.Name)
	case level == ReadOnly && s == Readonly.Setting, level == ReadOnly && s == AllowDDL.Setting:
		return sqlerr.New(sqlerr.Readonly, "Cannot modify '%s' setting in readonly mode", s.Name)
	case s == AllowDDL.Setting && !AllowDDL.Of(v):
		return sqlerr.New(sqlerr.Readonly, "Cannot modify '%s' setting when DDL queries are prohibited for the user", s.Name)
	case v.bounds[s.Name].writability == constant:
		return sqlerr.New(sqlerr.SettingConstraintViolation, "Setting %s should not be changed", s.Name)
	}
	return nil
}

// Reset gives a setting its default again.
func (v *Values) Reset(name string) error {
	if v.IsCustom(name) {
		delete(v.set, name)
		delete(v.numbers, name)
		return nil
	}
	s, err := Lookup(name)
	if err != nil {
		return err
	}
	return v.Set(s.Name, s.Default)
}

// SetAll sets many, readonly last so that it does not forbid the others.
func (v *Values) SetAll(m map[string]string) error {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if (a == Readonly.Name) != (b == Readonly.Name) {
			if a == Readonly.Name {
				return 1
			}
			return -1
		}
		return strings.Compare(a, b)
	})
	for _, n := range names {
		if err := v.Set(n, m[n]); err != nil {
			return err
		}
	}
	return nil
}

// ForceReadOnly makes the set at least ReadOnly, whatever it says: GET requests.
func (v *Values) ForceReadOnly() {
	if Readonly.Of(v) == ReadWrite {
		v.set[Readonly.Name] = "2"
	}
}

// Changed returns the settings that were changed, by name.
func (v *Values) Changed() map[string]string { return maps.Clone(v.set) }

// Declared is Changed without those that clients made up, which other nodes may not allow: getSetting is evaluated where the query is.
func (v *Values) Declared() map[string]string {
	out := v.Changed()
	maps.DeleteFunc(out, func(name, _ string) bool { return v.IsCustom(name) })
	return out
}
