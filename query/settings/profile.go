package settings

import (
	"maps"
	"strconv"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/sqlerr"
)

// bound is what profiles allow a setting to be.
type bound struct {
	min, max    *string
	writability string
}

// The writabilities beside the usual one.
const (
	constant             = "CONST"
	changeableInReadonly = "CHANGEABLE_IN_READONLY"
)

// Profile applies the elements of profiles, the weakest first: values whatever readonly says, and constraints for what is set later.
// Settings of elements were checked when the profile was made; one that is no longer known is left out.
func (v *Values) Profile(elements []access.Element) error {
	v.bounds = maps.Clone(v.bounds)
	for _, e := range elements {
		s, err := Lookup(e.Setting)
		if err != nil {
			continue
		}
		if e.Value != nil {
			x, err := s.normal(*e.Value)
			if err != nil {
				return err
			}
			v.set[s.Name] = x
		}
		if v.bounds == nil {
			v.bounds = map[string]bound{}
		}
		b := v.bounds[s.Name]
		if e.Min != nil {
			b.min = e.Min
		}
		if e.Max != nil {
			b.max = e.Max
		}
		if e.Writability != "" {
			b.writability = e.Writability
		}
		v.bounds[s.Name] = b
	}
	return nil
}

// CheckElement returns why an element of a profile cannot be, or nil.
func CheckElement(e access.Element) error {
	s, err := Lookup(e.Setting)
	if err != nil {
		return err
	}
	for _, x := range []*string{e.Value, e.Min, e.Max} {
		if x == nil {
			continue
		}
		if _, err := s.normal(*x); err != nil {
			return err
		}
	}
	return nil
}

// within checks a new value against the constraints.
func (v *Values) within(s *Setting, x string) error {
	b := v.bounds[s.Name]
	switch {
	case b.min != nil && b.max != nil && less(*b.max, *b.min):
		return sqlerr.New(sqlerr.SettingConstraintViolation, "The maximum (%s) value is less than the minimum (%s) value for setting %s", *b.max, *b.min, s.Name)
	case b.min != nil && less(x, *b.min):
		return sqlerr.New(sqlerr.SettingConstraintViolation, "Setting %s shouldn't be less than %s", s.Name, *b.min)
	case b.max != nil && less(*b.max, x):
		return sqlerr.New(sqlerr.SettingConstraintViolation, "Setting %s shouldn't be greater than %s", s.Name, *b.max)
	}
	return nil
}

// less compares as numbers where both are some, else as text.
func less(a, b string) bool {
	if x, err := strconv.ParseUint(a, 10, 64); err == nil {
		if y, err := strconv.ParseUint(b, 10, 64); err == nil {
			return x < y
		}
	}
	if x, err := strconv.ParseFloat(a, 64); err == nil {
		if y, err := strconv.ParseFloat(b, 64); err == nil {
			return x < y
		}
	}
	return a < b
}

// Bounds are the constraints of a setting: nil where there is none.
func (v *Values) Bounds(s *Setting) (minimum, maximum *string, fixed bool) {
	b := v.bounds[s.Name]
	return b.min, b.max, b.writability == constant || v.mayChange(s) != nil
}
