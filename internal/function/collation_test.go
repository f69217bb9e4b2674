package function

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// TestCollationKey sorts texts by their keys.
func TestCollationKey(t *testing.T) {
	key := func(env *Env, text, locale string) (string, error) {
		args := []Arg{{Type: types.TString}, {Type: types.TString, Const: column.NewStrings(locale)}}
		fn, err := Bind(env, "collationKey", args)
		if err != nil {
			return "", err
		}
		v, err := fn.Call(env, []column.Vector{column.NewStrings(text), &column.Const{Value: column.NewStrings(locale), N: 1}}, nil, 1)
		if err != nil {
			return "", err
		}
		return column.Value(v, 0).(string), nil
	}
	for locale, want := range map[string]string{"en": "10 9 a A ä b B o ö z", "sv": "10 9 a A b B o z ä ö", "de-u-kn-true": "9 10 a A ä b B o ö z"} {
		got := strings.Fields("z ä B b 9 ö a 10 A o")
		slices.SortFunc(got, func(a, b string) int {
			x, err := key(&Env{}, a, locale)
			if err != nil {
				t.Fatal(err)
			}
			y, err := key(&Env{}, b, locale)
			if err != nil {
				t.Fatal(err)
			}
			return bytes.Compare([]byte(x), []byte(y))
		})
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: %s, want %s", locale, text, want)
		}
	}
	for _, locale := range []string{"", "xx", "no language", strings.Repeat("en-", 100), "\xff"} {
		if _, err := key(&Env{}, "a", locale); !sqlerr.Is(err, sqlerr.UnsupportedCollationLocale) {
			t.Errorf("%.20q: %v", locale, err)
		}
	}
	if _, err := key(&Env{Budget: mem.NewBudget("test", 1<<20)}, strings.Repeat("ab", 1<<20), "en"); !sqlerr.Is(err, sqlerr.MemoryLimitExceeded) {
		t.Errorf("a key that outgrows the memory: %v", err)
	}
}
