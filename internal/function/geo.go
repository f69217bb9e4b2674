package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	distance := func(name, doc, example string, f func(lon1, lat1, lon2, lat2 float64) float64) *Scalar {
		return &Scalar{Name: name, MinArgs: 4, MaxArgs: 4, Resolve: resolveDistance(name), Eval: evalDistance(f), Family: "geography", Doc: doc, Example: example}
	}
	register(
		distance("greatCircleDistance", "Returns the metres between two points (longitude, latitude in degrees) on a sphere.", "round(greatCircleDistance(37.6, 55.7, 39.7, 47.2)) → 956295", sphereDistance),
		distance("geoDistance", "Returns the metres between two points on the WGS-84 ellipsoid, where they are near.", "round(geoDistance(37.6, 55.7, 39.7, 47.2)) → 956890", ellipsoidDistance),
		distance("greatCircleAngle", "Returns the degrees between two points of a sphere.", "round(greatCircleAngle(0, 0, 45, 0)) → 45", sphereAngle),
		&Scalar{Name: "geohashEncode", MinArgs: 2, MaxArgs: 3, Resolve: resolveGeohash, Eval: evalGeohashEncode, Family: "geography", Doc: "Writes a longitude and a latitude as a geohash.", Example: "geohashEncode(-5.60302734375, 42.593994140625, 5) → ezs42"},
		&Scalar{Name: "geohashDecode", MinArgs: 1, MaxArgs: 1, Resolve: fixed("geohashDecode", geohashPoint, isStr), Eval: evalGeohashDecode, Family: "geography", Doc: "Returns the longitude and latitude of a geohash.", Example: "geohashDecode('ezs42') → (-5.60302734375,42.60498046875)"},
		&Scalar{Name: "pointInPolygon", MinArgs: 2, MaxArgs: -1, Resolve: resolveInPolygon, Eval: evalInPolygon, Family: "geography", Doc: "Tests whether a point lies in a polygon, given by its corners; further polygons are holes.", Example: "pointInPolygon((3., 3.), [(6, 0), (8, 4), (5, 8), (0, 2)]) → 1"},
	)
}

func resolveDistance(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		result := types.TFloat32
		for i, a := range args {
			if !isNumeric(a.Type) {
				return nil, illegal(name, i, a.Type)
			}
			if a.Type.Kind == types.Float64 {
				result = types.TFloat64
			}
		}
		return result, nil
	}
}

func evalDistance(f func(lon1, lat1, lon2, lat2 float64) float64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		var p [4]broadcast[float64]
		for i, a := range c.Args {
			p[i] = newBroadcast(floatsOf(a, c.Types[i]), c.Rows)
		}
		out := make([]float64, c.Rows)
		for i := range out {
			for k := range p {
				if !(math.Abs(p[k].at(i)) < maxDegrees) {
					return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Coordinate %v of a point is out of range", p[k].at(i))
				}
			}
			out[i] = f(p[0].at(i), p[1].at(i), p[2].at(i), p[3].at(i))
		}
		return narrowFloat(c.Result, out), nil
	}
}

// earthDiameter is twice the authalic radius of WGS-84, in metres.
const earthDiameter = 2 * 6371007.180918474

// maxDegrees bounds coordinates, so that they find their places in the tables.
const maxDegrees = 1 << 40

// nearDegrees is up to which difference of longitudes the plane that touches the globe half way is good enough, as ClickHouse has it.
const nearDegrees = 13

func square(x float64) float64 { return x * x }

// degreesApart is the difference of two angles, in [0, 180].
func degreesApart(a, b float64) float64 {
	d := math.Abs(a - b)
	if d > 180 {
		d = 360 - d
	}
	return d
}

// The tables that ClickHouse computes distances with: they make results differ from exact ones by up to a thousandth of a percent, alike in both.
const (
	cosSteps    = 1024 // of a full turn
	asinSteps   = 512  // of arguments from 0 to 1
	metricSteps = 1024 // of latitudes from -90 to 90
)

var (
	cosTable    [cosSteps + 1]float64
	asinTable   [asinSteps + 1]float64      // asin(sqrt(x))
	degreeTable [metricSteps + 1]float64    // squared metres of a degree of longitude on a sphere
	angleTable  [metricSteps + 1]float64    // the same in degrees
	ellipsoidXY [2][metricSteps + 1]float64 // the same of latitude and of longitude on the ellipsoid
)

func init() {
	for i := range cosTable {
		cosTable[i] = math.Cos(2 * math.Pi * float64(i) / cosSteps)
	}
	for i := range asinTable {
		asinTable[i] = math.Asin(math.Sqrt(float64(i) / asinSteps))
	}
	for i := range degreeTable {
		lat := float64(i)*(math.Pi/metricSteps) - math.Pi/2
		ellipsoidXY[0][i] = square(111132.09 - 566.05*math.Cos(2*lat) + 1.20*math.Cos(4*lat))
		ellipsoidXY[1][i] = square(111415.13*math.Cos(lat) - 94.55*math.Cos(3*lat) + 0.12*math.Cos(5*lat))
		degreeTable[i] = square(metresPerDegree * math.Cos(lat))
		angleTable[i] = square(math.Cos(lat))
	}
}

const metresPerDegree = earthDiameter * math.Pi / 360

// fastCos and fastSin interpolate between the steps of the table.
func fastCos(x float64) float64 {
	y := math.Abs(x) * (cosSteps / (2 * math.Pi))
	i := int(y)
	y -= float64(i)
	i &= cosSteps - 1
	return cosTable[i] + (cosTable[i+1]-cosTable[i])*y
}

func fastSin(x float64) float64 {
	y := math.Abs(x) * (cosSteps / (2 * math.Pi))
	i := int(y)
	y -= float64(i)
	i = (i - cosSteps/4) & (cosSteps - 1)
	return cosTable[i] + (cosTable[i+1]-cosTable[i])*y
}

// fastAsinSqrt is asin(sqrt(x)): a series, the table, or exact.
func fastAsinSqrt(x float64) float64 {
	switch {
	case x < 0.122:
		y := math.Sqrt(x)
		return y + x*y*0.166666666666666 + x*x*y*0.075 + x*x*x*y*0.044642857142857
	case x < 0.948:
		x *= asinSteps
		i := int(x)
		return asinTable[i] + (asinTable[i+1]-asinTable[i])*(x-float64(i))
	}
	return math.Asin(math.Sqrt(min(x, 1)))
}

// metric interpolates a table at the middle of two latitudes.
func metric(table *[metricSteps + 1]float64, lat1, lat2 float64) float64 {
	mid := (lat1 + lat2 + 180) * metricSteps / 360
	i := int(mid) & (metricSteps - 1)
	return table[i] + (table[i+1]-table[i])*(mid-float64(i))
}

// haversine is the square of the sine of half the angle between two points.
func haversine(lat1, lat2, dLat, dLon float64) float64 {
	const rad = math.Pi / 180
	return square(fastSin(dLat*rad/2)) + fastCos(lat1*rad)*fastCos(lat2*rad)*square(fastSin(dLon*rad/2))
}

func sphereAngle(lon1, lat1, lon2, lat2 float64) float64 {
	dLat, dLon := degreesApart(lat1, lat2), degreesApart(lon1, lon2)
	if dLon < nearDegrees {
		return math.Sqrt(square(dLat) + metric(&angleTable, lat1, lat2)*square(dLon))
	}
	return 2 * fastAsinSqrt(haversine(lat1, lat2, dLat, dLon)) * 180 / math.Pi
}

func sphereDistance(lon1, lat1, lon2, lat2 float64) float64 {
	dLat, dLon := degreesApart(lat1, lat2), degreesApart(lon1, lon2)
	if dLon < nearDegrees {
		return math.Sqrt(square(metresPerDegree)*square(dLat) + metric(&degreeTable, lat1, lat2)*square(dLon))
	}
	return earthDiameter * fastAsinSqrt(haversine(lat1, lat2, dLat, dLon))
}

func ellipsoidDistance(lon1, lat1, lon2, lat2 float64) float64 {
	dLat, dLon := degreesApart(lat1, lat2), degreesApart(lon1, lon2)
	if dLon >= nearDegrees {
		return sphereDistance(lon1, lat1, lon2, lat2)
	}
	return math.Sqrt(metric(&ellipsoidXY[0], lat1, lat2)*square(dLat) + metric(&ellipsoidXY[1], lat1, lat2)*square(dLon))
}

// maxGeohash is the most characters of a geohash.
const maxGeohash = 12

const geohashDigits = "0123456789bcdefghjkmnpqrstuvwxyz"

var geohashPoint = types.NewTuple([]*types.Type{types.TFloat64, types.TFloat64}, []string{"longitude", "latitude"})

func resolveGeohash(_ *Env, args []Arg) (*types.Type, error) {
	for i, a := range args {
		if i < 2 && !a.Type.IsFloat() || i == 2 && !isPlainInt(a.Type) {
			return nil, illegal("geohashEncode", i, a.Type)
		}
	}
	return types.TString, nil
}

func evalGeohashEncode(c *Call) (column.Vector, error) {
	lon, lat, out := numArg[float64](c.Args[0], c.Rows), numArg[float64](c.Args[1], c.Rows), stringResult(c)
	size := broadcast[int64]{[]int64{maxGeohash}, 0}
	if len(c.Args) > 2 {
		size = numArg[int64](c.Args[2], c.Rows)
	}
	for i := range c.Rows {
		n := size.at(i)
		if n < 1 || n > maxGeohash {
			n = maxGeohash
		}
		out.Data = appendGeohash(out.Data, lon.at(i), lat.at(i), int(n))
		out.EndValue()
	}
	return out, nil
}

// appendGeohash halves the ranges of longitude and latitude in turn, one bit each.
func appendGeohash(dst []byte, lon, lat float64, n int) []byte {
	if math.IsNaN(lon) || math.IsNaN(lat) || math.IsInf(lon, 0) || math.IsInf(lat, 0) {
		return dst
	}
	lons, lats := [2]float64{-180, 180}, [2]float64{-90, 90}
	for k := range n {
		digit := 0
		for bit := range 5 {
			of, x := &lons, lon
			if (5*k+bit)%2 == 1 {
				of, x = &lats, lat
			}
			mid := (of[0] + of[1]) / 2
			digit <<= 1
			if x >= mid {
				digit |= 1
				of[0] = mid
			} else {
				of[1] = mid
			}
		}
		dst = append(dst, geohashDigits[digit])
	}
	return dst
}

func evalGeohashDecode(c *Call) (column.Vector, error) {
	s := stringsOf(c.Args[0])
	lon, lat := make([]float64, c.Rows), make([]float64, c.Rows)
	for i := range lon {
		lon[i], lat[i] = readGeohash(s.row(i))
	}
	return &column.Tuple{Typ: c.Result, N: c.Rows, Elems: []column.Vector{newNum(types.TFloat64, lon), newNum(types.TFloat64, lat)}}, nil
}

// readGeohash is the middle of the box; characters that are no digits end it.
func readGeohash(s []byte) (lon, lat float64) {
	lons, lats := [2]float64{-180, 180}, [2]float64{-90, 90}
	for k, ch := range s[:min(len(s), maxGeohash)] {
		digit := -1
		for d := range len(geohashDigits) {
			if geohashDigits[d] == ch|b2u(ch-'A' < 26)<<5 {
				digit = d
			}
		}
		if digit < 0 {
			return 0, 0
		}
		for bit := range 5 {
			of := &lons
			if (5*k+bit)%2 == 1 {
				of = &lats
			}
			mid := (of[0] + of[1]) / 2
			of[1-digit>>(4-bit)&1] = mid
		}
	}
	if len(s) == 0 {
		return 0, 0
	}
	return (lons[0] + lons[1]) / 2, (lats[0] + lats[1]) / 2
}

// isPoint: a tuple of two numbers.
func isPoint(t *types.Type) bool {
	return isTuple(t) && len(t.Elems) == 2 && isNumeric(t.Elems[0]) && isNumeric(t.Elems[1])
}

// pointsDepth is how deep the points lie in arrays: 1 of a ring, 2 of a polygon with holes; 0 if they are no points.
func pointsDepth(t *types.Type) int {
	depth := 0
	for isArray(t) {
		t = t.Elem()
		depth++
	}
	if !isPoint(t) {
		return 0
	}
	return depth
}

func resolveInPolygon(_ *Env, args []Arg) (*types.Type, error) {
	if !isPoint(args[0].Type) {
		return nil, illegal("pointInPolygon", 0, args[0].Type)
	}
	for i, a := range args[1:] {
		if d := pointsDepth(a.Type); d < 1 || d > 2 || len(args) > 2 && d > 1 {
			return nil, illegal("pointInPolygon", i+1, a.Type)
		}
	}
	return types.TUInt8, nil
}

// ring is the corners of a polygon.
type ring struct{ x, y []float64 }

func (r ring) slice(from, to int) ring { return ring{r.x[from:to], r.y[from:to]} }

// pointsOf reads tuples of two numbers.
func pointsOf(v column.Vector) ring {
	t := column.Flatten(v).(*column.Tuple)
	return ring{floatsOf(column.Flatten(t.Elems[0]), t.Typ.Elems[0]), floatsOf(column.Flatten(t.Elems[1]), t.Typ.Elems[1])}
}

func evalInPolygon(c *Call) (column.Vector, error) {
	points, out := pointsOf(c.Args[0]), make([]uint8, c.Rows)
	inside := make([]func(row int, x, y float64) (bool, error), len(c.Args)-1)
	for i, a := range c.Args[1:] {
		arr := arraysOf(a)
		if pointsDepth(c.Types[i+1]) == 1 {
			corners := pointsOf(arr.Elem)
			inside[i] = func(row int, x, y float64) (bool, error) {
				from, to := arr.bounds(row)
				return corners.slice(from, to).contains(x, y)
			}
			continue
		}
		rings := fullArray(arr.Elem)
		corners := pointsOf(rings.Elem)
		inside[i] = func(row int, x, y float64) (bool, error) {
			from, to := arr.bounds(row)
			for k := from; k < to; k++ {
				in, err := corners.slice(int(rings.Off[k]), int(rings.Off[k+1])).contains(x, y)
				if err != nil || in != (k == from) {
					return false, err
				}
			}
			return from < to, nil
		}
	}
	for i := range out {
		hit := true
		for k, f := range inside {
			in, err := f(i, points.x[i], points.y[i])
			if err != nil {
				return nil, err
			}
			hit = hit && in == (k == 0)
		}
		out[i] = b2u(hit)
	}
	return column.NewBools(out), nil
}

// contains casts a ray; corners and edges belong to the polygon.
func (r ring) contains(x, y float64) (bool, error) {
	n := len(r.x)
	if n < 3 {
		return false, sqlerr.New(sqlerr.BadArguments, "The polygon in function pointInPolygon must have at least 3 corners")
	}
	in := false
	for i, k := 0, n-1; i < n; k, i = i, i+1 {
		ax, ay, bx, by := r.x[i], r.y[i], r.x[k], r.y[k]
		cross := (bx-ax)*(y-ay) - (by-ay)*(x-ax)
		if cross == 0 && x >= min(ax, bx) && x <= max(ax, bx) && y >= min(ay, by) && y <= max(ay, by) {
			return true, nil
		}
		if (ay > y) != (by > y) && x < (bx-ax)*(y-ay)/(by-ay)+ax {
			in = !in
		}
	}
	return in, nil
}
