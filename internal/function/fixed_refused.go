package function

import (
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// fixedRule says with which code functions refuse a FixedString as their first argument, and as a further one; 0 takes it.
type fixedRule struct{ first, further sqlerr.Code }

// fixedRefused are the functions that take a String but no FixedString, as in ClickHouse.
var fixedRefused = map[string]fixedRule{}

func init() {
	both := fixedRule{sqlerr.IllegalTypeOfArgument, sqlerr.IllegalTypeOfArgument}
	column := fixedRule{sqlerr.IllegalColumn, sqlerr.IllegalTypeOfArgument}
	further := fixedRule{0, sqlerr.IllegalTypeOfArgument}
	for rule, names := range map[fixedRule][]string{
		both: {"extract", "extractAll", "repeat", "formatDateTime", "multiSearchAny", "multiSearchAnyCaseInsensitive", "multiSearchFirstIndex", "multiSearchFirstPosition", "multiMatchAny", "multiMatchAnyIndex",
			"splitByChar", "splitByString", "splitByRegexp", "splitByWhitespace", "splitByNonAlpha", "alphaTokens", "arrayStringConcat", "extractURLParameter", "extractURLParameters", "extractURLParameterNames", "port",
			"JSONExtract", "JSONExtractString", "JSONExtractInt", "JSONExtractUInt", "JSONExtractFloat", "JSONExtractBool", "JSONExtractRaw", "JSONExtractArrayRaw", "JSONExtractKeys",
			"JSONHas", "JSONLength", "JSONType", "isValidJSON", "simpleJSONExtractString", "simpleJSONExtractRaw",
			"isIPAddressInRange", "isIPv4String", "IPv4StringToNum", "levenshteinDistance", "substringUTF8", "regexpExtract", "substringIndex"},
		column: {"toValidUTF8", "domain", "domainWithoutWWW", "topLevelDomain", "protocol", "path", "pathFull", "queryString", "fragment", "cutQueryString", "cutToFirstSignificantSubdomain", "firstSignificantSubdomain",
			"decodeURLComponent", "encodeURLComponent", "soundex", "countSubstrings", "hasToken", "simpleJSONExtractInt", "simpleJSONExtractUInt", "simpleJSONExtractFloat", "simpleJSONExtractBool", "simpleJSONHas",
			"replaceOne", "replaceAll", "replaceRegexpOne", "replaceRegexpAll", "basename", "firstLine"},
		further: {"position", "positionCaseInsensitive", "positionUTF8", "match", "like", "notLike", "ilike", "leftPad", "rightPad"},
	} {
		for _, n := range names {
			fixedRefused[n] = rule
		}
	}
	fixedRefused["initcapUTF8"] = fixedRule{sqlerr.BadArguments, 0}
	fixedRefused["locate"] = fixedRule{sqlerr.IllegalTypeOfArgument, 0}
}

// refuseFixed is the error of a FixedString where a function takes a String only.
func refuseFixed(name string, args []Arg) error {
	rule, ok := fixedRefused[name]
	if !ok {
		return nil
	}
	for i, a := range args {
		code := rule.first
		if i > 0 {
			code = rule.further
		}
		if code != 0 && !a.Lambda && a.Type.Inner().Kind == types.FixedString {
			return sqlerr.New(code, "Illegal type %s of argument %d of function %s: a String is needed", a.Type, i+1, name)
		}
	}
	return nil
}
