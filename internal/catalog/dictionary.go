package catalog

// Dictionary is a dictionary as declared, beyond its columns, of which those in Key and Range come first in no particular order.
type Dictionary struct {
	Key    []string       `json:"key"`
	Source DictionaryCall `json:"source"`
	Layout DictionaryCall `json:"layout"`
	// MinLifetime and MaxLifetime are the seconds between which the source is read again; MaxLifetime 0: never.
	MinLifetime uint64 `json:"lifetime_min,omitempty"`
	MaxLifetime uint64 `json:"lifetime_max,omitempty"`
	// RangeMin and RangeMax are the columns between which a row holds; empty without a range.
	RangeMin string `json:"range_min,omitempty"`
	RangeMax string `json:"range_max,omitempty"`
	// Attributes is what columns are beside their types, by name.
	Attributes map[string]DictionaryAttribute `json:"attributes,omitempty"`
	Settings   map[string]string              `json:"settings,omitempty"`
	// Epoch counts the reloads that were asked for: rows read under an older one are read again.
	Epoch uint64 `json:"epoch,omitempty"`
}

// DictionaryCall is a name with values by keys: a source or a layout.
type DictionaryCall struct {
	Name   string            `json:"name"` // in lower case
	Params []DictionaryParam `json:"params,omitempty"`
	Parens bool              `json:"parens,omitempty"` // it was written with brackets
}

// DictionaryParam is one value.
type DictionaryParam struct {
	Name string `json:"name"` // in lower case
	// Value is the text of a string, or the SQL of another constant where Bare.
	Value string            `json:"value,omitempty"`
	Bare  bool              `json:"bare,omitempty"`
	Group []DictionaryParam `json:"group,omitempty"` // in place of a value
}

// DictionaryAttribute is what a dictionary's column has beside name, type, default and comment.
type DictionaryAttribute struct {
	Default       string `json:"default,omitempty"`    // SQL of the value of keys that are not there
	Declared      string `json:"declared,omitempty"`   // the type of a key that is a UInt64 here
	Computed      string `json:"expression,omitempty"` // SQL over the source's columns
	Hierarchical  bool   `json:"hierarchical,omitempty"`
	Bidirectional bool   `json:"bidirectional,omitempty"`
	Injective     bool   `json:"injective,omitempty"`
	IsObjectID    bool   `json:"is_object_id,omitempty"`
}

// Param returns a value's text, and whether it is there.
func (c *DictionaryCall) Param(name string) (string, bool) {
	for _, p := range c.Params {
		if p.Name == name && p.Group == nil {
			return p.Value, true
		}
	}
	return "", false
}
