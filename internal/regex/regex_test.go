package regex

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

var patternSeeds = []string{
	`^https?://(?:www\.)?([^/]+)/.*$`, `abc`, `a+`, `(a|ab)(c|bcd)(d*)`, `(a*)*`, `(a+)(b+)?`, `x*`, ``, `^`, `$`, `^$`, `\bfoo\b`, `\B`, `(?m)^a.*$`,
	`(?i)straße|KELVIN`, `[^/]+`, `.`, `.{3}`, `(.)(.)$`, `\d{1,3}\.\d{1,3}`, `(\w+)@(\w+)\.com`, `a.*b.*c`, `(?U)a.*b`, `a.*?b`, `[а-я]+`, `\pL+`,
	`(a)|b`, `(?:(a)|b)*`, `((a)|(b))+`, `foo$`, `^foo`, `^(?:foo|bar)`, `[[:alpha:]]+\s*=\s*("[^"]*"|\S+)`, `(?s).*`, `(?-s).*`, `\x{FFFD}`, `[^a]`, `(^|,)x`, `a{0}`, `(|a)+`, `(a|)+`,
	`^(\d+)-(\d+)`, `^a?b*$`, `^(a?)(b{2,})[^c]c.*$`, `google[^.]*\.com`, `^[^/]*/.`, `^é?[^é]`, `x?y*z`, `^(?:a)?(a)`, `^[a-c]*[^a-c]*$`, `^(a){0}b?`, `^.+$`, `^.*`, `text=([^&]*)&?`,
	`é+`, `(?i)é`, `x\z`, `\Ax`, `(ab?)(b?)`, `([a-c]|[b-d])+?d`, `google`, `.*google.*`, `needle.*(\d+)`,
	`[0-9]+`, `([a-z]+)`, `([^a-z])`, `[/?&]`, `\s+`, `[^/]`, `(.+)`, `(?-s).+`, `[^\x{FFFD}]+`, `([[:ascii:]]+)`, `[^[:ascii:]]+`, `[a]+?`, `((b+))`,
}

var textSeeds = []string{
	"", "a", "abc", "abcd", "aaa", "ab", "http://www.example.com/path?x=1", "https://ya.ru/", "http://www./", "https://www.a/b", "ftp://x/y", "foo bar foo", "foobar",
	"line1\nabc\nline3", "straße STRASSE K", "привет мир", "日本語", "a\xffb", "\xc3", "\xe2\x82", "é", "1.2.3.4 192.168.0.1", "me@example.com, you@x.com", `key = "va lue"`,
	"aéb", "\xef\xbf\xbd", "xxyx", ",x,x", "abbbcd", "needle in 42", "12-345", "bb", "abbbxc\xff", "x google\xff\n.com google.com", "a/é", "a/\xe9x", "text=&", "?text=a text=b&", strings.Repeat("ab", 50), "www.google.com", "héllo\nwörld", "a\xc3/b", "\xf0\x9f\x98\x80/",
}

// compare checks all that a Finder and Match return against the standard library.
func compare(t *testing.T, expr, text string) {
	re, err := Compile(expr)
	std, stdErr := regexp.Compile("(?s)" + expr)
	if (err == nil) != (stdErr == nil) {
		t.Fatalf("%q: %v, the standard library: %v", expr, err, stdErr)
	}
	if err != nil {
		return
	}
	s, start := []byte(text), time.Now()
	re.automaton(true)
	if d := time.Since(start); d > time.Second {
		t.Fatalf("%q took %s", expr, d)
	}
	f := re.Finder(100)
	if got, want := f.Match(s), std.Match(s); got != want {
		t.Fatalf("%q matches %q: %v, want %v", expr, text, got, want)
	}
	if got, want := f.Find(s), std.FindSubmatchIndex(s); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q finds in %q %v, want %v", expr, text, got, want)
	}
	var all [][]int
	for loc := f.First(s); loc != nil; loc = f.Next() {
		all = append(all, append([]int(nil), loc...))
	}
	if want := std.FindAllSubmatchIndex(s, -1); !reflect.DeepEqual(all, want) {
		t.Fatalf("%q finds in %q %v, want %v", expr, text, all, want)
	}
}

func TestAgainstStandardLibrary(t *testing.T) {
	for _, p := range patternSeeds {
		for _, s := range textSeeds {
			compare(t, p, s)
			compare(t, p, s+s)
		}
	}
}

// FuzzAgainstStandardLibrary looks for expressions and texts on which results differ.
func FuzzAgainstStandardLibrary(f *testing.F) {
	for i, p := range patternSeeds {
		f.Add(p, textSeeds[i%len(textSeeds)])
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		if len(expr) > 200 || len(text) > 2000 {
			return
		}
		compare(t, expr, text)
	})
}

// TestAutomata checks which expressions have an automaton.
func TestAutomata(t *testing.T) {
	for _, p := range patternSeeds {
		re, err := Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		if re.automaton(true) == nil && p != `\pL+` {
			t.Errorf("%q has no automaton", p)
		}
	}
	for _, p := range []string{`(?:[a-z]{1,30}x){1,30}`, `[01]*1[01]{12}x`} {
		re, err := Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		if re.automaton(true) != nil {
			t.Errorf("%q has an automaton", p)
		}
		compare(t, p, strings.Repeat("01", 40)+"x")
	}
}

func BenchmarkFind(b *testing.B) {
	texts := [][]byte{[]byte("https://www.example-site.com/some/longer/path/index.html?query=string&more=1"), []byte("http://yandex.ru/search?text=something+to+find"), []byte("about:blank")}
	for _, p := range []string{`^https?://(?:www\.)?([^/]+)/.*$`, `(\d+)`, `[?&]text=([^&]*)`, `a.*b.*c`} {
		re, _ := Compile(p)
		std := regexp.MustCompile("(?s)" + p)
		for name, find := range map[string]func([]byte) []int{"own": re.Finder(100).Find, "std": std.FindSubmatchIndex} {
			b.Run(fmt.Sprintf("%s/%s", p, name), func(b *testing.B) {
				for b.Loop() {
					for _, s := range texts {
						find(s)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(texts)), "ns/text")
			})
		}
	}
}
