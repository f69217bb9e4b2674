package virtual

import (
	"context"
	_ "embed"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/settings"
)

// zones are the names of the tz database, one a line.
//
//go:embed zones.txt
var zones string

func init() {
	fill("settings", settingRows)
	fill("merge_tree_settings", tableSettingRows)
	fill("functions", func(_ context.Context, s *Source, add func(row)) error {
		for _, f := range s.Catalog.Functions() {
			add(row{"name": f.Name, "origin": "SQLUserDefined", "create_query": define.FunctionSQL(f)})
		}
		for _, f := range function.All() {
			add(row{"name": f.Name, "is_aggregate": f.Aggregate, "case_insensitive": f.CaseInsensitive, "alias_to": f.AliasTo, "description": f.Doc,
				"examples": f.Example, "categories": f.Family, "origin": "System"})
		}
		return nil
	})
	fill("data_type_families", typeFamilies)
	fill("formats", func(_ context.Context, _ *Source, add func(row)) error {
		for _, f := range format.All() {
			add(row{"name": f.Name, "is_input": f.Input(), "is_output": f.Output(), "content_type": f.ContentType})
		}
		return nil
	})
	fill("table_engines", func(_ context.Context, _ *Source, add func(row)) error {
		for _, e := range define.Engines {
			add(row{"name": e.Name, "supports_settings": e.Settings, "supports_skipping_indices": e.Indexes, "supports_sort_order": e.SortOrder,
				"supports_ttl": e.TTL, "supports_replication": e.Replicas, "supports_deduplication": e.SortOrder, "supports_parallel_insert": 1, "description": e.Doc})
		}
		return nil
	})
	fill("build_options", func(_ context.Context, s *Source, add func(row)) error {
		add(row{"name": "VERSION_FULL", "value": s.Server.DisplayName + " " + s.Server.Version})
		add(row{"name": "VERSION_DESCRIBE", "value": s.Server.Version})
		for _, o := range list(s.BuildOptions) {
			add(row{"name": o[0], "value": o[1]})
		}
		return nil
	})
	fill("macros", func(context.Context, *Source, func(row)) error { return nil })
	fill("time_zones", func(_ context.Context, _ *Source, add func(row)) error {
		for _, z := range strings.Fields(zones) {
			add(row{"time_zone": z})
		}
		return nil
	})
	fill("keywords", func(_ context.Context, _ *Source, add func(row)) error {
		for _, k := range strings.Fields(keywords) {
			add(row{"keyword": k})
		}
		return nil
	})
	fill("storage_policies", func(_ context.Context, _ *Source, add func(row)) error {
		add(row{"policy_name": "default", "volume_name": "default", "volume_priority": 1, "disks": []string{"default"}, "volume_type": "JBOD"})
		return nil
	})
	fill("aggregate_function_combinators", func(_ context.Context, _ *Source, add func(row)) error {
		for _, n := range strings.Fields("Array Distinct ForEach If Map Merge OrDefault OrNull SimpleState State") {
			add(row{"name": n})
		}
		return nil
	})
}

const keywords = `ADD ALL ALTER AND ANTI ANY ARRAY AS ASC ASOF ATTACH BETWEEN BY CASE CAST CHECK COLUMN COMMENT CONSTRAINT CREATE CROSS CUBE DATABASE DATABASES
	DEFAULT DELETE DESC DESCRIBE DETACH DISTINCT DROP ELSE END ENGINE EXCEPT EXCHANGE EXISTS EXPLAIN FINAL FIRST FORMAT FROM FULL GLOBAL GRANULARITY
	GROUP HAVING IF ILIKE IN INDEX INNER INSERT INTERSECT INTERVAL INTO IS JOIN KILL LEFT LIKE LIMIT MATERIALIZED MODIFY NOT NULL NULLS OFFSET ON
	OPTIMIZE OR ORDER OUTER OVER PARTITION POPULATE PREWHERE PRIMARY QUALIFY QUERY RENAME REPLACE RIGHT ROLLUP SAMPLE SELECT SEMI SET SETTINGS SHOW
	SYSTEM TABLE TABLES THEN TIES TO TOTALS TRUNCATE TTL UNION UPDATE USE USING VALUES VIEW WHEN WHERE WINDOW WITH`

func tier(s *settings.Setting) string {
	if s.Obsolete {
		return "Obsolete"
	}
	return s.Tier
}

func settingRows(_ context.Context, s *Source, add func(row)) error {
	for _, x := range settings.All() {
		value, changed := s.Settings.Shown(x)
		r := row{"name": x.Name, "value": value, "changed": changed, "description": x.Description, "type": x.Type,
			"default": x.Default, "alias_for": x.AliasFor, "is_obsolete": x.Obsolete, "tier": tier(x)}
		if x.Min != "" {
			r["min"] = x.Min
		}
		if x.Max != "" {
			r["max"] = x.Max
		}
		lo, hi, fixed := s.Settings.Bounds(x)
		r["readonly"] = fixed
		if lo != nil {
			r["min"] = *lo
		}
		if hi != nil {
			r["max"] = *hi
		}
		add(r)
	}
	return nil
}

func tableSettingRows(_ context.Context, _ *Source, add func(row)) error {
	for _, x := range settings.MergeTree() {
		add(row{"name": x.Name, "value": x.Default, "default": x.Default, "description": x.Description, "type": x.Type, "is_obsolete": x.Obsolete, "tier": tier(x)})
	}
	return nil
}

func typeFamilies(_ context.Context, _ *Source, add func(row)) error {
	for _, n := range strings.Fields(`UInt8 UInt16 UInt32 UInt64 UInt128 UInt256 Int8 Int16 Int32 Int64 Int128 Int256 BFloat16 Float32 Float64 Decimal Decimal32 Decimal64 Decimal128 Decimal256
		String FixedString Date Date32 DateTime DateTime64 Time Time64 UUID IPv4 IPv6 Enum8 Enum16 Array Tuple Map Nullable LowCardinality Nothing AggregateFunction
		SimpleAggregateFunction IntervalSecond IntervalMinute IntervalHour IntervalDay IntervalWeek IntervalMonth IntervalQuarter IntervalYear
		Point LineString Ring MultiLineString Polygon MultiPolygon Nested Variant Dynamic JSON`) {
		add(row{"name": n, "case_insensitive": strings.HasPrefix(n, "Date") || strings.HasPrefix(n, "Time") || strings.HasPrefix(n, "Decimal")})
	}
	add(row{"name": "Bool", "case_insensitive": 1})
	var aliases []string
	all := types.Aliases()
	for a := range all {
		aliases = append(aliases, a)
	}
	slices.Sort(aliases)
	for _, a := range aliases {
		add(row{"name": strings.ToUpper(a), "case_insensitive": 1, "alias_to": all[a]})
	}
	return nil
}
