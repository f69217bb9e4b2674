package civil

import (
	"testing"
	"time"
)

func TestDaysAgainstTime(t *testing.T) {
	for d := int64(-200000); d < 200000; d += 17 {
		want := time.Unix(d*Day, 0).UTC()
		y, m, day := FromDays(d)
		if y != want.Year() || m != int(want.Month()) || day != want.Day() {
			t.Fatalf("FromDays(%d) = %d-%d-%d, want %v", d, y, m, day, want)
		}
		if got := ToDays(y, m, day); got != d {
			t.Fatalf("ToDays(%d,%d,%d) = %d, want %d", y, m, day, got, d)
		}
		if got := Weekday(d) % 7; got != int(want.Weekday()) {
			t.Fatalf("Weekday(%d) = %d, want %d", d, got, want.Weekday())
		}
		wy, ww := want.ISOWeek()
		if y, w := ISOWeek(d); y != wy || w != ww {
			t.Fatalf("ISOWeek(%d) = %d %d, want %d %d", d, y, w, wy, ww)
		}
		if got := YearDay(d); got != want.YearDay() {
			t.Fatalf("YearDay(%d) = %d, want %d", d, got, want.YearDay())
		}
	}
}

// TestNearDays compares the two ways to a date where both have one.
func TestNearDays(t *testing.T) {
	for d := int64(-12_600_000); d < 400_000_000; d += 9973 {
		y, m, day := FromDays(d)
		if fy, fm, fday := fromFarDays(d); y != fy || m != fm || day != fday {
			t.Fatalf("FromDays(%d) = %d-%d-%d, want %d-%d-%d", d, y, m, day, fy, fm, fday)
		}
	}
}

func TestAddMonths(t *testing.T) {
	for _, c := range []struct {
		y, m, d int
		n       int64
		want    string
	}{
		{2020, 1, 31, 1, "2020-02-29"}, {2021, 1, 31, 1, "2021-02-28"}, {2020, 3, 15, -3, "2019-12-15"},
		{2020, 2, 29, 12, "2021-02-28"}, {2020, 12, 31, 2, "2021-02-28"}, {1970, 1, 1, -1, "1969-12-01"},
	} {
		got := time.Unix(AddMonths(ToDays(c.y, c.m, c.d), c.n)*Day, 0).UTC().Format("2006-01-02")
		if got != c.want {
			t.Errorf("%d-%d-%d + %d months = %s, want %s", c.y, c.m, c.d, c.n, got, c.want)
		}
	}
}

func TestZoneAgainstTime(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		z, c := ZoneOf(loc), NewCursor(loc)
		for u := int64(-2200000000); u < 10300000000; u += 1234567 {
			_, want := time.Unix(u, 0).In(loc).Zone()
			if got := z.Offset(u); got != int64(want) {
				t.Fatalf("%s: Offset(%d) = %d, want %d", name, u, got, want)
			}
			local := c.Local(u)
			if local != u+int64(want) {
				t.Fatalf("%s: Local(%d) = %d, want %d", name, u, local, u+int64(want))
			}
			if back := c.Unix(local); back+z.Offset(back) != local {
				t.Fatalf("%s: Unix(%d) = %d does not show that time", name, local, back)
			}
		}
	}
}

func TestUnixAtChanges(t *testing.T) {
	loc, _ := time.LoadLocation("Europe/Berlin")
	z := ZoneOf(loc)
	at := func(m time.Month, d, h, min int) int64 {
		return time.Date(2021, m, d, h, min, 0, 0, time.UTC).Unix()
	}
	for _, c := range []struct{ local, want int64 }{
		{at(3, 28, 1, 59), at(3, 28, 0, 59)},
		{at(3, 28, 2, 30), at(3, 28, 1, 30)}, // skipped
		{at(3, 28, 3, 0), at(3, 28, 1, 0)},
		{at(10, 31, 1, 59), at(10, 30, 23, 59)},
		{at(10, 31, 2, 30), at(10, 31, 0, 30)}, // twice: the first
		{at(10, 31, 3, 0), at(10, 31, 2, 0)},
	} {
		if got := z.Unix(c.local); got != c.want {
			t.Errorf("Unix(%s) = %s, want %s", time.Unix(c.local, 0).UTC(), time.Unix(got, 0).UTC(), time.Unix(c.want, 0).UTC())
		}
	}
}
