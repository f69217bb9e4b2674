package main

import (
	"fmt"

	"github.com/olapd/olapd/bench/random"
)

// createEvents is a narrow table, as streams of events have: ten fields, about 300 bytes of JSON.
const createEvents = `CREATE TABLE events
(
    time DateTime,
    user UInt64,
    session UInt64,
    country LowCardinality(String),
    device LowCardinality(String),
    page String,
    referer String,
    duration UInt32,
    revenue Float64,
    tags Array(String)
)
ENGINE = MergeTree
ORDER BY (country, time)
SETTINGS fsync_after_insert = 1`

var (
	eventCountries = []string{"DE", "FR", "US", "GB", "IN", "BR", "JP", "NL", "PL", "SE"}
	eventDevices   = []string{"desktop", "phone", "tablet", "television"}
	eventTags      = []string{"new", "returning", "campaign", "organic", "trial", "paid", "beta", "internal"}
)

// eventRows returns events as lines of JSONEachRow, a thousand a second.
func eventRows(seed uint64, n int) []string {
	r := random.New(seed)
	lines := make([]string, n)
	for i := range lines {
		second := i / 1000
		tag := r.Below(uint32(len(eventTags)))
		lines[i] = fmt.Sprintf(`{"time":"2026-03-01 %02d:%02d:%02d","user":%d,"session":%d,"country":"%s","device":"%s","page":"/shop/category-%d/product-%d.html","referer":"https://www.example.com/search?query=item-%d&page=%d","duration":%d,"revenue":%d.%02d,"tags":["%s","%s"]}`+"\n",
			second/3600%24, second/60%60, second%60, r.Below(1_000_000), r.Next()>>1,
			eventCountries[r.Below(uint32(len(eventCountries)))], eventDevices[r.Below(uint32(len(eventDevices)))],
			r.Below(50), r.Below(20_000), r.Below(5_000), r.Below(10), r.Below(600_000), r.Below(200), r.Below(100),
			eventTags[tag], eventTags[(tag+1)%uint32(len(eventTags))])
	}
	return lines
}
